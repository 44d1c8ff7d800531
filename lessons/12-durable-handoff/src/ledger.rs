//! Where payments take effect. It knows what it has applied.

use std::path::Path;

use rusqlite::{Connection, params};

use crate::Result;
use crate::database::{self, texts};

pub struct Payment {
    /// The idempotency key: the same each time that this payment is asked for.
    pub key: String,
    pub account: String,
    pub amount: i64,
}

pub struct Ledger {
    db: Connection,
}

pub enum Outcome {
    Applied,
    AppliedBefore,
    Refused(String),
}

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS postings (
        key TEXT PRIMARY KEY, account TEXT NOT NULL, amount INTEGER NOT NULL,
        asked INTEGER NOT NULL DEFAULT 1);
    CREATE TABLE IF NOT EXISTS accounts (
        name TEXT PRIMARY KEY, balance INTEGER NOT NULL);
    INSERT INTO accounts VALUES ('ada', 0), ('bob', 0) ON CONFLICT DO NOTHING;";

impl Ledger {
    pub fn open(directory: &Path) -> Result<Self> {
        Ok(Self { db: database::open(directory, "ledger.db", TABLES)? })
    }

    // ANCHOR: apply
    /// One transaction: the key and the effect are there together or not at all.
    pub fn apply(&mut self, payment: &Payment) -> Result<Outcome> {
        let Payment { key, account, amount } = payment;
        let step = self.db.transaction()?;
        // A known key is counted, so that a repetition writes and syncs, too.
        let asked: i64 = step.query_row(
            "INSERT INTO postings (key, account, amount) VALUES (?1, ?2, ?3)
             ON CONFLICT (key) DO UPDATE SET asked = asked + 1 RETURNING asked",
            params![key, account, amount],
            |row| row.get(0),
        )?;
        if asked > 1 {
            step.commit()?;
            return Ok(Outcome::AppliedBefore);
        }
        let found = step.execute(
            "UPDATE accounts SET balance = balance + ?2 WHERE name = ?1",
            params![account, amount],
        )?;
        if found == 0 {
            // `step` is dropped without a commit: the posting is taken back.
            return Ok(Outcome::Refused(format!(
                "there is no account `{account}`"
            )));
        }
        step.commit()?;
        Ok(Outcome::Applied)
    }
    // ANCHOR_END: apply

    pub fn balances(&self) -> Result<Vec<String>> {
        texts(
            &self.db,
            "SELECT name || ' has ' || balance FROM accounts ORDER BY name",
        )
    }

    pub fn report(&self) -> Result<Vec<String>> {
        let postings = "SELECT key || ' is posted: ' || amount || ' to ' || account
                        FROM postings ORDER BY rowid";
        Ok([texts(&self.db, postings)?, self.balances()?].concat())
    }
}

impl Payment {
    /// The account of number 2 is misspelt.
    pub fn number(number: u32) -> Self {
        let account = match number {
            2 => "bbo",
            _ if number.is_multiple_of(2) => "ada",
            _ => "bob",
        };
        let (key, account) = (format!("payment-{number}"), account.to_owned());
        Self { key, account, amount: i64::from(number) * 10 }
    }
}
