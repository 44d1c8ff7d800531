"""The writer is a job of an executor: its `Future` gives its exception to whoever asks."""

import queue
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    try:
        print(line, end="", flush=True)
    except OSError:
        sys.stdout = None  # Nobody reads the log: `print` does nothing from here on.


def sleep_until(moment):
    time.sleep(max(0, moment - time.monotonic()))


def write_records(records, path, first):
    count = 0
    with open(path, "w") as output:
        for record in iter(records.get, None):
            count += 1
            sleep_until(first + count * 0.02)
            output.write(record)
            output.flush()


# ANCHOR: program
def crawl(records, first, writer):
    for page in range(1, 101):
        sleep_until(first + page * 0.01)
        if writer.done():
            return  # It has gone; its result says why.
        records.put(f"record {page:03}: text of page {page:03}\n")
    say("all 100 records are handed over")


def main(path):
    first = time.monotonic()
    say(f"100 pages are to be crawled for {path}")
    records = queue.Queue()
    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(write_records, records, path, first)
        try:
            crawl(records, first, writer)
        finally:
            records.put(None)  # On every way out.
    try:
        writer.result()
    except OSError as error:
        sys.exit(f"cannot write {path}: {error.strerror} (os error {error.errno})")
    say(f"all records are in {path}")
# ANCHOR_END: program


threading.current_thread().name = "main"
main(sys.argv[1] if len(sys.argv) > 1 else "output.txt")
