//! The book of *When `main` Returns*: how its chapters become pages, and how they are served.
//!
//! [`preprocess`] renders what the crate `workbook` reads of the chapters as [`tables`] and pictures,
//! draws the [`map`] of all lessons, links the terms of the [`glossary`], and counts how long [`pages`]
//! are. [`place`] is where the built book goes, [`serve`] shows it, and while it does a [`live`] page runs
//! programs.

pub mod glossary;
pub mod live;
pub mod map;
pub mod pages;
pub mod place;
pub mod preprocess;
pub mod serve;
pub mod tables;
