"""Refusals, as the contract's statuses and details.

A message is shown to the administrator as it is: one sentence, lower case, no
full stop, never a secret.
"""

import error_details_pb2
import grpc
from google.protobuf import any_pb2

DOMAIN = "users.concourse"


class Refusal(Exception):
    """An answer that its receiver can act on. Its metadata are the contract's
    "field" and "subject"."""

    def __init__(self, code: grpc.StatusCode, message: str, reason: str = "", retry_after: int = 0, **metadata: str):
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason
        self.retry_after = retry_after  # seconds; 0: not said
        self.metadata = metadata

    def trailers(self) -> tuple[tuple[str, bytes], ...]:
        """Returns the details, which an UNAUTHENTICATED has none of: what is
        wrong with a login is not told."""
        if self.code is grpc.StatusCode.UNAUTHENTICATED:
            return ()
        details = [error_details_pb2.ErrorInfo(reason=self.reason, domain=DOMAIN, metadata=self.metadata)]
        if self.retry_after:
            retry = error_details_pb2.RetryInfo()
            retry.retry_delay.seconds = self.retry_after
            details.append(retry)
        status = error_details_pb2.Status(code=self.code.value[0], message=self.message)
        for detail in details:
            packed = any_pb2.Any()
            packed.Pack(detail)
            status.details.append(packed)
        return (("grpc-status-details-bin", status.SerializeToString()),)


def invalid(field: str, message: str) -> Refusal:
    return Refusal(grpc.StatusCode.INVALID_ARGUMENT, message, field=field)


def not_authenticated() -> Refusal:
    """Is the one answer to a wrong name and a wrong password."""
    return Refusal(grpc.StatusCode.UNAUTHENTICATED, "invalid username/password combination")


def session_ended() -> Refusal:
    return Refusal(grpc.StatusCode.UNAUTHENTICATED, "the session has ended; log in again")


def suspended() -> Refusal:
    return Refusal(grpc.StatusCode.PERMISSION_DENIED, "the account is suspended", "SUSPENDED")


def needs_admin() -> Refusal:
    return Refusal(grpc.StatusCode.PERMISSION_DENIED, "only an ADMIN may do that; log in as one", "NEEDS_ADMIN")


def not_found(username: str) -> Refusal:
    return Refusal(grpc.StatusCode.NOT_FOUND, f"a user named '{username}' does not exist", subject=username)


def unavailable(message: str) -> Refusal:
    return Refusal(grpc.StatusCode.UNAVAILABLE, message)


def fell_behind() -> Refusal:
    return Refusal(grpc.StatusCode.ABORTED, "the watch fell behind the changes; open a new one and read again")


def throttled() -> Refusal:
    return Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many attempts; try again in 1s", retry_after=1)


# What a backend without the capability cannot do, in words.
LACKING = {
    "change": "changing accounts",
    "apply": "applying accounts from a file",
    "export": "exporting password hashes",
    "backup": "a backup",
    "recover": "recovering an administrator",
    "restore": "restoring a backup",
}


def unsupported(capability: str) -> Refusal:
    return Refusal(grpc.StatusCode.UNIMPLEMENTED, f"{LACKING[capability]} is unsupported by this backend",
                   subject=capability)
