"""How accounts are written in the two files.

The users file is of the htpasswd kind, one account on a line:

    jeff:$2y$12$…
    ana:$argon2id$v=19$m=19456,t=2,p=1$…$…

The groups file is of the htgroup kind, one group on a line, as often as liked:

    admin: ana
    suspended: kim
    read:billing: jeff kim
    write:default: jeff

In both, empty lines and those that begin with # say nothing. What is wrong is
told by file and line, and never quoted: a hash may stand where a name belongs.
"""

import errno
import os
import re
import stat
import time
from dataclasses import dataclass
from typing import BinaryIO, Iterator

from backend import accounts, hashes, names, refusal
from backend.accounts import Account

MOST_BYTES = 256 << 20  # of one file
SETTLED = 2.0  # seconds; file systems tell no two moments apart that are closer

_GROUP = re.compile(rf"(admin|suspended|(?:read|write):{names.ENVIRONMENT}):(.*)")


class Damaged(Exception):
    """A file that is there and cannot be understood."""


class Source:
    """One file, and what was last read from it."""

    def __init__(self, what: str, path: str):
        self.what = what
        self.path = path
        self.data = b""
        self._seen: tuple[int, ...] = ()  # how the file was marked when data was read; empty: read again

    def look(self) -> None:
        """Brings data up to date; the same contents stay the same object. Refuses
        with OSError, whose text says it all."""
        try:
            # A FIFO of that name must not hold the look up.
            with open(os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
                self._look(file)
        except OSError as cause:
            raise OSError(f"{self} cannot be read: {cause.strerror}") from None

    def _look(self, file: BinaryIO) -> None:
        marks = _marks(file)
        if marks == self._seen:
            return
        data = file.read(MOST_BYTES + 1)
        if data != self.data:
            self.data = data
        newest = max(marks[-2:]) / 1e9
        self._seen = marks if marks == _marks(file) and time.time() - newest > SETTLED else ()

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yields the numbers of the lines that say something, and what they say."""
        if len(self.data) > MOST_BYTES:
            raise Damaged(f"{self} has more than {MOST_BYTES >> 20} MiB")
        if self.data and not self.data.endswith(b"\n"):
            raise Damaged(f"{self} ends within a line; it may be half written")
        for number, raw in enumerate(self.data.split(b"\n"), 1):
            try:
                line = raw.decode().strip()
            except UnicodeDecodeError:
                raise Damaged(f"{self}, line {number}, is not valid UTF-8") from None
            if line and not line.startswith("#"):
                yield number, line

    def __str__(self) -> str:
        return f"the {self.what} file {self.path}"


def _marks(file: BinaryIO) -> tuple[int, ...]:
    info = os.fstat(file.fileno())
    if not stat.S_ISREG(info.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns


@dataclass
class Groups:
    """The groups file, understood."""

    admins: set[str]
    suspended: set[str]
    grants: dict[str, dict[str, set[int]]]  # username -> environment -> permissions
    strangers: list[int]  # lines with a name that no account has


def read_users(source: Source) -> dict[str, hashes.Hash]:
    """Returns the hashes by username. Refuses with Damaged."""
    found: dict[str, hashes.Hash] = {}
    at: dict[str, int] = {}
    for number, line in source.lines():
        name, colon, text = line.partition(":")
        if not colon:
            raise Damaged(f"{source}, line {number}: a line is username:hash, and this one has no colon")
        try:
            name = names.normalize(name)
        except refusal.Refusal:
            raise Damaged(f"{source}, line {number}: what stands before the colon is no acceptable username") from None
        if name in at:
            raise Damaged(f"{source}, line {number}: the account of line {at[name]} again")
        try:
            found[name] = hashes.parse(text)
        except ValueError as wrong:
            raise Damaged(f"{source}, line {number}: {wrong}") from None
        at[name] = number
    return found


def read_groups(source: Source, known: dict[str, hashes.Hash]) -> Groups:
    """Refuses with Damaged what is no group: a mistyped "suspended" must not
    leave an account enabled. A name without an account is no damage, or no
    account could be taken away by its one line in the users file."""
    groups = Groups(set(), set(), {}, [])
    for number, line in source.lines():
        match = _GROUP.fullmatch(line)
        if not match:
            raise Damaged(f"{source}, line {number}: a line is a group, a colon and names; the groups are "
                          "admin, suspended, read:ENVIRONMENT and write:ENVIRONMENT")
        group, _, environment = match[1].partition(":")
        for given in match[2].split():
            try:
                name = names.normalize(given)
            except refusal.Refusal:
                name = ""
            if name not in known:
                groups.strangers.append(number)
            elif group == "admin":
                groups.admins.add(name)
            elif group == "suspended":
                groups.suspended.add(name)
            else:
                held = groups.grants.setdefault(name, {})
                held.setdefault(environment, set()).add(accounts.READ if group == "read" else accounts.WRITE)
                if len(held) > names.MAX_ENVIRONMENTS:
                    raise Damaged(f"{source}, line {number}: an account would hold grants in more than "
                                  f"{names.MAX_ENVIRONMENTS} environments")
    return groups


def read_accounts(store_id: str, users: Source, groups: Source) -> tuple[dict[str, Account], list[int]]:
    """Returns the accounts by username, in the byte order of the names, and the
    lines of the groups file with names that are no account's. Refuses with
    Damaged."""
    known = read_users(users)
    understood = read_groups(groups, known)
    if not understood.admins - understood.suspended:
        raise Damaged(f"{groups} leaves no enabled ADMIN: no account of {users} is in the group admin, or all that "
                      "are in it are suspended")
    # The order of code points is that of UTF-8's bytes.
    return {name: _account(store_id, name, known[name], understood) for name in sorted(known)}, understood.strangers


def _account(store_id: str, name: str, kept: hashes.Hash, groups: Groups) -> Account:
    admin, enabled = name in groups.admins, name not in groups.suspended
    grants = {e: tuple(sorted(p)) for e, p in sorted(groups.grants.get(name, {}).items())}
    return Account(name, accounts.account_id(store_id, name), accounts.generation(kept.text, admin, enabled),
                   admin, enabled, grants, kept)
