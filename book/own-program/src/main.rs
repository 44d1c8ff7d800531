//! `when-main-returns trace -- COMMAND…`, without the book.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use own_program::trace::{self, Environment};

/// Looks at your own program: what its threads were doing when it ended.
#[derive(Parser)]
#[command(name = "when-main-returns", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a program and tell how it and its threads ended, or look at one that runs
    Trace(trace::Arguments),
}

fn main() -> ExitCode {
    match Arguments::try_parse() {
        Ok(Arguments { command: Command::Trace(arguments) }) => {
            trace::trace(arguments, Environment::Own)
        }
        Err(error) => trace::refused(&error),
    }
}
