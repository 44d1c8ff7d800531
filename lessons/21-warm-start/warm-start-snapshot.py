"""A daemon thread saves a snapshot of an index again and again."""

import fcntl
import itertools
import os
import queue
import struct
import sys
import tempfile
import threading
import time
import zlib

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


MAGIC, FORMAT = b"vectors\n", 1
PATH, UNFINISHED = "index.snapshot", ".index.snapshot.new-"


# ANCHOR: program
def replace(file):
    # In the same directory: a rename does not lead to another file system.
    handle, new = tempfile.mkstemp(prefix=UNFINISHED, dir=".")
    try:
        with open(handle, "wb") as output:
            write(output, file)
            output.flush()
            os.fchmod(output.fileno(), 0o644)
            os.fsync(output.fileno())
        os.replace(new, PATH)
    except BaseException:
        os.unlink(new)
        raise
    os.fsync(directory)


def overwrite(file):
    with open(PATH, "wb") as output:
        write(output, file)
        output.flush()
        os.fsync(output.fileno())
# ANCHOR_END: program


def write(output, file):
    block = -(-len(file) // 4)
    for first in range(0, len(file), block):
        time.sleep(0.2)
        output.write(file[first:first + block])
        output.flush()


failed = queue.Queue()


def sync(save, loaded):
    try:
        save_all(save, loaded or 0)
    except OSError as error:
        failed.put(error)


def save_all(save, generation):
    first = time.monotonic()
    for step in itertools.count(1):
        generation += 1
        body = struct.pack("<I", generation) * (1 << 18)
        fields = struct.pack("<III", FORMAT, len(body), zlib.crc32(body))
        save(MAGIC + fields + body)
        say(f"generation {generation} is saved")
        time.sleep(max(0, first + step - time.monotonic()))


def load():
    try:
        with open(PATH, "rb") as snapshot:
            file = snapshot.read()
    except FileNotFoundError:
        return None
    what = damage(file)
    if what is None:
        return struct.unpack_from("<I", file, 20)[0]
    number = 1
    while os.path.exists(f"{PATH}.damaged-{number}"):
        number += 1
    aside = f"{PATH}.damaged-{number}"
    os.rename(PATH, aside)
    sys.stderr.write(f"{PATH} is damaged: {what}; it is kept as {aside}\n")
    return None


def damage(file):
    if not MAGIC.startswith(file[:8]):
        sys.exit(f"cannot use {PATH}: it is no snapshot of an index")
    if len(file) < 20:
        return f"it ends after {len(file)} bytes, in its header"
    form, length, checksum = struct.unpack_from("<III", file, 8)
    if form != FORMAT:
        sys.exit(f"cannot use {PATH}: it has format {form}, not {FORMAT}")
    if len(file) - 20 != length:
        return f"after its header are {len(file) - 20} bytes, not {length}"
    if zlib.crc32(file[20:]) != checksum:
        return "its checksum does not match"
    return None


def main(way="replace"):
    # Held until the process ends: what is unfinished was left by one that is gone.
    fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    for name in os.listdir("."):
        if name.startswith(UNFINISHED):
            os.unlink(name)
            say("an unfinished file is removed")
    loaded = load()
    if loaded is None:
        say("there is no snapshot: the index has to be built anew")
    else:
        say(f"generation {loaded} is loaded")
    if way != "check":
        save = {"replace": replace, "in-place": overwrite}[way]
        threading.Thread(
            target=sync, args=(save, loaded), name="sync", daemon=True
        ).start()
        try:
            sys.exit(f"cannot use {PATH}: {failed.get(timeout=2.5)}")
        except queue.Empty:
            say("my own work is done")


directory = os.open(".", os.O_RDONLY)
threading.current_thread().name = "main"
main(*sys.argv[1:])
