//! What the chapters of *When `main` Returns* promise, and how a program is held to it.
//!
//! Data flows one way. [`page`] reads one page and [`workbook`] all of them: what they promise
//! ([`promise`]), what they only tell ([`measured`]), and which promises they set side by side
//! ([`outcomes`]). [`programs`] builds what is to run, [`twins`] the same in other languages; [`run`] runs
//! a program and [`verdict`] a whole scenario. A [`recording`] keeps one run, with what its [`trace`] tells of the threads, and
//! [`timeline`] draws it. [`commands`] are what a reader types, an [`exercise`] is what a reader changes, and
//! one lesson's is an [`exam`]. The [`tracer`]
//! looks at any other program, by ptrace and [`proc`]. Nothing here knows of mdBook or of a web server.

pub mod commands;
pub mod exam;
pub mod exercise;
pub mod measured;
pub mod outcomes;
pub mod page;
pub mod proc;
pub mod programs;
pub mod promise;
pub mod recording;
pub mod run;
pub mod timeline;
pub mod trace;
pub mod tracer;
pub mod twins;
pub mod verdict;
pub mod workbook;
