//! `when-main-returns trace -- COMMAND…` and `when-main-returns exam -- COMMAND…`, without the book.

use std::env;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use own_program::exam;
use own_program::trace::{self, Environment};
use workbook::run::inside;

/// Looks at your own program: what its threads were doing when it ended, and whether it ends as it should.
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
    /// Hold your own service, in any language, against trials at the end of its process
    Exam(exam::Arguments),
}

fn main() -> ExitCode {
    if let Some(code) = inside() {
        return code;
    }
    match Arguments::try_parse() {
        Ok(Arguments { command: Command::Trace(arguments) }) => {
            trace::trace(arguments, Environment::Own)
        }
        Ok(Arguments { command: Command::Exam(arguments) }) => {
            exam::exam(arguments, Environment::Own)
        }
        Err(error) if env::args().nth(1).is_some_and(|word| word == "exam") => {
            exam::refused(&error)
        }
        Err(error) => trace::refused(&error),
    }
}
