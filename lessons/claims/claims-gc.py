"""Which thread does the garbage collector run in?"""

import collections
import gc
import os
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
times = collections.Counter()


def note(phase, info):
    times[threading.current_thread().name] += 1


def make_garbage():
    for _ in range(30000):
        cycle = []
        cycle.append(cycle)


def main():
    kernel = len(os.listdir("/proc/self/task"))
    say(f"the kernel lists {kernel} thread")
    gc.callbacks.append(note)
    for name in ("maker-1", "maker-2"):
        maker = threading.Thread(target=make_garbage, name=name)
        maker.start()
        maker.join()
    gc.callbacks.remove(note)
    # Once or twice it may also run in the main thread, which makes objects as well.
    often = sorted(name for name in times if times[name] >= 5)
    say(f"the collector ran in {' and '.join(often)}")
# ANCHOR_END: program


threading.current_thread().name = "main"
main()
