//! How much room does a channel need that is emptied only after the join?

use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;
use std::{env, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let room = env::args_os().nth(1).unwrap_or_default();
    let Ok(room) = room.to_string_lossy().parse::<u8>() else {
        return lesson_log::failure(
            "for how many shelves has the channel room? 0 to 255",
        );
    };
    match run(room.into()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

fn run(room: usize) -> Result<(), String> {
    info!("the channel has room for {room}");
    let (found, shelves) = mpsc::sync_channel(room);
    let scanner = thread::Builder::new()
        .name("scanner".to_owned())
        .spawn(move || {
            for shelf in 1..=4 {
                thread::sleep(Duration::from_millis(300));
                info!("shelf {shelf} is scanned");
                if found.send(shelf).is_err() {
                    return; // Nobody counts any more.
                }
            }
        })
        .map_err(|error| format!("cannot start the thread scanner: {error}"))?;
    scanner.join().map_err(|_| "scanner has panicked")?;
    info!("{} shelves are counted", shelves.iter().count());
    Ok(())
}
