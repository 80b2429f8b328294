"""The accounts as of now, and who wants to hear what changes.

Every read first looks whether the files have changed, so that it is a
linearizable one: what was in the files when it began, it has. Between reads
they are looked at twice a second.

A new version that cannot be understood takes effect in no part: the one before
stays in force, and an error is logged, once for each version. Files that cannot
be read at all make the store unavailable: reads are refused and heartbeats not
answered, so that the host's lease ends.
"""

import asyncio
import bisect
import hashlib
import hmac
import os
import secrets
import time
from concurrent.futures import ThreadPoolExecutor

from concourse.users.v1 import users_pb2

from backend import accounts, files, log, refusal
from backend.accounts import Account
from backend.hashes import Hash

INTERVAL = 0.5  # seconds between two looks at the files

_DECOY_KEY = secrets.token_bytes(16)


class Contents:
    """One version of the accounts. It never changes."""

    def __init__(self, found: dict[str, Account], revision: int):
        self.accounts = found
        self.names = list(found)  # in byte order
        self.revision = revision

    def page(self, after: str, most: int) -> list[Account]:
        """Returns accounts whose names sort after the given one."""
        start = bisect.bisect_right(self.names, after)
        return [self.accounts[name] for name in self.names[start:start + most]]

    def decoy(self, username: str) -> Hash:
        """Returns a hash to spend time on for a name that nobody has: some
        account's, the same one each time. Whatever schemes and costs the file
        has, a name without an account then takes as long as one with it."""
        digest = hmac.digest(_DECOY_KEY, username.encode("utf-8", "replace"), hashlib.sha256)
        return self.accounts[self.names[int.from_bytes(digest[:8], "big") % len(self.names)]].hash

    def snapshot(self, username: str) -> users_pb2.Snapshot:
        found = self.accounts.get(username)
        return found.snapshot(self.revision) if found else accounts.nobody(username, self.revision)

    def differences(self, before: "Contents") -> list[users_pb2.Snapshot]:
        """Returns what became of each account that is not as it was before."""
        gone = before.accounts.keys() - self.accounts.keys()
        changed = [a.username for a in self.accounts.values() if before.accounts.get(a.username) != a]
        return [self.snapshot(name) for name in [*sorted(gone), *changed]]


class Subscription:
    """What a stream has not delivered yet; of one account, only the newest."""

    MOST = 100_000

    def __init__(self) -> None:
        self.waiting: dict[str, users_pb2.Snapshot] = {}
        self.arrived = asyncio.Event()

    def add(self, snapshots: list[users_pb2.Snapshot]) -> None:
        for snapshot in snapshots:
            self.waiting.pop(snapshot.username, None)  # in the order of the revisions
            self.waiting[snapshot.username] = snapshot
        self.arrived.set()

    def take(self) -> list[users_pb2.Snapshot]:
        """Refuses with ABORTED a stream that fell behind."""
        if len(self.waiting) > self.MOST:
            raise refusal.fell_behind()
        taken, self.waiting = list(self.waiting.values()), {}
        self.arrived.clear()
        return taken


class Directory:
    """The two files. It belongs to one event loop; the files are read by one
    thread, so that a file system that hangs holds up reads and nothing else."""

    def __init__(self, users_file: str, groups_file: str):
        self.store_id = hashlib.sha256(users_file.encode()).hexdigest()[:32]
        self.contents: Contents  # what is in force; set by open
        self._users = files.Source("users", users_file)
        self._groups = files.Source("groups", groups_file)
        self._reader = ThreadPoolExecutor(1, "files")
        self._subscriptions: set[Subscription] = set()

        # The reader's own, after open.
        self._judged: tuple[bytes, ...] = ()  # what was last understood, or found damaged
        self._newest: Contents
        self._unreadable = False

    async def open(self) -> None:
        """Reads the files for the first time. Refuses: UNAVAILABLE; then there is
        nothing to close."""
        self._loop = asyncio.get_running_loop()
        try:
            self.contents = await self._loop.run_in_executor(self._reader, self._open)
        except BaseException:
            self._reader.shutdown(wait=False)
            raise
        self._watching = self._loop.create_task(self._watch())

    def _open(self) -> Contents:
        try:
            self._look()
            self._newest = self._read(0)
            self._judge()
        except (OSError, files.Damaged) as wrong:
            raise refusal.unavailable(str(wrong)) from None
        return self._newest

    async def refresh(self) -> Contents:
        """Returns the contents, read after the call began. Refuses: UNAVAILABLE."""
        await self._loop.run_in_executor(self._reader, self._refresh)
        return self.contents

    def subscribe(self) -> Subscription:
        """Returns what hears of every change from now on, until unsubscribe."""
        subscription = Subscription()
        self._subscriptions.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        self._subscriptions.discard(subscription)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL)
            try:
                await self.refresh()
            except refusal.Refusal:
                pass  # it is logged
            except Exception as cause:
                log.failure("the files could not be looked at", cause)

    def _refresh(self) -> None:
        """Runs in the reader's thread."""
        try:
            if not self._look():
                return
            newest = self._read(self._newest.revision)
        except OSError as cause:
            if not self._unreadable:
                log.error(str(cause))
            self._unreadable = True
            raise refusal.unavailable(str(cause)) from None
        except files.Damaged as damage:
            self._judge()
            log.error(f"{damage}; the accounts stay as they were before")
            return
        if changes := newest.differences(self._newest):
            self._newest = newest
            # It comes before whatever the caller of refresh does next, and also
            # if that caller has gone away.
            self._loop.call_soon_threadsafe(self._publish, newest, changes)
        self._judge()

    def _look(self) -> bool:
        """Says whether there is another version to be understood. Refuses with
        OSError."""
        self._users.look()
        self._groups.look()
        if self._unreadable:
            self._unreadable = False
            log.info("the files can be read again")
        found = (self._users.data, self._groups.data)
        return not (self._judged and found[0] is self._judged[0] and found[1] is self._judged[1])

    def _judge(self) -> None:
        """Says that this version is in force, or damaged. One that failed in any
        other way is neither, and every read fails with it."""
        self._judged = (self._users.data, self._groups.data)

    def _read(self, revision: int) -> Contents:
        """Refuses with Damaged. Revisions go up also from one process to the
        next, by the clock."""
        found, strangers = files.read_accounts(self.store_id, self._users, self._groups)
        if strangers:
            log.warn("the groups file has names that no account has", path=self._groups.path, lines=strangers[:20])
        return Contents(found, max(revision + 1, time.time_ns() // 1000))

    def _publish(self, newest: Contents, changes: list[users_pb2.Snapshot]) -> None:
        self.contents = newest
        for subscription in self._subscriptions:
            subscription.add(changes)
        log.info("the accounts have changed", changed=len(changes), accounts=len(newest.accounts))


def locate(home: str, path: str) -> str:
    """Returns the path of a file that a setting names, relative to the home."""
    return os.path.abspath(os.path.join(home, path))
