"""The shape of the article's program, and the one number that it depends on."""

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
def write_records(records, output, seconds):
    while True:
        try:
            record = records.get(timeout=1)
        except queue.Empty:
            continue
        # The article has no such line: its writer takes as good as no time.
        time.sleep(seconds)
        output.write(record)
        output.flush()


def main(path, seconds):
    try:
        output = open(path, "w")
    except OSError as error:
        sys.exit(f"cannot write {path}: {error.strerror} (os error {error.errno})")
    first = time.monotonic()
    say(f"the writer takes {seconds} s for a record")
    records = queue.Queue()
    threading.Thread(
        target=write_records,
        args=(records, output, seconds),
        name="writer",
        daemon=True,
    ).start()

    for page in range(1, 101):
        records.put(f"record {page:03}: text of page {page:03}\n")
        sleep_until(first + page * 0.01)
    # So that a busy machine does not decide whether the last record is in time.
    sleep_until(first + 1.5)
    say("all 100 records are handed over")
# ANCHOR_END: program


threading.current_thread().name = "main"
main("output.txt", float(sys.argv[1]) if len(sys.argv) > 1 else 0.0)
