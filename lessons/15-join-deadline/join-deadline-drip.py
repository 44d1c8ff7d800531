"""A peer sends a byte each 0.4 s. The limit is 1 s: for each call of `recv`, or for all of them."""

import socket
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


LIMIT = 1


# ANCHOR: read
def per_call(answer):
    answer.settimeout(LIMIT)
    size = 0
    while True:
        piece = answer.recv(4096)
        if not piece:
            return size
        size += len(piece)


def total(answer):
    deadline = time.monotonic() + LIMIT
    size = 0
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout("timed out")
        answer.settimeout(left)
        piece = answer.recv(4096)
        if not piece:
            return size
        size += len(piece)
# ANCHOR_END: read


def drip(peer):
    first = time.monotonic()
    with peer:
        for byte in range(1, 13):
            time.sleep(max(0, first + byte * 0.4 - time.monotonic()))
            try:
                peer.sendall(b".")
            except OSError:
                return  # Nobody reads any more.


def main(read):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        answer = socket.create_connection(listener.getsockname())
        peer, _ = listener.accept()
    threading.Thread(target=drip, args=[peer], name="peer", daemon=True).start()
    say("the whole answer is wanted within 1 s")
    begin = time.monotonic()
    try:
        result = f"{read(answer)} bytes after"
        say(f"{result} {time.monotonic() - begin:.1f} s")
    except socket.timeout as error:
        say(f"given up after {time.monotonic() - begin:.1f} s: {error}")


threading.current_thread().name = "main"
way = {"per-call": per_call, "total": total}.get(sys.argv[1] if sys.argv[1:] else "")
if way is None:
    sys.exit("say per-call or total")
main(way)
