//! The book of *When `main` Returns*: how its chapters become pages, and how they are served.
//!
//! [`preprocess`] renders what the crate `workbook` reads of the chapters, draws the [`map`] of all
//! lessons, and links the terms of the [`glossary`]. [`serve`] shows the built book.

pub mod glossary;
pub mod map;
pub mod preprocess;
pub mod serve;
