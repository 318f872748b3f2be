"""Writes OpenDocument spreadsheets for tests; no library of the project writes them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from xml.sax.saxutils import escape, quoteattr

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'office:version="1.2"><office:body><office:spreadsheet>'
)
_TAIL = "</office:spreadsheet></office:body></office:document-content>"
_TYPE = "application/vnd.oasis.opendocument.spreadsheet"


def cell(value: Any, repeated: int = 1) -> str:
    """One cell."""
    repeats = f' table:number-columns-repeated="{repeated}"' if repeated > 1 else ""
    if value is None:
        return f"<table:table-cell{repeats}/>"
    if isinstance(value, bool):
        return f'<table:table-cell{repeats} office:value-type="boolean" office:boolean-value="{str(value).lower()}"/>'
    if isinstance(value, int | float):
        return f'<table:table-cell{repeats} office:value-type="float" office:value="{value}"><text:p>{value}</text:p></table:table-cell>'
    if isinstance(value, time | timedelta):
        since = timedelta(hours=value.hour, minutes=value.minute, seconds=value.second) if isinstance(value, time) else value
        seconds = int(since.total_seconds())
        written = f"PT{seconds // 3600:02d}H{seconds // 60 % 60:02d}M{seconds % 60:02d}S"
        return f'<table:table-cell{repeats} office:value-type="time" office:time-value="{written}"/>'
    if isinstance(value, date | datetime):
        return f'<table:table-cell{repeats} office:value-type="date" office:date-value="{value.isoformat()}"/>'
    return f'<table:table-cell{repeats} office:value-type="string"><text:p>{escape(value)}</text:p></table:table-cell>'


def row(cells: Sequence[Any], repeated: int = 1) -> str:
    """One row; a cell may be written already."""
    repeats = f' table:number-rows-repeated="{repeated}"' if repeated > 1 else ""
    return (
        f"<table:table-row{repeats}>"
        + "".join(each if isinstance(each, str) and each.startswith("<table:") else cell(each) for each in cells)
        + "</table:table-row>"
    )


def document(sheets: Mapping[str, Sequence[Sequence[Any] | str]], content: str | None = None, **parts: str) -> bytes:
    """A spreadsheet of sheets with rows."""
    tables = "".join(
        f"<table:table table:name={quoteattr(name)}>" + "".join(each if isinstance(each, str) else row(each) for each in rows) + "</table:table>"
        for name, rows in sheets.items()
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as container:
        container.writestr("mimetype", _TYPE, zipfile.ZIP_STORED)
        container.writestr(
            "META-INF/manifest.xml",
            f'<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><m:file-entry m:full-path="/" m:media-type="{_TYPE}"/></m:manifest>',
        )
        container.writestr("content.xml", content if content is not None else _HEAD + tables + _TAIL)
        for name, text in parts.items():
            container.writestr(name.replace("__", "/"), text)
    return out.getvalue()
