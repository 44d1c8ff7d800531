//! The statements of `hung-join-statement`, the same file, in the edition of 2021.

#[path = "../../src/bin/hung-join-statement.rs"]
mod statement;

use std::process::ExitCode;

fn main() -> ExitCode {
    statement::main()
}
