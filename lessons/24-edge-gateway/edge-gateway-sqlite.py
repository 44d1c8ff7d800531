"""One bit of a row in a SQLite file turns over. Who notices?"""

import os
import sqlite3
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
def main():
    if os.path.exists("readings.db"):
        os.remove("readings.db")
    database = sqlite3.connect("readings.db")
    with database:
        database.execute("CREATE TABLE readings (number INTEGER PRIMARY KEY, value TEXT)")
        values = [(1, "20.1"), (2, "20.2"), (3, "20.3")]
        database.executemany("INSERT INTO readings VALUES (?, ?)", values)
    database.close()

    with open("readings.db", "r+b") as file:
        place = file.read().index(b"20.3") + 3
        file.seek(place)
        # A "3" with its last bit turned over is a "2".
        file.write(b"2")

    database = sqlite3.connect("readings.db")
    for number, value in database.execute("SELECT number, value FROM readings"):
        say(f"reading {number}: {value}")
    check, = database.execute("PRAGMA integrity_check").fetchone()
    say(f"integrity_check says {check}")
    database.close()
# ANCHOR_END: program


threading.current_thread().name = "main"
main()
