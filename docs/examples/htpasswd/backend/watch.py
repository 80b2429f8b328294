"""The stream of changes, and the answers to what the host asks on it."""

import asyncio

import grpc.aio
from concourse.users.v1 import users_pb2

from backend import refusal
from backend.directory import Directory
from backend.slots import Slots

MAX_BATCH = 1000  # names in one request


class Watcher:
    """One stream. Two tasks deliver, one at a time: what changes, and the answer
    to each request in its turn, with every change up to it before it."""

    def __init__(self, directory: Directory, slots: Slots, context: grpc.aio.ServicerContext):
        self._directory = directory
        self._slots = slots
        self._context = context
        self._delivering = asyncio.Lock()
        self._subscription = directory.subscribe()  # before anything is answered

    async def run(self) -> None:
        """Returns when the requests are over and answered. Refuses: INVALID_ARGUMENT,
        ABORTED (it fell behind), UNAVAILABLE (a heartbeat that cannot be given)."""
        sides = [asyncio.create_task(self._follow()), asyncio.create_task(self._serve())]
        try:
            done, _ = await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
            for side in done:
                side.result()
        finally:
            self._directory.unsubscribe(self._subscription)
            for side in sides:
                side.cancel()
            await asyncio.gather(*sides, return_exceptions=True)

    async def _follow(self) -> None:
        while True:
            await self._subscription.arrived.wait()
            async with self._delivering:
                await self._deliver_changes()

    async def _serve(self) -> None:
        while True:
            request = await self._context.read()
            if request is grpc.aio.EOF:
                return
            if len(request.read) > MAX_BATCH:
                raise refusal.invalid(
                    "read", f"{len(request.read)} names are more than the {MAX_BATCH} that fit in one request")
            await self._directory.refresh()
            async with self._delivering:
                await self._deliver_changes()
                await self._answer(request)

    async def _answer(self, request: users_pb2.WatchRequest) -> None:
        """Every change up to the contents has been delivered. A name in another
        than its normal form is nobody's."""
        contents = self._directory.contents
        for name in request.read:
            await self._context.write(users_pb2.WatchEvent(snapshot=contents.snapshot(name)))
        if request.heartbeat:
            await self._context.write(users_pb2.WatchEvent(heartbeat=users_pb2.Heartbeat(
                number=request.heartbeat, revision=contents.revision, store_id=self._directory.store_id,
                load=self._slots.load())))

    async def _deliver_changes(self) -> None:
        while changes := self._subscription.take():
            for snapshot in changes:
                await self._context.write(users_pb2.WatchEvent(snapshot=snapshot))
