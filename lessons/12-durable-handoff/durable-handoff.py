"""The same handoff: an outbox in SQLite, and a relay that is a daemon thread."""

import contextlib
import os
import sqlite3
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    # No payment depends on who reads the log.
    with contextlib.suppress(OSError):
        os.write(1, line.encode())


OUTBOX = """
    CREATE TABLE IF NOT EXISTS outbox (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE,
        account TEXT NOT NULL, amount INTEGER NOT NULL,
        asked INTEGER NOT NULL DEFAULT 1,
        failures INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE IF NOT EXISTS dead_letters (
        key TEXT PRIMARY KEY, account TEXT NOT NULL, amount INTEGER NOT NULL,
        reason TEXT NOT NULL);"""

LEDGER = """
    CREATE TABLE IF NOT EXISTS postings (
        key TEXT PRIMARY KEY, account TEXT NOT NULL, amount INTEGER NOT NULL,
        asked INTEGER NOT NULL DEFAULT 1);
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


# ANCHOR: accept
def accept(outbox, key, account, amount):
    # `with` commits at its end, or takes back what an exception has interrupted.
    with outbox:
        outbox.execute("BEGIN IMMEDIATE")
        # It may be there and not be synced: a repetition writes, too.
        again = "UPDATE outbox SET asked = asked + 1 WHERE key = ?"
        if outbox.execute(again, (key,)).rowcount == 0:
            # Not `INSERT OR IGNORE`: that ignores a NULL, too, and keeps nothing.
            outbox.execute(
                "INSERT INTO outbox (key, account, amount) VALUES (?, ?, ?)",
                (key, account, amount),
            )
    say(f"{key} is acknowledged")
# ANCHOR_END: accept


def apply(ledger, key, account, amount):
    with ledger:
        ledger.execute("BEGIN IMMEDIATE")
        again = "UPDATE postings SET asked = asked + 1 WHERE key = ?"
        if ledger.execute(again, (key,)).rowcount > 0:
            return f"{key} was applied before"
        ledger.execute(
            "INSERT INTO postings (key, account, amount) VALUES (?, ?, ?)",
            (key, account, amount),
        )
        found = ledger.execute(
            "UPDATE accounts SET balance = balance + ? WHERE name = ?",
            (amount, account),
        )
        if found.rowcount == 0:
            raise LookupError(f"there is no account `{account}`")
    return f"{key} is applied: {amount} to {account}"


def now():
    return int(time.time() * 1000)


def deliver_next(outbox, ledger):
    first = outbox.execute(
        "SELECT key, account, amount, failures FROM outbox"
        " WHERE due <= ? ORDER BY id LIMIT 1",
        (now(),),
    ).fetchone()
    if first is None:
        return False
    key, account, amount, failures = first
    try:
        say(apply(ledger, key, account, amount))
    except LookupError as reason:
        say(f"{key} has failed, {failures + 1} of 3: {reason}")
        if failures + 1 < 3:
            outbox.execute(
                # Unless another relay has tried it meanwhile, and counted that.
                "UPDATE outbox SET failures = failures + 1, due = ?,"
                " id = (SELECT max(id) + 1 FROM outbox)"
                " WHERE key = ? AND failures = ?",
                (now() + (failures + 1) * 1000, key, failures),
            )
            return True
        with outbox:
            outbox.execute("BEGIN IMMEDIATE")
            found = outbox.execute(
                "DELETE FROM outbox WHERE key = ? AND failures = ?", (key, failures)
            )
            if found.rowcount == 1:
                outbox.execute(
                    "INSERT OR REPLACE INTO dead_letters VALUES (?, ?, ?, ?)",
                    (key, account, amount, str(reason)),
                )
        return True
    # Last: a relay that is killed before this line does the same once more.
    with outbox:
        outbox.execute("BEGIN IMMEDIATE")
        outbox.execute("DELETE FROM outbox WHERE key = ?", (key,))
        # It was laid aside, and asked for again: now it is in the ledger.
        outbox.execute("DELETE FROM dead_letters WHERE key = ?", (key,))
    return True


def deliver_all():
    outbox, ledger = database("outbox.db", OUTBOX), database("ledger.db", LEDGER)
    while True:
        if deliver_next(outbox, ledger):
            continue
        if outbox.execute("SELECT count(*) FROM outbox").fetchone() == (0,):
            break
        time.sleep(0.02)
    for (key,) in outbox.execute("SELECT key FROM dead_letters").fetchall():
        say(f"{key} is a dead letter")
    rows = ledger.execute("SELECT name, balance FROM accounts ORDER BY name")
    balances = ", ".join(f"{name} has {balance}" for name, balance in rows)
    say(f"all is delivered: {balances}")


# Why the relay has ended.
ended = []
relay_has_ended = threading.Event()


def deliver_each_second():
    try:
        outbox, ledger = database("outbox.db", OUTBOX), database("ledger.db", LEDGER)
        tick = 1
        while True:
            time.sleep(max(0, start + tick - time.monotonic()))
            deliver_next(outbox, ledger)
            tick += 1
    except BaseException as error:
        ended.append(error)
        relay_has_ended.set()


def watch_until(moment):
    if relay_has_ended.wait(max(0, start + moment - time.monotonic())):
        sys.exit(f"the relay has ended: {ended[0]}")


def produce_and_relay():
    outbox = database("outbox.db", OUTBOX)
    say("my own work takes 4.5 s")
    # A connection belongs to the thread that opened it, so the relay opens its own.
    threading.Thread(target=deliver_each_second, name="relay", daemon=True).start()
    for n, account in enumerate(["bob", "bbo", "bob", "ada", "bob"], 1):
        watch_until((n - 1) * 0.4)
        accept(outbox, f"payment-{n}", account, n * 10)
    watch_until(4.5)
    say("my own work is done")


threading.current_thread().name = "main"
try:
    deliver_all() if sys.argv[1:] == ["relay"] else produce_and_relay()
except sqlite3.Error as error:
    sys.exit(f"the payment is not acknowledged: {error}")
