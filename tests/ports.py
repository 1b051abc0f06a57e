"""A free port on loopback for a server that a test starts."""
import random
import socket

# Below those that the kernel gives to whoever connects (32768 and up): one that was free there may be a client's by now.
FIRST, END = 10_000, 32_000
given = set()


def free_port():
    while True:
        port = random.randrange(FIRST, END)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in given:
            given.add(port)
            return port
