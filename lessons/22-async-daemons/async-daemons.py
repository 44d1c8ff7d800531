"""The same upload in asyncio: what waits is cancelled, what runs is waited for."""

import asyncio
import os
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
async def serve(way, end):
    say("the service runs for 1.5 s")
    # A task that nothing refers to may be collected before its end.
    background = start_upload(way)
    await asyncio.sleep(1.5)
    say("the service is done")
    if end == "exit":
        os._exit(0)
    del background


def start_upload(way):
    if way == "thread":
        return threading.Thread(target=upload, name="thread", daemon=True).start()
    if way == "task":
        return asyncio.create_task(upload_async())
    if way == "busy":
        return asyncio.create_task(compress_and_upload())
    if way == "blocking":
        return asyncio.create_task(asyncio.to_thread(upload))
    if way == "goodbye":
        return asyncio.create_task(upload_and_say_goodbye())
    return asyncio.create_task(poll_for_ever())


async def upload_async():
    try:
        await asyncio.sleep(4)
        say("the upload is complete")
    finally:
        say("the connection is closed")


def main(way, end):
    asyncio.run(serve(way, end))
    say("the runtime is gone")
# ANCHOR_END: program


def upload():
    try:
        time.sleep(4)
        say("the upload is complete")
    finally:
        say("the connection is closed")


# ANCHOR: goodbye
async def upload_and_say_goodbye():
    try:
        await asyncio.sleep(4)
    finally:
        await asyncio.sleep(1)
        say("the other side has answered my goodbye")
# ANCHOR_END: goodbye


async def compress_and_upload():
    try:
        time.sleep(3)
        say("the file is compressed")
        await asyncio.sleep(4)
        say("the upload is complete")
    finally:
        say("the connection is closed")


async def poll_for_ever():
    while True:
        time.sleep(0.1)


threading.current_thread().name = "main"
arguments = sys.argv[1:] + ["task", "drop"][len(sys.argv) - 1:]
ways = ["thread", "task", "busy", "blocking", "stuck", "goodbye"]
ends = ["drop", "exit"]
if len(arguments) > 2 or arguments[0] not in ways or arguments[1] not in ends:
    sys.exit(f"one of {', '.join(ways)}; then one of {', '.join(ends)}")
main(*arguments)
