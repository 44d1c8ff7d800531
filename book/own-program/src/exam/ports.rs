//! Ports for a service to listen on.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// Below these are those of well-known services.
const FIRST: u32 = 10_000;
/// Where the kernel begins with its own choices if it does not tell.
const USUAL: u32 = 32_768;

/// A port that is free, and was not given before if that can be helped: the last run's connections may still
/// be there. It is none of those that the kernel gives to clients.
///
/// # Errors
///
/// If none can be bound.
pub fn free() -> io::Result<u16> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let end = ephemeral().filter(|end| *end > FIRST + 1000).unwrap_or(USUAL);
    // Two exams at once begin at different ones.
    let _ = NEXT.compare_exchange(
        0,
        (RandomState::new().hash_one(std::process::id()) as u32).max(1) >> 1,
        Ordering::Relaxed,
        Ordering::Relaxed,
    );
    let mut refused = io::Error::other("no port is free");
    for _ in 0..1000 {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = (FIRST + next % (end - FIRST)) as u16;
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(_) => return Ok(port),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

/// The first port that the kernel gives to clients.
fn ephemeral() -> Option<u32> {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    range.split_whitespace().next()?.parse().ok()
}
