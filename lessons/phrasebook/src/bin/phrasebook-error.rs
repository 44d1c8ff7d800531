//! Learn that a thread has failed.

use std::io;
use std::panic::resume_unwind;
use std::process::ExitCode;
use std::thread;

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(format!(
            "cannot start the importer: {why}"
        )),
    }
}

fn run() -> io::Result<()> {
    info!("an order is to be imported");
    // ANCHOR: cell
    let importer = thread::Builder::new()
        .name("importer".to_owned())
        .spawn(|| import_order(3))?;

    match importer.join() {
        Ok(Ok(())) => info!("the order is imported"),
        Ok(Err(error)) => info!("failed: {error}"),
        Err(payload) => resume_unwind(payload),
    }
    // ANCHOR_END: cell
    Ok(())
}

fn import_order(order: u32) -> Result<(), String> {
    Err(format!("order {order} has no customer"))
}
