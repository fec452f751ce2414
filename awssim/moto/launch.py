"""Runs a moto server on a free port of the loopback interface until its standard input closes.

The parent holds the other end of that pipe: when it dies, however it dies, the server goes too.
Prints one line, the port, once it listens.
"""

import sys

from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
