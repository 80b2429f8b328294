"""The calls of the contract, but for the stream.

A method has the name of its call, and gets the request and gRPC's context. A
call that is not here is one for which the backend lacks the capability.
"""

import os
import re

import grpc.aio
from concourse.account.v1 import account_pb2
from concourse.users.v1 import users_pb2

from backend import NAME, VERSION, directory, names, refusal
from backend.accounts import Account
from backend.directory import Contents, Directory
from backend.hashes import Hash
from backend.slots import Slots
from backend.watch import Watcher

Context = grpc.aio.ServicerContext

CAPABILITIES = ("durable",)  # nothing is lost with the process: it is all in the files
MAX_BATCH = 1000  # accounts or session rows in one message
MAX_PAGE = 1 << 20  # bytes of a page of accounts, about

# What a call that is not served takes; "change" if it is not here.
CAPABILITY_OF = {"Apply": "apply", "Plan": "apply", "Export": "export", "Backup": "backup", "Recover": "recover",
                 "Restore": "restore"}

SETTINGS = {"users_file": "the htpasswd-style file with the accounts",
            "groups_file": "the htgroup-style file with what they may"}
REQUEST_ID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-7[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}")


class Users:
    """concourse.users.v1.Users."""

    def __init__(self) -> None:
        self._directory: Directory | None = None  # until it is configured
        self._configuring = False
        self._slots = Slots()

    async def Configure(self, r: users_pb2.ConfigureRequest, _: Context) -> users_pb2.ConfigureResponse:
        """Refuses: INVALID_ARGUMENT (a setting, or a second call), UNAVAILABLE (the files)."""
        if self._configuring:
            raise refusal.invalid("configuration", "the plugin is configured already")
        paths = _paths(r.home, r.settings)
        self._configuring = True
        try:
            opened = Directory(*paths)
            await opened.open()
            self._directory = opened
        finally:
            self._configuring = self._directory is not None
        return users_pb2.ConfigureResponse(
            name=NAME, version=VERSION, capabilities=CAPABILITIES, store_id=opened.store_id, initialized=True)

    async def Authenticate(self, r: users_pb2.AuthenticateRequest, context: Context) -> users_pb2.AuthenticateResponse:
        """Refuses alike, after alike time, whatever is wrong with name or password."""
        _check_listener(r.listener)
        contents = await self._opened().refresh()
        found = _find(contents, r.username)
        right = await self._verify(
            found.hash if found else contents.decoy(r.username), r.password,
            r.listener == account_pb2.LISTENER_MANAGEMENT, context)
        if not (right and found):
            raise refusal.not_authenticated()
        if not found.enabled:
            raise refusal.suspended()
        return users_pb2.AuthenticateResponse(account=found.message(), revision=contents.revision)

    async def Exists(self, r: users_pb2.ExistsRequest, _: Context) -> users_pb2.ExistsResponse:
        contents = await self._opened().refresh()
        return users_pb2.ExistsResponse(exists=_find(contents, r.username) is not None)

    async def Show(self, r: users_pb2.ShowRequest, _: Context) -> users_pb2.ShowResponse:
        _, found = await self._read(r.caller, r.username)
        return users_pb2.ShowResponse(account=found.message())

    async def List(self, r: users_pb2.ListRequest, _: Context) -> users_pb2.ListResponse:
        directory = self._opened()
        if len(r.after.encode()) > names.MAX_USERNAME:
            raise refusal.invalid("after", f"a username has at most {names.MAX_USERNAME} bytes")
        contents = await directory.refresh()
        _check_caller(contents, r.caller)
        response, size = users_pb2.ListResponse(), 0
        for one in contents.page(r.after, MAX_BATCH + 1):
            message = one.message()
            size += message.ByteSize()
            if len(response.accounts) == MAX_BATCH or response.accounts and size > MAX_PAGE:
                response.next = response.accounts[-1].username
                break
            response.accounts.append(message)
        return response

    async def CheckPassword(self, r: users_pb2.CheckPasswordRequest, context: Context) -> users_pb2.CheckPasswordResponse:
        """Checks a suspended account's password too."""
        _, found = await self._read(r.caller, r.username)
        return users_pb2.CheckPasswordResponse(matches=await self._verify(found.hash, r.password, True, context))

    async def Sessions(self, r: users_pb2.SessionsRequest, _: Context) -> users_pb2.SessionsResponse:
        """Withholds nothing from an ADMIN, and has nothing to remark."""
        directory = self._opened()
        if len(r.sessions) > MAX_BATCH:
            raise refusal.invalid(
                "sessions", f"{len(r.sessions)} session rows are more than the {MAX_BATCH} that fit in one batch")
        for row in r.sessions:
            if row.role not in account_pb2.Role.values():
                raise refusal.invalid("role", f"role number {row.role} is unknown here")
            _check_listener(row.listener)
        _check_caller(await directory.refresh(), r.caller)
        return users_pb2.SessionsResponse(sessions=r.sessions)

    async def Records(self, r: users_pb2.RecordsRequest, _: Context) -> users_pb2.RecordsResponse:
        """Finds none, since there are no mutations."""
        self._opened()
        if r.after and not REQUEST_ID.fullmatch(r.after):
            raise refusal.invalid("request_id", f'"{names.printable(r.after)}" is not a request id')
        return users_pb2.RecordsResponse()

    async def Watch(self, _: object, context: Context) -> None:
        await Watcher(self._opened(), self._slots, context).run()

    def _opened(self) -> Directory:
        if self._directory is None:
            raise refusal.unavailable("the plugin is not configured yet")
        return self._directory

    async def _read(self, caller: users_pb2.Caller, username: str) -> tuple[Contents, Account]:
        """Returns an account to an administrator. Refuses: INVALID_ARGUMENT,
        UNAUTHENTICATED, PERMISSION_DENIED, NOT_FOUND, UNAVAILABLE."""
        directory = self._opened()
        username = names.normalize(username)
        contents = await directory.refresh()
        _check_caller(contents, caller)
        found = contents.accounts.get(username)
        if found is None:
            raise refusal.not_found(username)
        return contents, found

    async def _verify(self, kept: Hash, password: bytes, management: bool, context: Context) -> bool:
        return await self._slots.run(management, context.time_remaining(), lambda: kept.matches(password))


def _paths(home: str, settings: dict[str, str]) -> list[str]:
    for key in sorted(settings):
        if key not in SETTINGS:
            raise refusal.invalid(
                f"plugin.settings.{key}", f'"{names.printable(key)}" is not a setting of the {NAME} backend; it has '
                + " and ".join(f"{known}, {what}" for known, what in SETTINGS.items()))
    for key, what in SETTINGS.items():
        if not settings.get(key):
            raise refusal.invalid(f"plugin.settings.{key}", f"plugin.settings.{key} is missing: {what}")
    if not os.path.isabs(home):
        raise refusal.invalid("home", "the home is no absolute path")
    return [directory.locate(home, settings[key]) for key in SETTINGS]


def _find(contents: Contents, username: str) -> Account | None:
    """Finds nobody under a name that no account can have."""
    try:
        return contents.accounts.get(names.normalize(username))
    except refusal.Refusal:
        return None


def _check_caller(contents: Contents, caller: users_pb2.Caller) -> None:
    """Refuses a caller whose session is no longer good, and one that is no ADMIN."""
    found = contents.accounts.get(caller.username)
    if found is None or (found.id, found.generation) != (caller.account_id, caller.generation) or not found.enabled:
        raise refusal.session_ended()
    if not found.admin:
        raise refusal.needs_admin()


def _check_listener(number: int) -> None:
    if number not in (account_pb2.LISTENER_MANAGEMENT, account_pb2.LISTENER_CLIENT):
        raise refusal.invalid("listener", f"listener number {number} is unknown here")
