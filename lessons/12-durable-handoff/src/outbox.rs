//! The buffer in SQLite: payments wait in a table until the relay strikes them out.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};

use crate::Result;
use crate::ledger::{Payment, texts};
use crate::relay::{Buffer, Waiting};

pub struct Outbox {
    db: Connection,
}

/// How long to wait for another process that is writing.
const PATIENCE: Duration = Duration::from_secs(30);

pub fn database(directory: &Path, name: &str, tables: &str) -> Result<Connection> {
    let path = directory.join(name);
    let deadline = Instant::now() + PATIENCE;
    loop {
        match open(&path, tables) {
            // SQLite does not wait where two processes open a new file at once.
            Err(error) if is_busy(&error) && Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(10));
            }
            Err(error) => {
                return Err(
                    format!("cannot open {}: {error}", path.display()).into()
                );
            }
            Ok(db) => return Ok(db),
        }
    }
}

// ANCHOR: open
/// Opens a database, or makes it. A commit returns when it is on disk.
fn open(path: &Path, tables: &str) -> rusqlite::Result<Connection> {
    let db = Connection::open(path)?;
    db.busy_timeout(PATIENCE)?;
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
    db.execute_batch(tables)?;
    Ok(db)
}
// ANCHOR_END: open

fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS outbox (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE,
        account TEXT NOT NULL, amount INTEGER NOT NULL,
        failures INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE IF NOT EXISTS dead_letters (
        key TEXT PRIMARY KEY, account TEXT NOT NULL, amount INTEGER NOT NULL,
        reason TEXT NOT NULL);";

impl Outbox {
    pub fn open(directory: &Path) -> Result<Self> {
        Ok(Self { db: database(directory, "outbox.db", TABLES)? })
    }
}

impl Buffer for Outbox {
    // ANCHOR: buffer
    fn accept(&mut self, Payment { key, account, amount }: &Payment) -> Result<()> {
        // A statement outside a transaction is one by itself; the commit is inside.
        self.db.execute(
            "INSERT INTO outbox (key, account, amount) VALUES (?1, ?2, ?3)
             ON CONFLICT (key) DO NOTHING",
            params![key, account, amount],
        )?;
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Waiting>> {
        let oldest = "SELECT key, account, amount, failures FROM outbox
                      ORDER BY failures, id LIMIT 1";
        Ok(self.db.query_row(oldest, [], waiting).optional()?)
    }

    fn strike_out(&mut self, waiting: &Waiting) -> Result<()> {
        self.db.execute("DELETE FROM outbox WHERE key = ?1", [&waiting.id])?;
        Ok(())
    }
    // ANCHOR_END: buffer

    fn put_back(&mut self, waiting: &Waiting) -> Result<()> {
        let failed = "UPDATE outbox SET failures = failures + 1 WHERE key = ?1";
        self.db.execute(failed, [&waiting.id])?;
        Ok(())
    }

    fn bury(&mut self, waiting: &Waiting, reason: &str) -> Result<()> {
        let Payment { key, account, amount } = &waiting.payment;
        let step = self.db.transaction()?;
        step.execute(
            "INSERT OR REPLACE INTO dead_letters VALUES (?1, ?2, ?3, ?4)",
            params![key, account, amount, reason],
        )?;
        step.execute("DELETE FROM outbox WHERE key = ?1", [&waiting.id])?;
        Ok(step.commit()?)
    }

    fn report(&mut self) -> Result<Vec<String>> {
        let all = "SELECT key || ' waits' FROM outbox
                   UNION ALL SELECT key || ' is a dead letter' FROM dead_letters";
        texts(&self.db, all)
    }
}

fn waiting(row: &Row<'_>) -> rusqlite::Result<Waiting> {
    let payment =
        Payment { key: row.get(0)?, account: row.get(1)?, amount: row.get(2)? };
    Ok(Waiting { id: payment.key.clone(), failures: row.get(3)?, payment })
}
