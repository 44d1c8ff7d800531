"""A thread commits three rows and is killed in the transaction of the fourth."""

import sqlite3
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
def insert_rows():
    rows = sqlite3.connect("rows.db", isolation_level=None)
    rows.execute("DROP TABLE IF EXISTS rows")
    rows.execute("CREATE TABLE rows (number INTEGER)")
    for number in (1, 2, 3):
        rows.execute("INSERT INTO rows VALUES (?)", (number,))
    rows.execute("BEGIN")
    rows.execute("INSERT INTO rows VALUES (4)")
    say("row 4 is inserted and not committed")
    time.sleep(60)


def main(way):
    if way == "count":
        rows = sqlite3.connect("rows.db")
        (count,) = rows.execute("SELECT count(*) FROM rows").fetchone()
        say(f"the table has {count} rows")
    elif way in ("daemon", "non-daemon"):
        threading.Thread(
            target=insert_rows, name="writer", daemon=way == "daemon"
        ).start()
        time.sleep(60)
    else:
        sys.exit(f"who writes? `daemon` or `non-daemon`; or `count`, not `{way}`")
# ANCHOR_END: program


threading.current_thread().name = "main"
main(sys.argv[1] if len(sys.argv) > 1 else "daemon")
