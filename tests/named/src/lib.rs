//! What the tests that run only when they are named have in common.

pub mod bench;
pub mod desk;
pub mod pages;
pub mod rounds;
pub mod scratch;
pub mod self_check;
pub mod terminal;
pub mod tools;
