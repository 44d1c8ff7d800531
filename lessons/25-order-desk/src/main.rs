//! The lesson follows.

fn main() {}
