//! Learn that a thread has failed.

use std::io;
use std::panic::resume_unwind;
use std::thread;

use tracing::info;

fn main() -> io::Result<()> {
    lesson_log::init();
    info!("an order is to be imported");
    // ANCHOR: cell
    let importer = thread::Builder::new()
        .name("importer".to_owned())
        .spawn(|| import_order(3))?;

    match importer.join() {
        Ok(Ok(())) => info!("the order is imported"),
        Ok(Err(error)) => info!("failed: {error}"),
        Err(panic) => resume_unwind(panic),
    }
    // ANCHOR_END: cell
    Ok(())
}

fn import_order(order: u32) -> Result<(), String> {
    Err(format!("order {order} has no customer"))
}
