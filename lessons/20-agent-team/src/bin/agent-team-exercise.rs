//! Exercise: an agent asks shops for offers and shows its customer those of 2 s.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p agent-team --bin agent-team-exercise -- 0.2 1.5 6
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
const HOUR: Duration = Duration::from_secs(3600);

fn main() -> ExitCode {
    lesson_log::init();
    let mut shops = Vec::new();
    for (number, seconds) in (1..).zip(env::args_os().skip(1)) {
        let parsed = seconds.to_str().and_then(|seconds| seconds.parse().ok());
        match parsed.and_then(|s| Duration::try_from_secs_f64(s).ok()) {
            Some(takes) => {
                shops.push(Shop { name: format!("shop-{number}"), takes })
            }
            None => {
                return lesson_log::failure(format_args!(
                    "not a number of seconds: {}",
                    seconds.display()
                ));
            }
        }
    }
    if shops.is_empty() {
        return lesson_log::failure("say how many seconds each shop takes");
    }
    let _chat = Chat;
    match collect_offers("kettle", &shops) {
        Ok(offers) => {
            info!("the customer sees {} of {} offers", offers.len(), shops.len());
            ExitCode::SUCCESS
        }
        Err(error) => {
            lesson_log::failure(format_args!("cannot ask a shop: {error}"))
        }
    }
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
    /// A shop that would take an hour has closed down.
    fn offer(&self, wish: &str) -> String {
        assert!(self.takes < HOUR, "{} has closed down", self.name);
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
