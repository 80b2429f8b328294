"""What an account is, and the messages that tell of it."""

import hashlib
from dataclasses import dataclass, field
from typing import Mapping

from concourse.account.v1 import account_pb2
from concourse.users.v1 import users_pb2

from backend.hashes import Hash

READ = account_pb2.PERMISSION_READ
WRITE = account_pb2.PERMISSION_WRITE


@dataclass(frozen=True, slots=True)
class Account:
    """One account as the two files have it. Accounts that are equal decide alike."""

    username: str
    id: str
    generation: int
    admin: bool
    enabled: bool
    grants: Mapping[str, tuple[int, ...]]  # environment -> permissions, READ before WRITE
    hash: Hash = field(compare=False, repr=False)  # the generation follows it

    def message(self) -> account_pb2.Account:
        """Leaves out the times, which the files don't tell."""
        return account_pb2.Account(
            id=self.id, generation=self.generation, username=self.username, role=self._role(),
            enabled=self.enabled, grants=self._grants())

    def _role(self) -> int:
        return account_pb2.ROLE_ADMIN if self.admin else account_pb2.ROLE_USER

    def _grants(self) -> list[account_pb2.Grant]:
        return [account_pb2.Grant(environment=e, permissions=p) for e, p in self.grants.items()]

    def snapshot(self, revision: int) -> users_pb2.Snapshot:
        return users_pb2.Snapshot(
            username=self.username, account_id=self.id, generation=self.generation, role=self._role(),
            enabled=self.enabled, grants=self._grants(), revision=revision)


def nobody(username: str, revision: int) -> users_pb2.Snapshot:
    """Returns the snapshot that says that no account has the name."""
    return users_pb2.Snapshot(username=username, revision=revision)


def account_id(store_id: str, username: str) -> str:
    """Returns an id that is the same each time, since there is nowhere to keep one."""
    return hashlib.sha256(f"{store_id}\n{username}".encode()).hexdigest()[:32]


def generation(hash_text: str, admin: bool, enabled: bool) -> int:
    """Returns a number of 63 bits, not 0, that is another one whenever the
    password, the role or whether the account is enabled is another."""
    digest = hashlib.sha256(f"{hash_text}\n{admin}\n{enabled}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1 | 1
