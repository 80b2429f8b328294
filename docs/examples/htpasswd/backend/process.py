"""What the process owes its host and its secrets.

It keeps serving through the signals that end its host, which needs it while it
stops; it dies when the host does; and it leaves no core file.
"""

import asyncio
import ctypes
import os
import resource
import signal
import sys
import threading
import time

from backend import log

IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

# From <linux/prctl.h>.
PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4

DEATH_WATCH = 0.2  # seconds between two looks for the host


def prepare() -> None:
    """Is called first, while there is only the main thread."""
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    host = os.getppid()
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        # A limit does not hold where the kernel pipes core dumps to a program.
        libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    threading.Thread(target=_watch_host, args=(host,), daemon=True).start()


def _watch_host(host: int) -> None:
    """Sees the host's death on systems without a signal for it."""
    while os.getppid() == host:
        time.sleep(DEATH_WATCH)
    os._exit(1)


def say_what_is_ignored(loop: asyncio.AbstractEventLoop) -> None:
    """Replaces silence about the ignored signals by a log line."""
    for number in IGNORED:
        loop.add_signal_handler(
            number,
            lambda name=number.name: log.info("ignoring a signal; the host ends its plugins", signal=name),
        )
