//! A packer takes orders from a channel. Whether its scope returns depends on who owns the sender.

use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, Builder, Scope, ScopedJoinHandle};
use std::{env, io, mem};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let way = env::args_os().nth(1).unwrap_or_default();
    let started = match way.to_str() {
        Some("borrowed") => borrowed(),
        Some("owned") => owned(),
        Some("leaked") => leaked(),
        _ => return lesson_log::failure("say which: borrowed, owned or leaked"),
    };
    if let Err(error) = started {
        return lesson_log::failure(format!("cannot start the packer: {error}"));
    }
    info!("the scope has returned");
    ExitCode::SUCCESS
}

// ANCHOR: borrowed
fn borrowed() -> io::Result<()> {
    let (orders, queue) = mpsc::channel();
    thread::scope(|scope| {
        packer(scope, queue)?;
        for order in 1..=3 {
            // Only this is used of the sender, so the closure borrows it, and `borrowed` owns it.
            let _ = orders.send(order);
        }
        Ok(())
    })
}
// ANCHOR_END: borrowed

// ANCHOR: owned
fn owned() -> io::Result<()> {
    let (orders, queue) = mpsc::channel();
    // The change: what the closure uses belongs to it, and goes when it is over.
    thread::scope(move |scope| {
        packer(scope, queue)?;
        for order in 1..=3 {
            let _ = orders.send(order);
        }
        Ok(())
    })
}
// ANCHOR_END: owned

// ANCHOR: leaked
#[expect(
    clippy::mem_forget,
    reason = "shows what a handle that is never dropped does"
)]
fn leaked() -> io::Result<()> {
    thread::scope(|scope| {
        let (orders, queue) = mpsc::channel();
        mem::forget(packer(scope, queue)?);
        let _ = orders.send(1);
        Ok(())
    })
}
// ANCHOR_END: leaked

/// Packs until nobody can send an order any more.
fn packer<'scope>(
    scope: &'scope Scope<'scope, '_>,
    queue: Receiver<u32>,
) -> io::Result<ScopedJoinHandle<'scope, ()>> {
    Builder::new().name("packer".to_owned()).spawn_scoped(scope, || {
        for order in queue {
            info!("order {order} is packed");
        }
        info!("no more orders");
    })
}
