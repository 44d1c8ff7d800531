"""A service with three roles: the kind of each thread says whether it is waited for."""

import os
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    try:
        print(line, end="", flush=True)
    except OSError:
        # Nobody reads it. The work goes on, and what is left to print goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def sleep_until(moment):
    time.sleep(max(0, moment - time.monotonic()))


def cannot_write(path, error):
    sys.exit(f"cannot write {path}: {error.strerror} (os error {error.errno})")


def create(path):
    try:
        # Unbuffered: what could not be written is not tried once more when the file is dropped, of
        # which Python 3.13 says that it failed.
        return open(path, "wb", buffering=0)
    except OSError as error:
        cannot_write(path, error)


def answer_requests(log):
    for request in range(1, 5):
        sleep_until(start + request * 0.5 - 0.25)
        log.write(f"request {request}\n".encode())
        say(f"request {request} is answered")
    sleep_until(start + 2)
    say("the API is closed")


def migrate_tables(log):
    for number, table in enumerate(["customers", "orders"], 1):
        sleep_until(start + number * 1.5)
        log.write(f"{table} moved\n".encode())
        say(f"table {table} is moved")


def take_samples():
    sample = 1
    while True:
        sleep_until(start + sample - 0.5)
        say(f"sample {sample}")
        sample += 1


# ANCHOR: program
def serve(migration_path, access_path):
    try:
        threading.Thread(target=take_samples, name="probe", daemon=True).start()
    except RuntimeError as error:
        say(error)
    migration_log, access_log = create(migration_path), create(access_path)
    say("the API is open for 2 s")
    threading.Thread(
        target=migrate_tables, args=(migration_log,), name="migration", daemon=False
    ).start()

    try:
        answer_requests(access_log)
    except OSError as error:
        cannot_write(access_path, error)
    # However this function ends, the interpreter joins the migration, not the probe.
# ANCHOR_END: program


threading.current_thread().name = "main"
paths = sys.argv[1:]
serve(*paths, *["migration.log", "access.log"][len(paths):])
