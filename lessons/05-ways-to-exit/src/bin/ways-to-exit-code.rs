//! What becomes of an exit code that is larger than 255, or below 0.

use std::env;
use std::process::{self, ExitCode};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let code = env::args_os().nth(1).unwrap_or_default();
    let code = code.to_string_lossy();
    match code.parse() {
        Ok(code) => {
            info!("the process exits with {code}");
            process::exit(code);
        }
        Err(error) => {
            lesson_log::failure(format!("`{code}` is not an exit code: {error}"))
        }
    }
}
