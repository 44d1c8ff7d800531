//! The cloud as a program of its own, for gateways that are killed.

#[path = "../cloud.rs"]
mod cloud;

use std::env;
use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::SIGXFSZ;
use signal_hook::flag;
use tracing::info;

use crate::cloud::Store;

fn main() -> ExitCode {
    lesson_log::init();
    let address = env::args_os().nth(1).unwrap_or_else(|| "127.0.0.1:8024".into());
    let served = match address.to_str() {
        Some(address) => serve(address),
        None => Err("usage: edge-gateway-cloud [IP:PORT]".to_owned()),
    };
    served.map_or_else(lesson_log::failure, |()| ExitCode::SUCCESS)
}

fn serve(address: &str) -> Result<(), String> {
    // A write beyond a limit on files is to give an error, not to kill.
    flag::register(SIGXFSZ, Arc::default()).map_err(|error| error.to_string())?;
    let store = Arc::new(Store::open(Path::new("cloud.txt"))?);
    let cannot = |error| format!("cannot serve at {address}: {error}");
    let listener = TcpListener::bind(address).map_err(cannot)?;
    info!("listening on {}", listener.local_addr().map_err(cannot)?);
    let start = Instant::now();
    loop {
        // A thread for each gateway, so that none waits for another.
        let talk = listener.accept().and_then(|(gateway, _)| {
            let store = Arc::clone(&store);
            thread::Builder::new().name("gateway".to_owned()).spawn(move || {
                let never = Duration::ZERO..Duration::ZERO;
                if let Err(error) = cloud::talk(gateway, &store, start, &never) {
                    info!("hangs up: {error}");
                }
            })
        });
        // No descriptor or no thread is left: it will be otherwise, but not at once.
        if let Err(error) = talk {
            info!("no gateway is let in: {error}");
            thread::sleep(Duration::from_millis(100));
        }
    }
}
