"""The patient way: a join without a timeout; the thread decides when it ends."""

import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


PARTS = 5


# ANCHOR: program
def upload_report():
    first = time.monotonic()
    for part in range(1, PARTS + 1):
        sleep_until(first + part - 0.5)
        say(f"part {part} is sent")
    sleep_until(first + PARTS)
    say("the archive confirms the report")


def main(grace):
    upload = threading.Thread(target=upload_report, name="uploader", daemon=True)
    upload.start()
    say(f"the report is ready; uploader gets {grace} s")

    waiting = time.monotonic()
    # The change: nobody looks at the grace period.
    upload.join()
    held = time.monotonic() - waiting
    say(f"waiting for uploader added {held:.1f} s to the bill")
    return 0
# ANCHOR_END: program


def sleep_until(moment):
    time.sleep(max(0, moment - time.monotonic()))


threading.current_thread().name = "main"
argument = sys.argv[1] if len(sys.argv) > 1 else "1"
if not argument.isdigit():
    sys.exit(f"not a number of seconds: {argument}")
sys.exit(main(int(argument)))
