"""Starts Arize Phoenix on loopback only.

PHOENIX_HOST moves the HTTP port alone; the gRPC port is always opened to the network
(`[::]`). Here it is opened on 127.0.0.1, and Phoenix does not know the difference.
"""

import sys

from grpc.aio import _server
from phoenix.server.main import main

add_insecure_port = _server.Server.add_insecure_port
_server.Server.add_insecure_port = lambda self, address: add_insecure_port(
    self, address.replace("[::]", "127.0.0.1")
)

sys.argv[1:] = ["serve"]
main()
