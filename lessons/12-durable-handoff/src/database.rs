//! A file of SQLite, as the outbox and the ledger each have one.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};

use crate::Result;

/// How long to wait for another process that is writing.
const PATIENCE: Duration = Duration::from_secs(30);

pub fn open(directory: &Path, name: &str, tables: &str) -> Result<Connection> {
    let path = directory.join(name);
    let deadline = Instant::now() + PATIENCE;
    loop {
        match open_file(&path, tables) {
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
fn open_file(path: &Path, tables: &str) -> rusqlite::Result<Connection> {
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

pub fn texts(db: &Connection, query: &str) -> Result<Vec<String>> {
    let mut query = db.prepare(query)?;
    let texts = query
        .query_map([], |row| row.get(0))?
        .collect::<std::result::Result<_, _>>();
    Ok(texts?)
}
