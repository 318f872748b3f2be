"""What is no table: each gets one sentence that says what it is and what to do."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import pickle
import zipfile
from collections.abc import Callable

import pyarrow as pa
import pytest

from dapp_ext.errors import FileUnreadable
from tests.domain.tables import read


def zstandard(data: bytes) -> bytes:
    packed: bytes = pa.Codec("zstd").compress(data, asbytes=True)
    return packed


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
    "half a bzip2": (lambda: bz2.compress(os.urandom(4000))[:2000], "bzip2 file is incomplete"),
    "half an xz": (lambda: lzma.compress(os.urandom(4000))[:2000], "xz file is incomplete"),
    "half a zstandard": (lambda: zstandard(os.urandom(4000))[:2000], "Zstandard file is (incomplete|damaged)"),
    "broken gzip": (lambda: gzip.compress(b"a,b\n" * 100)[:20] + bytes(40), "gzip file is damaged"),
    "7-zip": (lambda: b"7z\xbc\xaf\x27\x1c" + bytes(100), "7-Zip"),
    "noise": (lambda: bytes(range(256)) * 20, "binary"),
    "old office": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000), "old Office"),
    "password": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(400) + "EncryptedPackage".encode("utf-16-le"), "password"),
    "two in a zip": (lambda: zipped(**{"a.csv": b"a,b\n1,2\n", "b.csv": b"a,b\n"}), "2 files.*a.csv.*b.csv"),
    "nothing in a zip": (lambda: zipped(**{".DS_Store": b"a"}), "empty"),
    "picture in a zip": (lambda: zipped(**{"a.csv": b"\x89PNG\r\n\x1a\n" + bytes(100)}), "PNG"),
    "zip in a zip": (lambda: zipped(**{"a.zip": zipped(**{"a.csv": b"a"})}), "packed already"),
    "open document text": (lambda: zipped(**{"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<x/>"}), "OpenDocument"),
    "word": (lambda: zipped(**{"[Content_Types].xml": b"<x/>", "word__document.xml": b"<x/>"}), "document"),
    "binary workbook": (lambda: zipped(**{"[Content_Types].xml": b"<x/>", "xl__workbook.bin": b""}), "xlsb"),
    "gzip in gzip": (lambda: gzip.compress(zipped(**{"a.csv": b"a"})), "packed already"),
    "half a parquet": (lambda: b"PAR1" + bytes(100), "incomplete"),
    "broken parquet": (lambda: b"PAR1" + bytes(100) + b"PAR1", "damaged"),
    "sealed parquet": (lambda: b"PARE" + bytes(100) + b"PARE", "encrypted"),
    "half a zip": (lambda: zipped(**{"a.csv": b"a,b\n" * 100})[:60], "damaged"),
    "json too deep": (lambda: b'[{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]", "deep"),
    "json objects too deep": (lambda: b'[{"a": ' * 1 + b'{"b": ' * 70 + b"1" + b"}" * 71 + b"]", "deep"),
    "json cut": (lambda: b'[{"a": 1},\n{"a": 2},\n{"a": ', "line 3"),
    "json without comma": (lambda: b'[{"a": 1}\n{"a": 2}]', "comma"),
    "json and more": (lambda: b'[{"a": 1}] [{"a": 2}]', "follows after"),
    "json of numbers": (lambda: b"[1, 2, 3]", "list of plain values"),
    "json of texts": (lambda: b'["a", "b"]', "list of texts"),
    "json of nulls": (lambda: b"[null, null]", "list of plain values"),
    "a line of text": (lambda: b"hello world\n", "single line of text"),
    "a header only": (lambda: b"id,name\n", "only a header"),
    "json without records": (lambda: b"[]", "no records"),
    "json twice the same name": (lambda: b'[{"a": 1, "a": 2}]', "twice"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_table_is_named(what: str) -> None:
    make, words = REFUSED[what]
    with pytest.raises(FileUnreadable, match=words) as refused:
        read(make(), "table.csv")
    message = refused.value.message
    assert message[0].isupper()
    assert message.endswith(".")
    assert "Traceback" not in message
    assert "Error" not in message
