"""End work that will not stop: it has to be a process."""

import subprocess
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


threading.current_thread().name = "main"
limit = 0.5
say("the conversion gets half a second")
# ANCHOR: cell
conversion = subprocess.Popen(["sleep", "60"])

time.sleep(limit)
conversion.kill()
# Without this it stays behind as a zombie.
status = conversion.wait()
say(f"killed: {status != 0}")
# ANCHOR_END: cell
