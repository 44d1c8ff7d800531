"""multiprocessing keeps account of its children: `daemon` means something to it."""

import multiprocessing
import signal
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
def ship_logs(is_deaf):
    if is_deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(4)
    say("the sidecar ends")


def serve(daemon, is_deaf):
    processes = multiprocessing.get_context("fork")
    processes.Process(target=ship_logs, args=(is_deaf,), daemon=daemon).start()
    say("the sidecar is started; my own work takes 1.5 s")
    time.sleep(1.5)
    say("my own work is done")
# ANCHOR_END: program


threading.current_thread().name = "main"
kinds = {"daemon": (True, False), "deaf": (True, True), "non-daemon": (False, False)}
kind = sys.argv[1] if len(sys.argv) > 1 else "daemon"
if kind not in kinds:
    sys.exit("one of " + ", ".join(kinds))
serve(*kinds[kind])
