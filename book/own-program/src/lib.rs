//! A reader's own program, in any language: what its threads were doing when it ended, and whether it ends
//! as it should.
//!
//! [`trace`] runs it or looks at it; [`report`] and [`page`] tell what was seen. [`exam`] holds a service
//! against trials.

pub mod exam;
pub mod output;
pub mod page;
pub mod report;
pub mod trace;
