"""A program that only waits for its worker looks at itself: what does the kernel call it?"""

import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
def look():
    time.sleep(1)
    with open("/proc/self/status") as status:
        lines = dict(line.rstrip("\n").split(":\t", 1) for line in status)
    say(f"the process is {lines['State']} and has {lines['Threads']} threads")


def main():
    threading.Thread(target=look, name="worker").start()
    say("my own work is done")
# ANCHOR_END: program


threading.current_thread().name = "main"
main()
