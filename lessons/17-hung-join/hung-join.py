"""The same five ways to hang at the end, and what repairs each."""

import queue
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


def start_thread(name, work):
    thread = threading.Thread(target=work, name=name)
    thread.start()
    return thread


def join(thread):
    say(f"I wait for {thread.name}")
    thread.join()


def sender(repaired):
    entries = queue.Queue()

    def write_entries():
        for entry in iter(entries.get, None):
            say(entry)

    auditor = start_thread("auditor", write_entries)
    time.sleep(1)
    entries.put("a request was served")
    if repaired:
        entries.put(None)
        join(auditor)
    else:
        join(auditor)
        entries.put(None)


def full(repaired):
    shelves = queue.Queue(maxsize=2)

    def scan():
        try:
            for shelf in range(1, 5):
                time.sleep(0.3)
                say(f"shelf {shelf} is scanned")
                shelves.put(shelf)
        finally:
            # Also when the scan fails: somebody waits for the end.
            shelves.put(None)

    def count():
        say(f"{sum(1 for _ in iter(shelves.get, None))} shelves are counted")

    scanner = start_thread("scanner", scan)
    if repaired:
        count()
        join(scanner)
    else:
        join(scanner)
        count()


# ANCHOR: lock
def lock(repaired):
    total = [0]
    lock = threading.Lock()

    def count_the_money():
        time.sleep(1)
        say("the money is counted")
        with lock:
            total[0] += 7

    cashier = start_thread("cashier", count_the_money)
    with lock:
        total[0] += 5
        if not repaired:
            join(cashier)
    if repaired:
        join(cashier)
    say(f"the total is {total[0]}")
# ANCHOR_END: lock


# ANCHOR: each-other
def each_other(repaired):
    def close(peer):
        time.sleep(1)
        say("I close")
        if peer:
            join(threads[peer])

    peers = {"uplink": None if repaired else "downlink", "downlink": "uplink"}
    threads = {
        name: threading.Thread(target=close, args=(peer,), name=name)
        for name, peer in peers.items()
    }
    for thread in threads.values():
        thread.start()
    # `main` joins them as well: a Python thread can be joined by several.
    for thread in threads.values():
        thread.join()
# ANCHOR_END: each-other


def pool(repaired):
    jobs = queue.Queue()

    def print_labels():
        for label in iter(jobs.get, None):
            time.sleep(1)
            say(f"label {label} is printed")

    printer = start_thread("printer", print_labels)
    jobs.put(1)
    if repaired:
        jobs.put(None)
    join(printer)
    jobs.put(None)


ways = {
    "sender": sender,
    "full": full,
    "lock": lock,
    "each-other": each_other,
    "pool": pool,
}
threading.current_thread().name = "main"
arguments = sys.argv[1:]
repaired = arguments[1:] == ["--repaired"]
if not arguments or arguments[0] not in ways or len(arguments) > 1 + repaired:
    sys.exit("which way? sender, full, lock, each-other or pool; then --repaired")
say(f'the service stops; the trap is "{arguments[0]}"')
ways[arguments[0]](repaired)
say("nobody is left to wait for")
