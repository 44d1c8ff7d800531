"""A thread that is blocked in accept, and four ways to tell it to stop."""

import socket
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


told = threading.Event()


# ANCHOR: program
def accept_customers(listener):
    served = 0
    while True:
        try:
            stream, _ = listener.accept()
        except OSError as error:
            if told.is_set():
                return
            # With "poll" it is a timeout: nobody is there.
            if not isinstance(error, socket.timeout):
                say(f"nobody is let in: {error}")
                time.sleep(0.1)
            continue
        if told.is_set():
            return
        served += 1
        say(f"customer {served} is served")
        stream.close()
# ANCHOR_END: program


def main(way):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    address = listener.getsockname()
    if way == "poll":
        listener.settimeout(0.1)
    door = threading.Thread(target=accept_customers, args=(listener,), name="door")
    door.start()
    say("the shop is open for 1 s")

    time.sleep(0.5)
    socket.create_connection(address).close()
    time.sleep(0.5)
    say("told to stop")
    told.set()
    if way == "connect":
        socket.create_connection(address).close()
    elif way == "shutdown":
        listener.shutdown(socket.SHUT_RDWR)
    elif way == "flag":
        listener.close()
    door.join()
    say("the shop is closed")


threading.current_thread().name = "main"
way = (sys.argv[1:] + [""])[0]
if way not in ("flag", "connect", "poll", "shutdown"):
    sys.exit("say how it is told to stop: flag, connect, poll or shutdown")
main(way)
