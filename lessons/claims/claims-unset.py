"""A writer that stops when it is told to, and a main thread that fails before it tells."""

import queue
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
def write_records(records, stop):
    while not stop.is_set() or not records.empty():
        try:
            record = records.get(timeout=0.1)
        except queue.Empty:
            continue
        say(f"{record} is written")


def main():
    records, stop = queue.Queue(), threading.Event()
    writer = threading.Thread(target=write_records, args=(records, stop), name="writer")
    writer.start()
    for page in range(1, 4):
        if page == 3:
            raise ValueError(f"page {page} cannot be read")
        records.put(f"page {page}")
    stop.set()
    writer.join()
# ANCHOR_END: program


threading.current_thread().name = "main"
main()
