//! What becomes of an exit code that is larger than 255, or below 0.

use std::{env, process};

use tracing::info;

fn main() {
    lesson_log::init();
    let code = env::args().nth(1).unwrap_or_default();
    match code.parse() {
        Ok(code) => {
            info!("the process exits with {code}");
            process::exit(code);
        }
        Err(error) => {
            eprintln!("`{code}` is not an exit code: {error}");
            process::exit(1);
        }
    }
}
