"""The same handoff: an outbox in SQLite, and a relay that is a daemon thread."""

import sqlite3
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


OUTBOX = """
    CREATE TABLE IF NOT EXISTS outbox (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE,
        account TEXT NOT NULL, amount INTEGER NOT NULL,
        failures INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE IF NOT EXISTS dead_letters (
        key TEXT PRIMARY KEY, account TEXT NOT NULL, amount INTEGER NOT NULL,
        reason TEXT NOT NULL);"""

LEDGER = """
    CREATE TABLE IF NOT EXISTS postings (
        key TEXT PRIMARY KEY, account TEXT NOT NULL, amount INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS accounts (
        name TEXT PRIMARY KEY, balance INTEGER NOT NULL);
    INSERT OR IGNORE INTO accounts VALUES ('ada', 0), ('bob', 0);"""


def database(name, tables):
    try:
        # Without an isolation level, the module begins no transactions of its own.
        db = sqlite3.connect(name, isolation_level=None)
        db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
        db.executescript(tables)
        return db
    except sqlite3.Error as error:
        sys.exit(f"cannot open {name}: {error}")


# ANCHOR: program
def accept(outbox, payments):
    for key, account, amount in payments:
        outbox.execute(
            "INSERT OR IGNORE INTO outbox (key, account, amount) VALUES (?, ?, ?)",
            (key, account, amount),
        )
        say(f"{key} is acknowledged")


def apply(ledger, key, account, amount):
    # `with` commits at its end, or takes back what an exception has interrupted.
    with ledger:
        ledger.execute("BEGIN IMMEDIATE")
        new = ledger.execute(
            "INSERT OR IGNORE INTO postings VALUES (?, ?, ?)",
            (key, account, amount),
        )
        if new.rowcount == 0:
            return f"{key} was applied before"
        found = ledger.execute(
            "UPDATE accounts SET balance = balance + ? WHERE name = ?",
            (amount, account),
        )
        if found.rowcount == 0:
            raise LookupError(f"there is no account `{account}`")
    return f"{key} is applied: {amount} to {account}"


def deliver_next(outbox, ledger):
    waiting = outbox.execute(
        "SELECT key, account, amount, failures FROM outbox"
        " ORDER BY failures, id LIMIT 1"
    ).fetchone()
    if waiting is None:
        return False
    key, account, amount, failures = waiting
    # A failed one waits half a second for each failure, from the start.
    time.sleep(max(0, start + failures * 0.5 - time.monotonic()))
    try:
        say(apply(ledger, key, account, amount))
    except LookupError as reason:
        say(f"{key} has failed, {failures + 1} of 3: {reason}")
        if failures + 1 < 3:
            failed = "UPDATE outbox SET failures = failures + 1 WHERE key = ?"
            outbox.execute(failed, (key,))
            return True
        with outbox:
            outbox.execute("BEGIN IMMEDIATE")
            outbox.execute(
                "INSERT OR REPLACE INTO dead_letters VALUES (?, ?, ?, ?)",
                (key, account, amount, str(reason)),
            )
            outbox.execute("DELETE FROM outbox WHERE key = ?", (key,))
        return True
    # Last: a relay that is killed before this line does the same once more.
    outbox.execute("DELETE FROM outbox WHERE key = ?", (key,))
    return True
# ANCHOR_END: program


def deliver_each_second():
    outbox, ledger = database("outbox.db", OUTBOX), database("ledger.db", LEDGER)
    tick = 1
    while True:
        time.sleep(max(0, start + tick - time.monotonic()))
        deliver_next(outbox, ledger)
        tick += 1


def main(role):
    outbox, ledger = database("outbox.db", OUTBOX), database("ledger.db", LEDGER)
    if role == "relay":
        while deliver_next(outbox, ledger):
            pass
        for (key,) in outbox.execute("SELECT key FROM dead_letters").fetchall():
            say(f"{key} is a dead letter")
        rows = ledger.execute("SELECT name, balance FROM accounts ORDER BY name")
        balances = ", ".join(f"{name} has {balance}" for name, balance in rows)
        say(f"all is delivered: {balances}")
        return
    say("my own work takes 3.5 s")
    # A connection belongs to the thread that opened it, so the relay opens its own.
    threading.Thread(target=deliver_each_second, name="relay", daemon=True).start()
    accounts = ["bob", "bbo", "bob", "ada", "bob"]
    accept(outbox, [(f"payment-{n}", a, n * 10) for n, a in enumerate(accounts, 1)])
    time.sleep(max(0, start + 3.5 - time.monotonic()))
    say("my own work is done")


threading.current_thread().name = "main"
main(sys.argv[1] if len(sys.argv) > 1 else "both")
