"""How many passwords are checked at once: as many as there are processors.

More would only get slower. An administrator's check is never behind a flood of
client logins: it goes first, and clients never hold the last slot.
"""

import asyncio
import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Callable

from concourse.users.v1 import users_pb2

from backend import refusal

LONGEST_WAIT = 10.0  # seconds, and at most half of the time that the caller has
MOST_MANAGEMENT = 256
MOST_CLIENTS = 1024


class Slots:
    """It belongs to one event loop."""

    def __init__(self) -> None:
        self.number = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self.number, "hashing")
        self._taken = {True: 0, False: 0}  # by whether for management
        self._waiting: dict[bool, deque[asyncio.Future]] = {True: deque(), False: deque()}

    async def run(self, management: bool, remaining: float | None, compute: Callable[[], bool]) -> bool:
        """Computes in a thread, in a slot that is held until it is done, even if
        the caller goes away. Refuses: RESOURCE_EXHAUSTED."""
        await self._acquire(management, LONGEST_WAIT if remaining is None else min(LONGEST_WAIT, remaining / 2))
        work = asyncio.get_running_loop().run_in_executor(self._pool, compute)
        work.add_done_callback(lambda _: self._release(management))
        return await asyncio.shield(work)

    def load(self) -> users_pb2.Load:
        return users_pb2.Load(hashing=sum(self._taken.values()), hash_waiting=sum(map(len, self._waiting.values())))

    async def _acquire(self, management: bool, patience: float) -> None:
        if self._takes(management):
            return
        line = self._waiting[management]
        if len(line) >= (MOST_MANAGEMENT if management else MOST_CLIENTS):
            raise refusal.throttled()
        turn = asyncio.get_running_loop().create_future()
        line.append(turn)
        try:
            granted, _ = await asyncio.wait((turn,), timeout=patience)
        except asyncio.CancelledError:
            if turn.done():
                self._release(management)  # it came too late: pass it on
            else:
                line.remove(turn)
            raise
        if not granted:
            line.remove(turn)
            raise refusal.throttled()

    def _takes(self, management: bool) -> bool:
        """Takes a free slot, if there is one."""
        if sum(self._taken.values()) == self.number:
            return False
        if not management and self._taken[False] == max(1, self.number - 1):
            return False
        self._taken[management] += 1
        return True

    def _release(self, management: bool) -> None:
        self._taken[management] -= 1
        for purpose, line in self._waiting.items():  # management first
            while line and self._takes(purpose):
                line.popleft().set_result(None)
