"""Log lines: for programs one JSON object each, with the request or job that it belongs to; for people plain text.

Texts from libraries may quote what they worked on, so exceptions are told by classes and places only, in either form.
"""

from __future__ import annotations

import json
import logging
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dapp_ext.errors import DappError
from dapp_ext.settings import Settings

# What the present thread or task works for.
REQUEST_ID: ContextVar[str] = ContextVar("dapp_request_id", default="")
JOB_ID: ContextVar[str] = ContextVar("dapp_job_id", default="")
TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def outline(error: BaseException) -> str:
    """Where an exception came from, for the log: classes and places.

    The texts of foreign exceptions are left out, since they may quote values from somebody's data.
    """
    lines: list[str] = []
    seen: BaseException | None = error
    while seen is not None:
        text = f": {seen.message}" if isinstance(seen, DappError) else ""
        lines.append(f"{type(seen).__module__}.{type(seen).__qualname__}{text}")
        lines += [f"  {Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(seen.__traceback__)]
        seen = seen.__cause__ or seen.__context__
    return "\n".join(lines)


class TextFormatter(logging.Formatter):
    """Plain lines; an exception is told by its :func:`outline`."""

    def formatException(self, ei: Any) -> str:
        return "" if ei[1] is None else outline(ei[1])


class JsonFormatter(logging.Formatter):
    """``at``, ``level``, ``logger``, ``message``; ``request_id`` and ``job_id`` where there are; what a line gives as ``facts``."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name, value in (("request_id", REQUEST_ID.get()), ("job_id", JOB_ID.get())):
            if value:
                line[name] = value
        line |= getattr(record, "facts", {})
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line["error"] = type(error).__name__
            line["where"] = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)[-12:]]
        return json.dumps(line, ensure_ascii=False, default=str)


def set_up(settings: Settings) -> None:
    """Let this process's log go to standard error in the form of the settings."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else TextFormatter(TEXT))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
