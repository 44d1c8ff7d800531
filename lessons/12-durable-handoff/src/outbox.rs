//! The buffer in SQLite: payments wait in a table until the relay strikes them out.

use std::path::Path;
use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::Result;
use crate::database::{self, texts};
use crate::ledger::Payment;
use crate::relay::{Buffer, Waiting, pause};

pub struct Outbox {
    db: Connection,
}

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS outbox (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE,
        account TEXT NOT NULL, amount INTEGER NOT NULL,
        asked INTEGER NOT NULL DEFAULT 1,
        failures INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE IF NOT EXISTS dead_letters (
        key TEXT PRIMARY KEY, account TEXT NOT NULL, amount INTEGER NOT NULL,
        reason TEXT NOT NULL);";

impl Outbox {
    pub fn open(directory: &Path) -> Result<Self> {
        Ok(Self { db: database::open(directory, "outbox.db", TABLES)? })
    }
}

impl Buffer for Outbox {
    // ANCHOR: accept
    fn accept(&mut self, Payment { key, account, amount }: &Payment) -> Result<()> {
        // A statement outside a transaction is one by itself; the commit is inside.
        // What was there before may have been written and never synced: the process
        // that wrote it was killed. So a repetition changes the row, and is synced.
        self.db.execute(
            "INSERT INTO outbox (key, account, amount) VALUES (?1, ?2, ?3)
             ON CONFLICT (key) DO UPDATE SET asked = asked + 1",
            params![key, account, amount],
        )?;
        Ok(())
    }
    // ANCHOR_END: accept

    fn next(&mut self) -> Result<Option<Waiting>> {
        let first = "SELECT key, account, amount, failures FROM outbox
                     WHERE due <= ?1 ORDER BY id LIMIT 1";
        Ok(self.db.query_row(first, [now()], waiting).optional()?)
    }

    fn strike_out(&mut self, waiting: &Waiting) -> Result<()> {
        let step = self.db.transaction()?;
        step.execute("DELETE FROM outbox WHERE key = ?1", [&waiting.id])?;
        // It was laid aside, and asked for again: now it is in the ledger.
        step.execute("DELETE FROM dead_letters WHERE key = ?1", [&waiting.id])?;
        Ok(step.commit()?)
    }

    // ANCHOR: put_back
    fn put_back(&mut self, waiting: &Waiting) -> Result<()> {
        // Unless another relay has tried it meanwhile, and counted that.
        self.db.execute(
            "UPDATE outbox SET failures = failures + 1, due = ?3,
                 id = (SELECT max(id) + 1 FROM outbox)
             WHERE key = ?1 AND failures = ?2",
            params![
                waiting.id,
                waiting.failures,
                now() + pause(waiting.failures + 1)
            ],
        )?;
        Ok(())
    }
    // ANCHOR_END: put_back

    fn bury(&mut self, waiting: &Waiting, reason: &str) -> Result<()> {
        let Payment { key, account, amount } = &waiting.payment;
        let step = self.db.transaction()?;
        let found = step.execute(
            "DELETE FROM outbox WHERE key = ?1 AND failures = ?2",
            params![waiting.id, waiting.failures],
        )?;
        if found == 1 {
            step.execute(
                "INSERT OR REPLACE INTO dead_letters VALUES (?1, ?2, ?3, ?4)",
                params![key, account, amount, reason],
            )?;
        }
        Ok(step.commit()?)
    }

    fn is_empty(&mut self) -> Result<bool> {
        let none = "SELECT NOT EXISTS (SELECT * FROM outbox)";
        Ok(self.db.query_row(none, [], |row| row.get(0))?)
    }

    fn report(&mut self) -> Result<Vec<String>> {
        let all = "SELECT key || ' waits' FROM outbox
                   UNION ALL SELECT key || ' is a dead letter' FROM dead_letters";
        texts(&self.db, all)
    }
}

/// Milliseconds by the clock on the wall: another process has to understand them.
fn now() -> i64 {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

fn waiting(row: &Row<'_>) -> rusqlite::Result<Waiting> {
    let payment =
        Payment { key: row.get(0)?, account: row.get(1)?, amount: row.get(2)? };
    Ok(Waiting { id: payment.key.clone(), failures: row.get(3)?, payment })
}
