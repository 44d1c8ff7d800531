"""A last line by print and one by logging, and two ways to end."""

import logging
import os
import sys

# ANCHOR: program
logging.basicConfig(level=logging.INFO, format="%(message)s")


def main(way):
    if way not in ("return", "exit"):
        sys.exit(f"unknown way out `{way}`; choose from return, exit")
    logging.info("first line, logged")
    print("last line, printed")
    logging.info("last line, logged")
    if way == "exit":
        os._exit(3)
# ANCHOR_END: program


main(sys.argv[1] if len(sys.argv) > 1 else "return")
