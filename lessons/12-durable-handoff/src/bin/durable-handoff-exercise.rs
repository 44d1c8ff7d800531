//! Exercise: a shop gives points for purchases, and is killed between two commits.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p durable-handoff --bin durable-handoff-exercise -- 7
//!              and once more without the 7; then `rm shop.db* points.db*`
//! Check it:    cargo test durable-handoff
//!              (this file alone: cargo test exercise::durable-handoff)
//! Start over:  git restore lessons/12-durable-handoff/src/bin/durable-handoff-exercise.rs

use std::error::Error;
use std::path::Path;
use std::process::{self, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, result};

use rusqlite::{Connection, OptionalExtension, params};
use tracing::info;

// YOUR TURN: delete this line when you begin; `cargo test` then judges this file.

type Result<T> = result::Result<T, Box<dyn Error>>;

const PURCHASES: &str = "
    CREATE TABLE purchases (key TEXT PRIMARY KEY, member TEXT, points INTEGER);
    INSERT INTO purchases VALUES
        ('receipt-1', 'ann', 10), ('receipt-2', 'ben', 20), ('receipt-3', 'ann', 30),
        ('receipt-4', 'ben', 40), ('receipt-5', 'ann', 50), ('receipt-6', 'ben', 60);";

const MEMBERS: &str = "
    CREATE TABLE members (name TEXT PRIMARY KEY, points INTEGER);
    INSERT INTO members VALUES ('ann', 0), ('ben', 0);";

/// Two databases, as two services have them: no transaction spans both.
fn main() -> Result<()> {
    lesson_log::init();
    match env::args().nth(1).as_deref() {
        Some("restart") => restart(),
        Some(commits) => give_all_points(commits.parse()?),
        None => give_all_points(u32::MAX),
    }
}

/// Starts a process that dies after one commit, then one that dies after two, and so
/// on until one lives.
fn restart() -> Result<()> {
    for commits in 1..=20 {
        let mut again = Command::new(env::current_exe()?);
        if again.arg(commits.to_string()).status()?.success() {
            return Ok(());
        }
    }
    Err("20 processes have died, and the work is not done".into())
}

fn give_all_points(commits: u32) -> Result<()> {
    let commits = Arc::new(AtomicU32::new(commits));
    let mut shop = open("shop.db", PURCHASES, &commits)?;
    let mut points = open("points.db", MEMBERS, &commits)?;

    while let Some(purchase) = next_purchase(&shop)? {
        give_points(&mut points, &purchase)?;
        strike_out(&mut shop, &purchase)?;
        info!("{} is done", purchase.key);
    }
    info!("ann has {}, ben has {}", total(&points, "ann")?, total(&points, "ben")?);
    Ok(())
}

struct Purchase {
    key: String,
    member: String,
    points: u32,
}

fn next_purchase(shop: &Connection) -> Result<Option<Purchase>> {
    let next = "SELECT key, member, points FROM purchases ORDER BY key LIMIT 1";
    let purchase = shop.query_row(next, [], |row| {
        Ok(Purchase { key: row.get(0)?, member: row.get(1)?, points: row.get(2)? })
    });
    Ok(purchase.optional()?)
}

/// In the database of the points.
fn give_points(
    db: &mut Connection,
    Purchase { member, points, .. }: &Purchase,
) -> Result<()> {
    let give = "UPDATE members SET points = points + ?2 WHERE name = ?1";
    db.execute(give, params![member, points])?;
    Ok(())
}

/// In the database of the shop.
fn strike_out(db: &mut Connection, Purchase { key, .. }: &Purchase) -> Result<()> {
    db.execute("DELETE FROM purchases WHERE key = ?1", [key])?;
    Ok(())
}

fn total(db: &Connection, member: &str) -> Result<u32> {
    let points = "SELECT points FROM members WHERE name = ?1";
    Ok(db.query_row(points, [member], |row| row.get(0))?)
}

/// Opens a database; a new one is filled. When so many commits are done, counted
/// over both databases, the process dies at the next one.
fn open(path: &str, tables: &str, commits: &Arc<AtomicU32>) -> Result<Connection> {
    let is_new = !Path::new(path).exists();
    let mut db = Connection::open(path)?;
    // Enough for a process that dies; a machine that loses power asks for FULL.
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;")?;
    if is_new {
        db.execute_batch(tables)?;
    }
    let commits = Arc::clone(commits);
    db.commit_hook(Some(move || match commits.fetch_sub(1, Ordering::Relaxed) {
        0 => process::abort(),
        _ => false,
    }))?;
    Ok(db)
}
