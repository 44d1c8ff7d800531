//! Solution: the threads own what they need, so nobody has to wait for them.

use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{env, io, thread};

use tracing::info;

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

// ANCHOR: solution
/// Asks all shops at once. Each thread has its own copy, so it may be left behind.
fn collect_offers(wish: &str, shops: &[Shop]) -> io::Result<Vec<String>> {
    info!("{} shops are asked for a {wish}", shops.len());
    let deadline = Instant::now() + PATIENCE;
    let (offers, received) = mpsc::channel();
    for shop in shops {
        let (shop, wish) = (shop.clone(), wish.to_owned());
        let offers = offers.clone();
        let asked = thread::Builder::new().name(shop.name.clone());
        asked.spawn(move || {
            // An error says that nobody listens any more: too late.
            let _ = offers.send(shop.offer(&wish));
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
}

#[derive(Clone)]
// ANCHOR_END: solution
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
