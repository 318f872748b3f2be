"""What a file is, told by its bytes and never by its name."""

from __future__ import annotations

import codecs
from typing import Literal

from dapp_ext.domain.reading import encodings, foreign
from dapp_ext.errors import FileUnreadable

Content = Literal["text", "parquet", "arrow", "zip"]

_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PARTING = (1, 2, 30, 31)
_LINES, _SHORT = 50, 64 * 1024
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


ARROW = b"ARROW1"
_ARROW_SCHEMA = 64 * 1024 * 1024


def is_arrow_stream(head: bytes) -> bool:
    """Whether a file begins as a stream of Arrow messages does: a mark, then the length of the schema."""
    return head.startswith(b"\xff\xff\xff\xff") and 0 < int.from_bytes(head[4:8], "little", signed=True) < _ARROW_SCHEMA


_BOTH_ORDERS = {"utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE), "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)}


def content_of(head: bytes, tail: bytes) -> Content:
    """Whether the bytes are text, Parquet, Arrow or a zip container (which workbooks are, too).

    Parameters
    ----------
    head, tail : bytes
        The first bytes, unpacked where the file is packed, and the last ones of the file.

    Raises
    ------
    FileUnreadable
        They are something else, named in the message.
    """
    if not head.strip(b" \t\r\n\0\xef\xbb\xbf"):
        raise FileUnreadable("The file is empty. Upload a file with a header row and at least one row of data.")
    if head.startswith(b"PAR1"):
        if not tail.endswith(b"PAR1"):
            raise FileUnreadable("The Parquet file is incomplete or damaged: its end is missing. Upload the whole file again.")
        return "parquet"
    if head.startswith(ARROW) or is_arrow_stream(head):
        return "arrow"
    if head.startswith(b"PARE"):
        raise FileUnreadable("The Parquet file is encrypted, so it cannot be read. Save it without encryption and upload it again.")
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if head.startswith(b"FEA1"):
        raise FileUnreadable(
            "This is a Feather file of version 1, which is no longer read. Save it as Feather of version 2, or as Parquet, and upload it again."
        )
    if head.startswith(_OLE):
        raise FileUnreadable(_ole_sentence(head))
    _refuse_binary(head)
    return "text"


def _ole_sentence(head: bytes) -> str:
    if "EncryptedPackage".encode("utf-16-le") in head:
        return "The workbook is protected with a password, so it cannot be read. Save it without a password and upload it again."
    return "This is a file of an old Office version (for example .xls). Save it as an Excel workbook (.xlsx) or as CSV and upload it again."


def _refuse_binary(head: bytes) -> None:
    sentence = foreign.sentence_on(head, plain=_is_plain(head))
    if sentence is None and mark_of(head) is None and wide_text(head) is None and _control_share(head) > 0.02:
        sentence = f"The file is binary, not text, in a format that is not known here. {foreign.FORMATS}"
    if sentence is None:
        sentence = foreign.sentence_on_markup(head.decode(mark_of(head) or wide_text(head) or "utf-8", "replace"))
    if sentence is not None:
        raise FileUnreadable(sentence)


def _is_plain(head: bytes) -> bool:
    return _control_share(head) == 0


def _control_share(head: bytes) -> float:
    """Share of bytes that plain text does not have; a NUL counts less, as broken exports hold a few."""
    control = sum(head.count(bytes([code])) for code in range(1, 32) if code not in (9, 10, 12, 13, 27) and not _parts_cells(head, code))
    return (control + head.count(b"\0") * 0.2) / max(len(head), 400)


def _parts_cells(head: bytes, code: int) -> bool:
    """Whether a control character stands equally often in the first lines, as one that parts cells does (Hive writes ``\\x01``)."""
    if code not in _PARTING or bytes([code]) not in head:
        return False
    counts = {line.count(code) for line in head.split(b"\n")[:_LINES][: -1 if len(head) > _SHORT else None] if line.strip()}
    return len(counts) == 1


def mark_of(head: bytes) -> str | None:
    """The encoding that a byte order mark names."""
    return next((encoding for mark, encoding in _MARKS if head.startswith(mark)), None)


def wide_text(head: bytes) -> str | None:
    """UTF-16 without a mark, told by every second byte being NUL."""
    if len(head) < 4 or head.count(b"\0") < len(head) * 0.3:
        return None
    even, odd = head[0::2], head[1::2]
    if odd.count(b"\0") > len(odd) * 0.6 and even.count(b"\0") < len(even) * 0.1:
        return "utf-16-le"
    if even.count(b"\0") > len(even) * 0.6 and odd.count(b"\0") < len(odd) * 0.1:
        return "utf-16-be"
    return None


def known_encoding(name: str, head: bytes) -> str:
    """The encoding by its usual name; of UTF-16 and UTF-32 without a byte order mark, the one that the beginning speaks for.

    Raises
    ------
    FileUnreadable
        There is no text encoding of that name.
    """
    try:
        info = codecs.lookup(name)
        "a".encode(info.name)
    except (LookupError, TypeError, ValueError) as error:
        raise FileUnreadable(f'There is no text encoding named "{name}". Choose for example utf-8, utf-16 or cp1252.') from error
    if info.name in ("utf-16", "utf-32") and not head.startswith(_BOTH_ORDERS[info.name]):
        return (wide_text(head) if info.name == "utf-16" else None) or f"{info.name}-le"
    return info.name


def encoding_of(head: bytes) -> str:
    """The encoding of a text by its beginning; one from before Unicode where it is not UTF-8."""
    found = mark_of(head) or wide_text(head)
    if found is not None:
        return found
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(head)
    except UnicodeDecodeError as error:
        # After letters that are UTF-8 for sure a byte that is not makes a broken file, not another encoding.
        return encodings.guess(head) if head[: error.start].isascii() else "utf-8"
    return "utf-8"
