"""Two ways to wait on a condition; main wakes the thread in its wait or just before it."""

import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


wake = threading.Condition()
told = False
# Here the thread waits with "early", so that the stop comes before its wait.
window = threading.Barrier(2)


# ANCHOR: program
def wait_until(moment, way, early):
    if early:
        window.wait()
    left = moment - time.monotonic()
    with wake:
        if way == "while":
            return wake.wait_for(lambda: told, timeout=left)
        wake.wait(timeout=left)
        return told
# ANCHOR_END: program


def send_heartbeats(way, early):
    first = time.monotonic()
    beat = 1
    while True:
        say(f"beat {beat}")
        if wait_until(first + beat * 5, way, early):
            break
        beat += 1
    say("signed off")


def main(way, early):
    global told
    say("after 1 s the heartbeat is told to stop")
    heartbeat = threading.Thread(
        target=send_heartbeats, args=(way, early), name="heartbeat"
    )
    heartbeat.start()

    time.sleep(1)
    say("told to stop")
    with wake:
        told = True
        wake.notify_all()
    if early:
        window.wait()
    heartbeat.join()


threading.current_thread().name = "main"
way, when = (sys.argv[1:] + ["", ""])[:2]
if way not in ("notify", "while") or when not in ("early", "late"):
    sys.exit("say: notify or while; then early or late")
main(way, when == "early")
