"""Writes the night's orders into a file, beside the service that goes on."""

import threading
import time


def write_orders():
    with open("orders.csv", "w") as file:
        for order in range(1, 2001):
            file.write(f"order {order}, ")
            file.write("paid\n")
            if order % 100 == 0:
                time.sleep(0.1)


threading.Thread(target=write_orders, name="orders", daemon=True).start()
time.sleep(1)
print("the night's work is done")
