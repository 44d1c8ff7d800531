//! What the chapters of *When `main` Returns* promise, and how a program is held to it.
//!
//! Data flows one way. [`workbook`] finds the lessons and their chapters, [`promise`] reads what a
//! chapter promises and [`measured`] what it only tells; [`outcomes`] sets promises side by side.
//! [`programs`] builds what is to run, [`run`] runs it and asks it as a [`client`] where it serves. A
//! [`recording`] keeps one run, with what its [`trace`] tells of the threads, and [`timeline`] draws
//! it. [`commands`] are what a reader types. Nothing here knows of mdBook or of a web server.

pub mod commands;
pub mod measured;
pub mod outcomes;
pub mod page;
pub mod programs;
pub mod promise;
pub mod recording;
pub mod run;
pub mod timeline;
pub mod trace;
pub mod verdict;
pub mod workbook;
