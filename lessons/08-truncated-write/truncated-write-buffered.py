"""The same daemon thread without a flush: all it wrote is lost."""

import queue
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


def sleep_until(moment):
    time.sleep(max(0, moment - time.monotonic()))


# ANCHOR: program
def crawl(records, first):
    for page in range(1, 101):
        sleep_until(first + page * 0.01)
        records.put(f"record {page:03}: text of page {page:03}\n")


def write_records(records, output, first):
    count = 0
    while True:
        record = records.get()
        count += 1
        sleep_until(first + count * 0.02)
        # The change: no flush. The file object hands on blocks of 8 KiB.
        output.write(record)
        if count % 20 == 0:
            say(f"{count} records are written")


def main(path):
    try:
        output = open(path, "w")
    except OSError as error:
        sys.exit(f"cannot write {path}: {error.strerror} (os error {error.errno})")
    first = time.monotonic()
    say(f"100 pages are to be crawled for {path}")
    records = queue.Queue()
    threading.Thread(
        target=write_records,
        args=(records, output, first),
        name="writer",
        daemon=True,
    ).start()

    crawl(records, first)
    # Half a step of the writer: no record falls on the end.
    sleep_until(first + 1.01)
    say("all 100 records are handed over")
# ANCHOR_END: program


threading.current_thread().name = "main"
main(sys.argv[1] if len(sys.argv) > 1 else "output.txt")
