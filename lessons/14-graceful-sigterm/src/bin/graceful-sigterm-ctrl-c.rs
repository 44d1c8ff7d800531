//! `ctrl_c` awaited by itself, and beside what else may happen.

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::ctrl_c;
use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lesson_log::init();
    let way = env::args_os().nth(1).unwrap_or_default();
    let ended = match way.to_str() {
        Some("alone") => wait_alone().await,
        Some("select") => wait_for_all().await,
        _ => Err("say how to wait, alone or select".to_owned()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

// ANCHOR: alone
async fn wait_alone() -> Result<(), String> {
    let _feed = tokio::spawn(read_prices());
    info!("prices are served until Ctrl-C");
    ctrl_c().await.map_err(|error| error.to_string())?;
    info!("Ctrl-C");
    Ok(())
}
// ANCHOR_END: alone

// ANCHOR: select
async fn wait_for_all() -> Result<(), String> {
    let mut terminate =
        signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let feed = tokio::spawn(read_prices());
    info!("prices are served until Ctrl-C or SIGTERM");
    tokio::select! {
        pressed = ctrl_c() => pressed.map_err(|error| error.to_string())?,
        _ = terminate.recv() => {}
        ended = feed => match ended {
            Ok(why) => return Err(format!("the feed has ended: {why}")),
            Err(error) => return Err(format!("the feed has panicked: {error}")),
        },
    }
    info!("asked to end");
    Ok(())
}
// ANCHOR_END: select

/// The prices that everybody needs. The exchange hangs up after a second.
async fn read_prices() -> &'static str {
    tokio::time::sleep(Duration::from_secs(1)).await;
    "the exchange has hung up"
}
