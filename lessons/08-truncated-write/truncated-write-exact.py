"""The writer asks before each record and acknowledges it: what is lost is exact."""

import queue
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


def write_records(records, permits, output, acks):
    while True:
        record = records.get()
        permits.get()
        try:
            output.write(record)
            output.flush()
        except OSError as error:
            # Without an answer `main` would wait for ever.
            acks.put(error)
            return
        acks.put(None)


def main(path):
    try:
        output = open(path, "w")
    except OSError as error:
        sys.exit(f"cannot write {path}: {error.strerror} (os error {error.errno})")
    records, permits, acks = queue.Queue(), queue.Queue(), queue.Queue()
    threading.Thread(
        target=write_records,
        args=(records, permits, output, acks),
        name="writer",
        daemon=True,
    ).start()

    for page in range(1, 101):
        records.put(f"record {page:03}: text of page {page:03}\n")
    say("100 records are handed over")
    for _ in range(50):
        permits.put(None)
        error = acks.get()
        if error:
            os_error = f"{error.strerror} (os error {error.errno})"
            sys.exit(f"cannot write {path}: {os_error}")
    say("50 records are acknowledged")


threading.current_thread().name = "main"
main(sys.argv[1] if len(sys.argv) > 1 else "output.txt")
