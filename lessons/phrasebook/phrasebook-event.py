"""Tell a thread to stop, in the middle of its pause."""

import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: wait
def beat(told):
    while not told.wait(timeout=1.5):
        say("beat")
    say("signed off")
    # ANCHOR_END: wait


threading.current_thread().name = "main"
say("the service runs for 2 s")
stop = threading.Event()
heartbeat = threading.Thread(target=beat, args=(stop,), name="heartbeat")
heartbeat.start()

time.sleep(2)
# ANCHOR: stop
stop.set()
heartbeat.join()
# ANCHOR_END: stop
say("the service has stopped")
