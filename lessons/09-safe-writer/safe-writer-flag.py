"""The writer is told to stop by an event; it stops when the queue is empty as well."""

import queue
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
        sys.stdout = None  # Nobody reads the log: `print` does nothing from here on.


def sleep_until(moment):
    time.sleep(max(0, moment - time.monotonic()))


# ANCHOR: program
def crawl(records, first):
    for page in range(1, 101):
        sleep_until(first + page * 0.01)
        records.put(f"record {page:03}: text of page {page:03}\n")


def write_records(records, output, first, stop):
    count = 0
    with output:
        # First the event, then the queue: `or` looks at them in this order.
        while not stop.is_set() or not records.empty():
            try:
                record = records.get(timeout=0.05)
            except queue.Empty:
                continue
            count += 1
            sleep_until(first + count * 0.02)
            output.write(record)
            output.flush()
            if count % 20 == 0:
                say(f"{count} records are written")


def main(path):
    first = time.monotonic()
    say(f"100 pages are to be crawled for {path}")
    try:
        output = open(path, "w")
    except OSError as error:
        sys.exit(f"cannot write {path}: {error.strerror} (os error {error.errno})")
    records = queue.Queue()
    stop = threading.Event()
    writer = threading.Thread(
        target=write_records, args=(records, output, first, stop), name="writer"
    )
    writer.start()

    try:
        crawl(records, first)
        say("all 100 records are handed over")
    finally:
        stop.set()  # On every way out: the writer is waited for.
    writer.join()
    say(f"all records are in {path}")
# ANCHOR_END: program


threading.current_thread().name = "main"
main(sys.argv[1] if len(sys.argv) > 1 else "output.txt")
