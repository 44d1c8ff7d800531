//! The reader of *When `main` Returns*: what the chapters promise, and how programs are run.
//!
//! Data flows one way. [`workbook`] finds the lessons and their chapters, [`promise`] reads what a
//! chapter promises and [`measured`] what it only tells; [`outcomes`] sets promises side by side.
//! [`preprocess`] renders them for the reader, draws the [`map`] of all lessons, and links the terms
//! of the [`glossary`]. The self-check builds the [`programs`], [`run`]s them, asks them as a
//! [`client`] where they serve, and holds the outcome against it. A [`recording`] keeps one run, with
//! what its [`trace`] tells of the threads, and [`timeline`] draws it. [`serve`] shows the built book.

pub mod client;
pub mod glossary;
pub mod map;
pub mod measured;
pub mod outcomes;
pub mod preprocess;
pub mod programs;
pub mod promise;
pub mod recording;
pub mod run;
pub mod serve;
pub mod timeline;
pub mod trace;
pub mod workbook;
