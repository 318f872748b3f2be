"""Pictures that others will open: only PNG, read chunk by chunk and written anew.

Every chunk that does not make the picture itself (texts, profiles, animation, whatever a program added) is left out, so
nothing of a picture can be a script, and nothing travels in it unseen. PNG (Portable Network Graphics), W3C Recommendation.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from dapp_ext.errors import Invalid, TooLarge

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_PIXELS = 25_000_000
_KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"sRGB", b"gAMA", b"pHYs", b"IDAT", b"IEND"})
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_BROKEN = "The picture is not a whole PNG. Save it as PNG and publish it again."


@dataclass(frozen=True)
class Picture:
    """A checked picture: bytes of a PNG, width and height in pixels."""

    data: bytes
    width: int
    height: int


def read_png(data: bytes) -> Picture:
    """Check a PNG and write it anew from the chunks that make the picture.

    Raises
    ------
    Invalid
        If it is no PNG, damaged, or holds more or fewer pixels than it says.
    TooLarge
        If it has more than 25 million pixels.
    """
    if not data.startswith(SIGNATURE):
        raise Invalid("Only PNG pictures are shown. Save the figure as PNG and publish it again.")
    kept, at, size = [SIGNATURE], len(SIGNATURE), None
    pixels: list[bytes] = []
    while at < len(data):
        if at + 12 > len(data):
            raise Invalid(_BROKEN)
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data) or zlib.crc32(data[at + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            raise Invalid(_BROKEN)
        body = data[at + 8 : end - 4]
        if (kind == b"IHDR") is not (size is None):
            raise Invalid(_BROKEN)
        if kind == b"IHDR":
            size = _header(body)
        if kind == b"IDAT":
            pixels.append(body)
        if kind in _KEPT:
            kept.append(data[at:end])
        at = end
        if kind == b"IEND":
            break
    if size is None or not kept[-1].endswith(b"IEND\xaeB`\x82"):
        raise Invalid(_BROKEN)
    width, height, expected = size
    _check_pixels(pixels, expected)
    return Picture(b"".join(kept), width, height)


def _header(body: bytes) -> tuple[int, int, int]:
    """Width, height, and how many bytes the pixels take when they are unpacked (at most, where it is interlaced)."""
    if len(body) != 13:
        raise Invalid(_BROKEN)
    width, height, depth, color, compression, filtering, interlace = struct.unpack(">IIBBBBB", body)
    if not width or not height or depth not in _DEPTHS.get(color, ()) or compression or filtering or interlace > 1:
        raise Invalid(_BROKEN)
    if width * height > MOST_PIXELS:
        raise TooLarge(f"The picture has {width:,} × {height:,} pixels. Publish it with at most {MOST_PIXELS:,}.")
    bits = depth * _CHANNELS[color]
    if not interlace:
        return width, height, height * (1 + (width * bits + 7) // 8)
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    total = 0
    for left, top, across, down in passes:
        columns, lines = max(0, -(-(width - left) // across)), max(0, -(-(height - top) // down))
        total += lines * (1 + (columns * bits + 7) // 8) if columns else 0
    return width, height, total


def _check_pixels(pixels: list[bytes], expected: int) -> None:
    """Unpack the pixels without keeping them: a small file may say that it is a very large one."""
    unpacking, found = zlib.decompressobj(), 0
    try:
        for body in pixels:
            while body:
                found += len(unpacking.decompress(body, 1 << 20))
                body = unpacking.unconsumed_tail
                if found > expected:
                    raise Invalid(_BROKEN)
        found += len(unpacking.flush())
    except zlib.error:
        raise Invalid(_BROKEN) from None
    if found != expected or not unpacking.eof:
        raise Invalid(_BROKEN)
