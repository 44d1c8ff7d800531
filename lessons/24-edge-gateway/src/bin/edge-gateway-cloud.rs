//! The cloud as a program of its own, for gateways that are killed.

#[path = "../cloud.rs"]
mod cloud;

use std::env;
use std::io::{self, Error};
use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8024".to_owned());
    match run(&address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(address: &str) -> io::Result<()> {
    let file = cloud::open(Path::new("cloud.txt"))?;
    let listener = TcpListener::bind(address).map_err(|error| {
        Error::other(format!("cannot serve at {address}: {error}"))
    })?;
    info!("listening on {}", listener.local_addr()?);
    cloud::serve(&listener, file, &(Duration::ZERO..Duration::ZERO))
}
