"""Only whole PNG pictures pass, and only what makes the picture of them."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from dapp_ext.domain.pictures import SIGNATURE, read_png
from dapp_ext.errors import Invalid, TooLarge


def png(mode: str = "RGBA", size: tuple[int, int] = (7, 5), **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise(size, 60).convert(mode).save(buffer, "PNG", **options)
    return buffer.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_picture_passes_with_every_pixel(mode: str) -> None:
    data = png(mode)
    found = read_png(data)
    assert (found.width, found.height) == (7, 5)
    assert Image.open(io.BytesIO(found.data)).tobytes() == Image.open(io.BytesIO(data)).tobytes()


def test_whatever_does_not_make_the_picture_is_left_out() -> None:
    info = PngInfo()
    info.add_text("Comment", "<script>alert(1)</script>")
    data = png(pnginfo=info, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0") + b"<script>behind the end</script>"
    assert b"script" in data
    found = read_png(data).data
    assert b"script" not in found
    assert b"eXIf" not in found
    Image.open(io.BytesIO(found)).verify()


@pytest.mark.parametrize("data", [b"", b"<svg onload=alert(1)>", b"GIF89a", b"%PDF-1.7", b"\xff\xd8\xff\xe0 JFIF"])
def test_nothing_else_passes(data: bytes) -> None:
    with pytest.raises(Invalid, match="Only PNG"):
        read_png(data)


def test_a_damaged_picture_is_refused_wherever_it_is_damaged() -> None:
    data = png("RGB")
    for at in range(len(SIGNATURE), len(data)):
        with pytest.raises(Invalid):
            read_png(data[:at] + bytes([data[at] ^ 0x5A]) + data[at + 1 :])
    for end in range(len(SIGNATURE), len(data)):
        with pytest.raises(Invalid):
            read_png(data[:end])


def test_a_picture_that_is_larger_than_it_says_is_refused() -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0))
    bomb = zlib.compress(bytes(50_000_000))
    with pytest.raises(Invalid):
        read_png(SIGNATURE + header + chunk(b"IDAT", bomb) + chunk(b"IEND", b""))
    with pytest.raises(TooLarge, match="pixels"):
        read_png(SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0)) + chunk(b"IEND", b""))
