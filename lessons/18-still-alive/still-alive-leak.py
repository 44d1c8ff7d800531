"""A thread for each connection, and no end for any of them: the count tells."""

import os
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
def accept(number, hangs_up):
    requests = queue.Queue()
    requests.put("the price")
    threading.Thread(
        target=answer,
        args=(requests, hangs_up),
        name=f"connection-{number}",
        daemon=True,
    ).start()
    return requests


def answer(requests, hangs_up):
    while True:
        try:
            request = requests.get(timeout=0.9 if hangs_up else None)
        except queue.Empty:
            return
        say(f"asked for {request}")


def main(hangs_up):
    say("six clients connect")
    first = time.monotonic()
    clients = []
    for number in range(1, 7):
        sleep_until(first + number * 0.6)
        clients.append(accept(number, hangs_up))
        kernel = len(os.listdir("/proc/self/task"))
        # `main` is one of those that Python counts.
        say(f"threads: {kernel}, registered: {threading.active_count() - 1}")
    sleep_until(first + 4)
# ANCHOR_END: program


threading.current_thread().name = "main"
if sys.argv[1:] not in ([], ["--hang-up"]):
    sys.exit("the only option is --hang-up")
main(sys.argv[1:] == ["--hang-up"])
