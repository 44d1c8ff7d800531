"""The same log: records with length and checksum, and a torn tail that is cut."""

import os
import struct
import sys
import threading
import time
import zlib

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
# ANCHOR: format
MAGIC = b"edge-gateway log\n"
# The length, the same with every bit turned over, and the checksum.
HEAD = struct.Struct("<HHI")


def to_bytes(number, value):
    text = f"shed {number} {value}".encode()
    return HEAD.pack(len(text), len(text) ^ 0xFFFF, zlib.crc32(text)) + text


def append(log, readings):
    for number, value in readings:
        log.write(to_bytes(number, value))
    # To the system, and from there to the disk.
    log.flush()
    os.fsync(log.fileno())
# ANCHOR_END: format


def read(path):
    """Gives the readings, and cuts off what a dying process has begun."""
    with open(path, "r+b") as log:
        data = log.read()
        if not data.startswith(MAGIC):
            sys.exit(f"cannot use {path}: this is no log of a gateway")
        readings, end = [], len(MAGIC)
        while end + HEAD.size <= len(data):
            length, turned, checksum = HEAD.unpack_from(data, end)
            text = data[end + HEAD.size : end + HEAD.size + length]
            if length ^ 0xFFFF == turned and len(text) < length:
                break
            if length ^ 0xFFFF != turned or zlib.crc32(text) != checksum:
                sys.exit(f"cannot use {path}: it is damaged at byte {end}")
            _, number, value = text.decode().split(" ")
            readings.append((int(number), value))
            end += HEAD.size + length
        if end < len(data):
            log.truncate(end)
            os.fsync(log.fileno())
            say(f"a torn record of {len(data) - end} bytes is cut off")
    return readings
# ANCHOR_END: program


def main(what):
    if what == "torn":
        readings = [(number, f"20.{number}") for number in range(1, 6)]
        with open("gateway.log", "wb") as log:
            log.write(MAGIC)
            append(log, readings)
            for number, value in readings:
                say(f"reading {number} is acknowledged: {value}")
            # Dies in the middle of the sixth record.
            log.write(to_bytes(6, "20.6")[:11])
            log.flush()
            os.abort()
    readings = read("gateway.log")
    last = readings[-1][0] if readings else 0
    with open("gateway.log", "ab") as log:
        append(log, [(last + 1, "20.7")])
    for number, value in read("gateway.log"):
        say(f"reading {number}: {value}")


threading.current_thread().name = "main"
main(sys.argv[1] if len(sys.argv) > 1 else "torn")
