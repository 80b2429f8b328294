"""The hash schemes that passwords may be kept in: bcrypt and argon2.

Verifying takes the password's bytes as they were typed, as the tools that write
such files take them. What a hash may cost is bounded before anything is
computed. No error quotes a hash.
"""

import base64
import re
from abc import ABC, abstractmethod

import argon2.low_level
import bcrypt
from argon2.exceptions import VerificationError

MAX_PASSWORD = 1024  # bytes; the contract's


class Hash(ABC):
    """A hash in its text form."""

    __slots__ = ("text",)

    def __init__(self, text: str):
        self.text = text

    @abstractmethod
    def matches(self, password: bytes) -> bool:
        """Takes as long for any password, one that can't match included. It is
        called in a thread of its own, and gives way to others while it computes."""


class Bcrypt(Hash):
    """bcrypt, as `htpasswd -B` makes it."""

    __slots__ = ()

    FORM = re.compile(r"\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}")
    COSTS = range(4, 16)
    LONGEST = 72  # bytes; what comes after them bcrypt does not look at

    def matches(self, password: bytes) -> bool:
        # A longer password would match by its beginning, and C ends one at a NUL.
        fits = 0 < len(password) <= self.LONGEST and b"\0" not in password
        return bcrypt.checkpw(password if fits else b"-", self.text.encode()) and fits


class Argon2(Hash):
    """argon2 in PHC form, as the argon2 command's `-e` makes it."""

    __slots__ = ()

    FORM = re.compile(r"\$argon2(id|i|d)\$v=19\$m=([0-9]{1,7}),t=([0-9]{1,3}),p=([0-9]{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)")
    TYPES = {"id": argon2.low_level.Type.ID, "i": argon2.low_level.Type.I, "d": argon2.low_level.Type.D}
    MOST_MEMORY = 256 << 10  # KiB
    MOST_PASSES = 10
    MOST_WORK = 3 * MOST_MEMORY  # KiB times passes
    MOST_LANES = 16
    SALT = range(8, 65)  # bytes
    KEY = range(16, 65)

    def matches(self, password: bytes) -> bool:
        fits = 0 < len(password) <= MAX_PASSWORD
        kind = self.TYPES[self.FORM.fullmatch(self.text)[1]]
        try:
            return argon2.low_level.verify_secret(self.text.encode(), password if fits else b"-", kind) and fits
        except VerificationError:
            return False


# Schemes of other tools, by what their hashes begin with.
REFUSED = {
    "$apr1$": "MD5 (apr1)",
    "{SHA}": "SHA-1",
    "{SSHA}": "SHA-1",
    "$1$": "MD5",
    "$2x$": "a broken bcrypt",
    "$5$": "SHA-256 crypt",
    "$6$": "SHA-512 crypt",
    "$y$": "yescrypt",
}


def parse(text: str) -> Hash:
    """Refuses with ValueError, whose text says what is wrong and what would do."""
    if found := Bcrypt.FORM.fullmatch(text):
        if int(found[1]) not in Bcrypt.COSTS:
            raise ValueError(f"a bcrypt hash has a cost of {Bcrypt.COSTS[0]} to {Bcrypt.COSTS[-1]}, not {int(found[1])}")
        return Bcrypt(text)
    if found := Argon2.FORM.fullmatch(text):
        return _argon2(text, *(int(n) for n in found.group(2, 3, 4)), _size(found[5]), _size(found[6]))
    for prefix, scheme in REFUSED.items():
        if text.startswith(prefix):
            raise ValueError(f"the hash is {scheme}, which this backend does not verify; use bcrypt or argon2")
    if text.startswith(("$2", "$argon2")):
        raise ValueError("the hash is damaged, or not in the form $2y$… of bcrypt or $argon2id$v=19$m=…,t=…,p=…$…$…")
    raise ValueError("what follows the name is no hash of bcrypt or argon2")


def _argon2(text: str, memory: int, passes: int, lanes: int, salt: int, key: int) -> Hash:
    bounds = Argon2
    if not (8 * lanes <= memory <= bounds.MOST_MEMORY and 1 <= passes <= bounds.MOST_PASSES
            and memory * passes <= bounds.MOST_WORK and 1 <= lanes <= bounds.MOST_LANES
            and salt in bounds.SALT and key in bounds.KEY):
        raise ValueError(
            f"an argon2 hash has m of at most {bounds.MOST_MEMORY} (and 8 for each p), t of at most {bounds.MOST_PASSES}, "
            f"m times t of at most {bounds.MOST_WORK}, p of at most {bounds.MOST_LANES}, a salt of {bounds.SALT[0]} to "
            f"{bounds.SALT[-1]} bytes and a key of {bounds.KEY[0]} to {bounds.KEY[-1]}")
    return Argon2(text)


def _size(encoded: str) -> int:
    """Returns the bytes that base64 without padding stands for, 0 if it is none."""
    try:
        return len(base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True))
    except ValueError:
        return 0
