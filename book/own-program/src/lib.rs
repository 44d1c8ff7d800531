//! A reader's own program, in any language: what its threads were doing when it ended.
//!
//! [`trace`] runs it or looks at it; [`report`] and [`page`] tell what was seen.

pub mod exam;
pub mod output;
pub mod page;
pub mod report;
pub mod trace;
