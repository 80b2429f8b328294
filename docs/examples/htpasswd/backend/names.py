"""Which names are acceptable, as the project's shared/account has it."""

import re
import unicodedata

import precis_i18n

from backend import refusal

MAX_USERNAME = 255  # bytes
MAX_ENVIRONMENTS = 1024  # in which one account may hold grants

ENVIRONMENT = r"[A-Za-z0-9_]{1,255}"

_PLAIN = re.compile(rf"[!-~]{{1,{MAX_USERNAME}}}")
_PROFILE = precis_i18n.get_profile("UsernameCasePreserved")


def normalize(name: str) -> str:
    """Returns the one form in which a username is stored and compared: PRECIS
    UsernameCasePreserved (RFC 8265), which is NFC with full-width characters
    mapped; case is significant. Refuses: INVALID_ARGUMENT."""
    if _PLAIN.fullmatch(name):
        return name  # the profile leaves it as it is, and is slow
    size = len(name.encode("utf-8", "replace"))
    if not name:
        raise refusal.invalid("username", "a username must not be empty")
    if size > MAX_USERNAME:
        raise refusal.invalid("username", f"a username may have at most {MAX_USERNAME} bytes, this one has {size}")
    if any(c.isspace() for c in name):
        raise refusal.invalid("username", "a username must not contain white space")
    if any(unicodedata.category(c) == "Cc" for c in name):
        raise refusal.invalid("username", "a username must not contain control characters")
    try:
        normal = _PROFILE.enforce(name)
    except UnicodeError:
        raise refusal.invalid("username", f'"{printable(name)}" has a character that a username may not have; '
                                          "use letters, digits and ASCII punctuation") from None
    size = len(normal.encode())
    if size > MAX_USERNAME:
        raise refusal.invalid(
            "username", f"a username may have at most {MAX_USERNAME} bytes, this one has {size} in its normal form")
    return normal


def printable(text: str) -> str:
    """Returns the text as it may stand in a message: without control characters,
    and cut to a length that fits a line."""
    shown = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text[:64])
    return shown + ("…" if len(text) > 64 else "")
