"""Listens at PORT, and is no service: what it answers, its argument says."""

import os
import socket
import sys

ANSWERS = {
    "garbage": bytes(range(256)) * 10,
    "a-gigabyte": b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n",
    "a-head-without-end": b"HTTP/1.1 200 OK\r\n",
    "not-found": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "always-ok": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n",
    "nothing": b"",
}
MORE = {"a-gigabyte": b"x" * 1000000, "a-head-without-end": b"X-More: " + b"x" * 1000 + b"\r\n"}

how = sys.argv[1]
listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
while True:
    client, _ = listener.accept()
    try:
        client.recv(4096)
        client.sendall(ANSWERS[how])
        while how in MORE:
            client.sendall(MORE[how])
    except OSError:
        pass
    client.close()
