//! Exercise: a shop gives points for purchases, and may be killed before and after each commit.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p durable-handoff --bin durable-handoff-exercise -- 14
//!              and once more without the 14; then `rm shop.db* points.db*`
//! Check it:    cargo test durable-handoff
//!              (this file alone: cargo test exercise::durable-handoff)
//! Start over:  git restore lessons/12-durable-handoff/src/bin/durable-handoff-exercise.rs

use std::error::Error;
use std::process::{self, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{env, result, thread};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use tracing::info;

// YOUR TURN: delete this line when you begin; `cargo test` then judges this file.

type Result<T> = result::Result<T, Box<dyn Error>>;

const USAGE: &str =
    "usage: durable-handoff-exercise [MOMENT | restart | read-only | full | late]";

/// The arguments of processes that cannot write to `points.db`.
const READ_ONLY: &str = "read-only";
const FULL: &str = "full";

const PURCHASES: &str = "
    CREATE TABLE purchases (key TEXT PRIMARY KEY, member TEXT, points INTEGER);
    INSERT INTO purchases VALUES
        ('receipt-1', 'ann', 10), ('receipt-2', 'ben', 20), ('receipt-3', 'ann', 30),
        ('receipt-4', 'ben', 40), ('receipt-5', 'ann', 30), ('receipt-6', 'ben', 60);";

/// From a till that was offline. It cannot know that receipt 2 was taken long ago.
const LATE: &str = "
    INSERT INTO purchases VALUES ('receipt-0', 'ann', 20), ('receipt-2', 'ben', 20);";

const MEMBERS: &str = "
    CREATE TABLE members (name TEXT PRIMARY KEY, points INTEGER);
    INSERT INTO members VALUES ('ann', 0), ('ben', 0);";

fn main() -> ExitCode {
    lesson_log::init();
    let argument = env::args_os().nth(1);
    let result = match argument.as_ref().map(|word| word.to_str()) {
        Some(Some("restart")) => restart(),
        Some(Some("late")) => {
            hand_in_late().and_then(|()| give_all_points(u32::MAX))
        }
        Some(Some(READ_ONLY | FULL)) => give_all_points(u32::MAX),
        Some(Some(moment)) => match moment.parse() {
            Ok(moment) => give_all_points(moment),
            Err(_) => Err(USAGE.into()),
        },
        Some(None) => Err(USAGE.into()),
        None => give_all_points(u32::MAX),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

/// Starts two processes that cannot write to the points, then one that dies at its first
/// moment, one that dies at its second, and so on until one lives. Two seconds later, one
/// takes the late receipts, too.
fn restart() -> Result<()> {
    info!("points.db cannot be written for a while");
    start(READ_ONLY)?;
    start(FULL)?;
    for moment in 1..=40 {
        if start(&moment.to_string())? {
            thread::sleep(Duration::from_secs(2));
            start("late")?;
            return Ok(());
        }
    }
    Err("40 processes have died, and the work is not done".into())
}

/// Starts this program with an argument; `false` if it has died or has given up.
fn start(argument: &str) -> Result<bool> {
    let mut again = Command::new(env::current_exe()?);
    if [READ_ONLY, FULL].contains(&argument) {
        // That it says why it gives up is as it should be.
        again.stderr(Stdio::null());
    }
    Ok(again.arg(argument).status()?.success())
}

fn hand_in_late() -> Result<()> {
    let shop = open("shop.db", PURCHASES, &Arc::new(AtomicU32::new(u32::MAX)))?;
    Ok(shop.execute_batch(LATE)?)
}

fn give_all_points(last_moment: u32) -> Result<()> {
    let moments = Arc::new(AtomicU32::new(last_moment));
    let mut shop = open("shop.db", PURCHASES, &moments)?;
    let mut points = open("points.db", MEMBERS, &moments)?;

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

/// Opens a database; a new one is filled, in one step. It belongs to one service, so
/// that no transaction spans both.
fn open(path: &str, tables: &str, moments: &Arc<AtomicU32>) -> Result<Connection> {
    let mut db = Connection::open(path)?;
    // Enough for a process that dies; a machine that loses power asks for FULL.
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;")?;
    let step = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let all = "SELECT count(*) FROM sqlite_schema";
    if step.query_row(all, [], |row| row.get::<_, u32>(0))? == 0 {
        step.execute_batch(tables)?;
    }
    step.commit()?;
    let has = |trouble| {
        path == "points.db" && env::args_os().nth(1).is_some_and(|it| it == trouble)
    };
    if has(READ_ONLY) {
        // As Linux mounts a disk anew after an error: the first change fails.
        db.execute_batch("PRAGMA query_only = ON;")?;
    }
    // In WAL mode SQLite writes when it commits: only the commit fails.
    let is_full = has(FULL);
    db.authorizer(Some(|asked: AuthContext<'_>| match asked.action {
        AuthAction::Attach { .. } => Authorization::Deny,
        _ => Authorization::Allow,
    }))?;
    let (before, after) = (Arc::clone(moments), Arc::clone(moments));
    db.commit_hook(Some(move || {
        may_die(&before);
        is_full
    }))?;
    db.wal_hook(Some(move |_: &mut _, _| {
        may_die(&after);
        Ok(())
    }))?;
    Ok(db)
}

/// Called just before each commit, and just after it: the moments at which the process
/// may die, counted over both databases.
fn may_die(moments: &AtomicU32) {
    if moments.fetch_sub(1, Ordering::Relaxed) == 1 {
        process::abort();
    }
}
