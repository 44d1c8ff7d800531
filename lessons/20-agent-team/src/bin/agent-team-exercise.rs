//! Exercise: an agent asks shops for offers and shows its customer those of 2 s.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p agent-team --bin agent-team-exercise -- 0.6 1.2 6
//! Check it:    cargo test agent-team
//!              (this file alone: cargo test exercise::agent-team)
//! Start over:  git restore lessons/20-agent-team/src/bin/agent-team-exercise.rs

use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{env, io, thread};

use tracing::info;

// YOUR TURN: delete this line when you begin; `cargo test` then judges this file.

/// How long the customer waits for offers.
const PATIENCE: Duration = Duration::from_secs(2);

fn main() -> io::Result<ExitCode> {
    lesson_log::init();
    let mut shops = Vec::new();
    for (number, seconds) in (1..).zip(env::args().skip(1)) {
        match seconds.parse().ok().and_then(|s| Duration::try_from_secs_f64(s).ok())
        {
            Some(takes) => {
                shops.push(Shop { name: format!("shop-{number}"), takes })
            }
            None => {
                eprintln!("not a number of seconds: {seconds}");
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    if shops.is_empty() {
        eprintln!("say how many seconds each shop takes");
        return Ok(ExitCode::FAILURE);
    }
    let _chat = Chat;
    let offers = collect_offers("kettle", &shops)?;
    info!("the customer sees {} of {} offers", offers.len(), shops.len());
    Ok(ExitCode::SUCCESS)
}

/// Asks all shops at once. They share the customer's wish, so nothing is copied.
fn collect_offers(wish: &str, shops: &[Shop]) -> io::Result<Vec<String>> {
    info!("{} shops are asked for a {wish}", shops.len());
    let deadline = Instant::now() + PATIENCE;
    let (offers, received) = mpsc::channel();
    thread::scope(|scope| {
        for shop in shops {
            let offers = offers.clone();
            let asked = thread::Builder::new().name(shop.name.clone());
            asked.spawn_scoped(scope, move || {
                // An error says that nobody listens any more: too late.
                let _ = offers.send(shop.offer(wish));
            })?;
        }
        drop(offers);

        let mut in_time = Vec::new();
        let left = || deadline.saturating_duration_since(Instant::now());
        while let Ok(offer) = received.recv_timeout(left()) {
            info!("{offer}");
            in_time.push(offer);
        }
        Ok(in_time)
    })
}

struct Shop {
    name: String,
    takes: Duration,
}

impl Shop {
    fn offer(&self, wish: &str) -> String {
        thread::sleep(self.takes);
        format!("{} has a {wish}", self.name)
    }
}

/// The customer's chat; it has to be closed properly.
struct Chat;

impl Drop for Chat {
    fn drop(&mut self) {
        info!("the chat is closed");
    }
}
