//! What the self-check shares with the tests that run only when they are named.

pub mod verdict;
