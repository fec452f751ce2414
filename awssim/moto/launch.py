"""Runs a moto server on a free port of the loopback interface until its standard input closes.

The parent holds the other end of that pipe: when it dies, however it dies, the server goes too.
Prints one line, the port, once it listens. MOTO_CLOCK may name a file with a number of days: the server's clock is so
many days behind, so that what is made then is old.
"""

import datetime
import os
import sys

from moto.core import utils

clock = os.environ.get("MOTO_CLOCK")
if clock:
    real = utils.utcnow

    def utcnow():
        with open(clock) as f:
            return real() - datetime.timedelta(days=float(f.read() or 0))

    utils.utcnow = utcnow  # before the services are loaded, which take it by name

from moto.server import ThreadedMotoServer  # noqa: E402

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
