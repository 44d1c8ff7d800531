//! The orders on the disk.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Result};

pub struct Store(Mutex<Connection>);

// ANCHOR: store
impl Store {
    /// Puts in order what the process before this one has left.
    pub fn open(directory: &Path) -> Result<Self> {
        let orders = Connection::open(directory.join("orders.db"))?;
        // For this process alone: a second one beside it is refused.
        orders.pragma_update(None, "locking_mode", "exclusive")?;
        orders.pragma_update(None, "journal_mode", "wal")?;
        // Each commit is synced before it returns; in `normal`, with a log, it is not.
        orders.pragma_update(None, "synchronous", "full")?;
        orders.execute_batch(
            "create table if not exists orders (
                 number integer primary key autoincrement,
                 key text not null unique,
                 text text not null
             )",
        )?;
        Ok(Self(Mutex::new(orders)))
    }

    pub fn number(&self, key: &str) -> Result<Option<i64>> {
        let orders = self.orders();
        let mut look =
            orders.prepare_cached("select number from orders where key = ?1")?;
        look.query_row([key], |row| row.get(0)).optional()
    }

    /// Durable when it returns.
    pub fn add(&self, key: &str, text: &str) -> Result<i64> {
        let orders = self.orders();
        let mut add = orders
            .prepare_cached("insert into orders (key, text) values (?1, ?2)")?;
        add.insert([key, text])
    }

    /// A line `number key` for each.
    pub fn list(&self) -> Result<String> {
        let orders = self.orders();
        let mut look = orders.prepare_cached("select number, key from orders")?;
        let lines = look.query_map([], |row| {
            let (number, key): (i64, String) = (row.get(0)?, row.get(1)?);
            Ok(format!("{number} {key}\n"))
        })?;
        lines.collect()
    }

    fn orders(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
// ANCHOR_END: store
