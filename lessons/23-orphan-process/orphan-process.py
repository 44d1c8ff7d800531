"""A service starts a sidecar, and its main program ends. Who waits?"""

import os
import signal
import subprocess
import sys
import threading
import time
import warnings

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
def serve():
    sidecar = start_sidecar()
    say("the sidecar is started; my own work takes 1.5 s")
    time.sleep(1.5)
    say("my own work is done")
    # `Popen` does not end it: with warnings on, it says so.
    del sidecar


def serve_and_wait():
    with start_sidecar():
        say("the sidecar is started; my own work takes 1.5 s")
        time.sleep(1.5)
        say("my own work is done")
    say("the sidecar has ended")
# ANCHOR_END: program


# ANCHOR: stop
def serve_and_stop():
    sidecar = start_sidecar(own_session=True)
    try:
        say("the sidecar is started; my own work takes 1.5 s")
        time.sleep(1.5)
        say("my own work is done")
    finally:
        # To the group: the sidecar may have children of its own.
        os.killpg(sidecar.pid, signal.SIGTERM)
        try:
            sidecar.wait(timeout=1)
        except subprocess.TimeoutExpired:
            os.killpg(sidecar.pid, signal.SIGKILL)
            sidecar.wait()
    say(f"the sidecar has ended: {sidecar.returncode}")
# ANCHOR_END: stop


def start_sidecar(own_session=False):
    try:
        os.remove("sidecar.log")
    except OSError:
        pass
    command = [sys.executable, "-I", "-S", __file__, "--sidecar"]
    with open_log() as log:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=own_session
        )


def open_log():
    try:
        return open("sidecar.log", "w")
    except OSError as error:
        sys.exit(f"cannot write sidecar.log: {error.strerror}")


def ship_logs():
    say("the sidecar ships logs")
    parent = os.getppid()
    is_orphan = False
    while time.monotonic() - start < 4:
        if os.getppid() != parent and not is_orphan:
            say("my parent is gone, and I go on")
            is_orphan = True
        time.sleep(0.02)
    say("the sidecar ends")


way = " ".join(sys.argv[1:])
if way == "--sidecar":
    threading.current_thread().name = "sidecar"
    ship_logs()
    sys.exit()
threading.current_thread().name = "main"
if way not in ["", "warn", "with", "stop"]:
    sys.exit("one of warn, with, stop; or nothing")
if way == "with":
    serve_and_wait()
elif way == "stop":
    serve_and_stop()
else:
    if way == "warn":
        warnings.simplefilter("always", ResourceWarning)
    serve()
