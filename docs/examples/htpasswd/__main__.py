"""Serves the backend to the host that started this process."""

import asyncio
import os
import sys

from backend import NAME, VERSION, handshake, log, process


def main() -> None:
    if sys.argv[1:] == ["--version"]:
        print(NAME, VERSION)
        return
    handshake.check()
    process.prepare()
    log.adopt_libraries()
    # gRPC's core would write lines of its own kind.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from backend import server

    asyncio.run(server.serve())
    # A password may still be checked for a caller that is gone: nobody waits.
    os._exit(0)


main()
