"""Texts that are packed: every packing gives the same table, in bounded memory, and a broken one is named."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable

import pyarrow as pa
import pytest

from dapp_ext.domain.reading import packing
from dapp_ext.errors import FileUnreadable
from tests.domain.tables import read

TEXTS = {
    "t.csv": b"id,name\n" + b"".join(b"%d,n%d\n" % (number, number) for number in range(500)),
    "t.tsv": b"id\tname\n" + b"".join(b"%d\tn%d\n" % (number, number) for number in range(500)),
    "t.json": b"[" + b",".join(b'{"id": %d, "name": "n%d"}' % (number, number) for number in range(500)) + b"]",
    "t.jsonl": b"".join(b'{"id": %d, "name": "n%d"}\n' % (number, number) for number in range(500)),
}


def zipped(data: bytes, name: str = "folder/t.csv", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("folder/", b"")
        archive.writestr("__MACOSX/._t.csv", b"\0\1")
        archive.writestr("README.txt", b"about")
        archive.writestr(name, data)
    return out.getvalue()


def zstandard(data: bytes) -> bytes:
    packed: bytes = pa.Codec("zstd").compress(data, asbytes=True)
    return packed


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "Zstandard": zstandard,
    "zip": zipped,
    "zip, stored": lambda data: zipped(data, method=zipfile.ZIP_STORED),
    "zip, bzip2": lambda data: zipped(data, method=zipfile.ZIP_BZIP2),
    "two gzip members": lambda data: gzip.compress(data[:777]) + gzip.compress(data[777:]),
    "two bzip2 streams": lambda data: bz2.compress(data[:777]) + bz2.compress(data[777:]),
    "two xz streams": lambda data: lzma.compress(data[:777]) + lzma.compress(data[777:]),
    "two Zstandard frames": lambda data: zstandard(data[:777]) + zstandard(data[777:]),
}


@pytest.mark.parametrize("how", PACKED)
@pytest.mark.parametrize("name", TEXTS)
def test_every_packing_around_every_text(how: str, name: str) -> None:
    found = read(PACKED[how](TEXTS[name]), name + ".packed")
    assert found.table.to_pydict() == {"id": list(range(500)), "name": [f"n{number}" for number in range(500)]}
    assert found.read.report.compression in how
    assert found.read.report.member == ("folder/t.csv" if "zip" in how.split(",")[0].split() else None)


def test_a_file_of_an_archive_is_chosen_by_its_name() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a/one.csv", "x\n1\n2\n")
        archive.writestr("a/two.csv", "y\n3\n4\n")
    assert read(out.getvalue(), "t.zip", sheet="TWO.csv").table.to_pydict() == {"y": [3, 4]}
    with pytest.raises(FileUnreadable, match=r'no file "three.csv".*"a/one.csv"'):
        read(out.getvalue(), "t.zip", sheet="three.csv")


@pytest.mark.parametrize("how", ["gzip", "bzip2", "xz", "Zstandard", "zip"])
def test_what_unpacks_too_far_is_refused(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "MAX_DECODED", 3_000_000)
    with pytest.raises(FileUnreadable, match="unpacks to more"):
        read(PACKED[how](b"a,b\n" + b"1,2\n" * 2_000_000))


@pytest.mark.parametrize("how", ["gzip", "bzip2", "xz", "Zstandard", "zip"])
def test_a_flipped_byte_is_noticed(how: str) -> None:
    data = bytearray(PACKED[how](TEXTS["t.csv"]))
    place = data.find(b"folder/t.csv") + 60 if how == "zip" else len(data) // 2
    data[place] ^= 0x55
    if how != "Zstandard":  # its frames may come without a checksum
        with pytest.raises(FileUnreadable, match=r"damaged|incomplete"):
            read(bytes(data))


def test_a_lie_about_the_size_in_a_zip_is_noticed() -> None:
    data = bytearray(zipped(TEXTS["t.csv"], method=zipfile.ZIP_STORED))
    place = data.rfind(b"PK\x01\x02")
    data[place + 24 : place + 28] = (10).to_bytes(4, "little")
    with pytest.raises(FileUnreadable, match="damaged"):
        read(bytes(data))


def test_a_zip_with_a_password_is_named() -> None:
    data = bytearray(zipped(TEXTS["t.csv"]))
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.rfind(mark) + flags] |= 1
    with pytest.raises(FileUnreadable, match="password"):
        read(bytes(data))
