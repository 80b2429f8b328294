"""Log lines as hclog writes them, one JSON object on standard error each.

The host puts them into its own log. No password, token or hash is ever passed
to these functions, nor the text of an unexpected exception, which may quote one.
"""

import datetime
import json
import logging
import os
from typing import Any


def debug(message: str, **fields: Any) -> None:
    _write("debug", message, fields)


def info(message: str, **fields: Any) -> None:
    _write("info", message, fields)


def warn(message: str, **fields: Any) -> None:
    _write("warn", message, fields)


def error(message: str, **fields: Any) -> None:
    _write("error", message, fields)


def failure(message: str, cause: BaseException, **fields: Any) -> None:
    """Logs an unexpected exception by its type and the functions that it passed."""
    stack, trace = [], cause.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        stack.append(f"{os.path.basename(code.co_filename)}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    error(message, type=type(cause).__name__, stack=stack[-8:], **fields)


def _write(level: str, message: str, fields: dict[str, Any]) -> None:
    at = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="microseconds")
    line = {"@level": level, "@message": message, "@timestamp": at.replace("+00:00", "Z"), **fields}
    try:
        os.write(2, json.dumps(line, default=str).encode() + b"\n")  # one write: threads don't mix
    except OSError:
        pass  # nobody reads it any more


class Libraries(logging.Handler):
    """Takes what the libraries log, without tracebacks and what may follow in them."""

    def emit(self, record: logging.LogRecord) -> None:
        text = str(record.msg).partition("\n")[0] if record.exc_info else record.getMessage().partition("\n")[0]
        fields = {"logger": record.name}
        if record.exc_info and record.exc_info[0]:
            fields["type"] = record.exc_info[0].__name__
        level = "error" if record.levelno >= logging.ERROR else "warn"
        _write(level, text[:200], fields)


def adopt_libraries() -> None:
    """Makes Libraries the only receiver of what is logged by Python's own means."""
    logging.basicConfig(handlers=[Libraries()], level=logging.WARNING, force=True)
