"""What is no table: each gets one sentence that says what it is and what to do."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import zipfile
from collections.abc import Callable

import pytest

from dapp_ext.errors import FileUnreadable
from tests.domain.tables import read


def zipped(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as container:
        for name, content in parts.items():
            container.writestr(name.replace("__", "/"), content)
    return out.getvalue()


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "empty"),
    "blank lines": (lambda: b"\n \n\t\n\r\n   \n", "empty"),
    "picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG image"),
    "pdf": (lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "PDF document"),
    "web page": (lambda: b"<!DOCTYPE html>\n<html><body>Sign in</body></html>", "web page"),
    "xml": (lambda: b"<?xml version='1.0'?><rows/>", "XML"),
    "pickle": (lambda: pickle.dumps({"a": [1, 2, 3]}, protocol=4), "pickle"),
    "database": (lambda: b"SQLite format 3\x00" + bytes(100), "SQLite"),
    "bzip2": (lambda: bz2.compress(b"a,b\n1,2\n" * 100), "bzip2"),
    "xz": (lambda: lzma.compress(b"a,b\n1,2\n" * 100), "xz"),
    "noise": (lambda: bytes(range(256)) * 20, "binary"),
    "old office": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000), "old Office"),
    "password": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(400) + "EncryptedPackage".encode("utf-16-le"), "password"),
    "zip archive": (lambda: zipped(**{"table.csv": b"a,b\n1,2\n"}), "zip archive"),
    "open document": (lambda: zipped(**{"mimetype": b"application/vnd.oasis", "content.xml": b"<x/>"}), "OpenDocument"),
    "word": (lambda: zipped(**{"[Content_Types].xml": b"<x/>", "word__document.xml": b"<x/>"}), "document"),
    "binary workbook": (lambda: zipped(**{"[Content_Types].xml": b"<x/>", "xl__workbook.bin": b""}), "xlsb"),
    "gzip in gzip": (lambda: gzip.compress(zipped(**{"a.csv": b"a"})), "packed already"),
    "half a parquet": (lambda: b"PAR1" + bytes(100), "incomplete"),
    "broken parquet": (lambda: b"PAR1" + bytes(100) + b"PAR1", "damaged"),
    "sealed parquet": (lambda: b"PARE" + bytes(100) + b"PARE", "encrypted"),
    "half a zip": (lambda: zipped(**{"a.csv": b"a,b\n" * 100})[:60], "damaged"),
    "json constant": (lambda: b'[{"a": NaN}]', "NaN"),
    "json infinity": (lambda: b'[{"a": -Infinity}]', "Infinity"),
    "json too deep": (lambda: b'[{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]", "deep"),
    "json objects too deep": (lambda: b'[{"a": ' * 1 + b'{"b": ' * 70 + b"1" + b"}" * 71 + b"]", "deep"),
    "json cut": (lambda: b'[{"a": 1},\n{"a": 2},\n{"a": ', "line 3"),
    "json without comma": (lambda: b'[{"a": 1}\n{"a": 2}]', "comma"),
    "json and more": (lambda: b'[{"a": 1}] [{"a": 2}]', "follows after"),
    "json of numbers": (lambda: b"[1, 2, 3]", "not a record|cells"),
    "json without records": (lambda: b"[]", "no records"),
    "json twice the same name": (lambda: b'[{"a": 1, "a": 2}]', "twice"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_table_is_named(what: str) -> None:
    make, words = REFUSED[what]
    with pytest.raises(FileUnreadable, match=words) as refused:
        read(make(), "table.csv", format="json" if what == "json of numbers" else None)
    message = refused.value.message
    assert message[0].isupper()
    assert message.endswith(".")
    assert "Traceback" not in message
    assert "Error" not in message
