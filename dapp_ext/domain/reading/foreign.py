"""Files of other kinds, told by how they begin: for each a sentence that says what it is and what to do."""

from __future__ import annotations

import re

FORMATS = "Upload a CSV, Excel (.xlsx), ODS, Parquet, Arrow or JSON file."
_SAVE = "Save its table as CSV, Excel (.xlsx), Parquet or JSON and upload that."
_NO_TABLES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"BM\x00", "a bitmap image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"%PDF", "a PDF document"),
    (b"{\\rtf", "an RTF document"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"RIFF", "a sound, video or image file"),
    (b"ID3", "a sound file"),
    (b"OggS", "a sound or video file"),
)
_OTHER_TABLES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"SQLite format 3\x00", "an SQLite database"),
    (0, b"\x89HDF", "an HDF5 file"),
    (0, b"\x93NUMPY", "a NumPy array file"),
    (0, b"ORC", "an ORC file"),
    (0, b"Obj\x01", "an Avro file"),
    (0, b"$FL2", "an SPSS file"),
    (0, b"$FL3", "an SPSS file"),
    (0, b"RDX", "an R data file"),
    (0, b"X\n\x00\x00\x00\x02", "an R data file (.rds)"),
    (0, b"X\n\x00\x00\x00\x03", "an R data file (.rds)"),
    (0, b"<stata_dta>", "a Stata file"),
    (0, b"MATLAB 5.0 MAT-file", "a MATLAB file"),
    (0, b"HEADER RECORD*******LIBRARY HEADER RECORD", "a SAS transport file"),
    (12, b"\xc2\xea\x81\x60\xb3\x14\x11\xcf", "a SAS file"),
    (4, b"Standard Jet DB", "an Access database"),
    (4, b"Standard ACE DB", "an Access database"),
)
"""Where the mark stands, the mark, and what has it: files that hold tables in ways that are not read."""
_ARCHIVES: tuple[tuple[bytes, str], ...] = (
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!", "RAR"),
    (b"\x1f\x9d", "compress"),
    (b"\x04\x22\x4d\x18", "LZ4"),
)
_PICKLE = re.compile(rb"\x80[\x02-\x05]|\((?:dp|lp|tp?)\d+\n|c(?:copy_reg|copyreg|numpy|pandas|__builtin__|builtins)[\w.]*\n")
_HTML = re.compile(r"<(?:!doctype html|html|head|meta|title|body|table|thead|tbody|div|style|script|center|font)[\s>]", re.IGNORECASE)
_TAG = re.compile(r"<([A-Za-z_][\w:.-]*)(?:\s[^<>]*)?>")
_COMMENTS = re.compile(r"(?:<!--[\s\S]*?-->\s*)+")
_POINTER = "version https://git-lfs.github.com/spec/"


def sentence_on(head: bytes, *, plain: bool) -> str | None:
    """What a file is that begins with the mark of another format; None where it has no such mark.

    Parameters
    ----------
    head : bytes
        The first bytes.
    plain : bool
        Whether all of them are characters of plain text: then a short mark means nothing.
    """
    for mark, what in _NO_TABLES:
        if head.startswith(mark) and not (len(mark) < 4 and plain):
            return f"The file is {what}, not a table. {FORMATS}"
    for place, mark, what in _OTHER_TABLES:
        if head.startswith(mark, place) and not (len(mark) < 4 and plain):
            return f"The file is {what}, which is not read here. {_SAVE}"
    if head[4:8] == b"ftyp" and not plain:
        return f"The file is a sound, video or image file, not a table. {FORMATS}"
    for mark, what in _ARCHIVES:
        if head.startswith(mark) and not plain:
            return f"The file is packed with {what}. Unpack it, or pack it with gzip, zip, bzip2, xz or Zstandard, and upload it again."
    if _PICKLE.match(head):
        return f"The file is a Python pickle, which is never opened because it can run programs. {FORMATS}"
    return None


def sentence_on_markup(text: str) -> str | None:
    """What a text is that is written in marks: a web page, XML, a pointer to the file itself; None where it is none of these.

    Parameters
    ----------
    text : str
        The beginning of the text.
    """
    start = text.lstrip("\ufeff \t\r\n")
    start = _COMMENTS.sub("", start, count=1) if start.startswith("<!--") else start
    if _HTML.match(start):
        return (
            "The file is a web page (HTML), not a table; perhaps a sign-in page was saved instead of the data, or a program called it .xls. "
            "If Excel opens it, save it there as an Excel workbook (.xlsx) and upload that."
        )
    if start[:5].lower() in ("<?xml", "<svg ") or _is_xml(start):
        return f"The file is XML, which is not read here. {_SAVE}"
    if start[:13].lower() == "mime-version:" and "multipart/" in start[:4000].lower():
        return "The file is a saved web page or a mail (MIME), not a table. If Excel opens it, save it there as an Excel workbook (.xlsx) and upload that."
    if start.startswith(_POINTER):
        return "The file is only a pointer to the data, as Git LFS keeps it (git lfs pull brings the data). Upload the file itself."
    return None


def _is_xml(start: str) -> bool:
    """Whether a text is one element from its first to its last tag; where it goes on, whether nearly every line has a tag."""
    first = _TAG.match(start)
    if first is None:
        return False
    if start.rstrip().endswith(f"</{first[1]}>") and start.count("</") > 1:
        return True
    lines = [line for line in start.splitlines() if line.strip()]
    return len(lines) > 5 and f"</{first[1]}>" not in start and sum(line.lstrip().startswith("<") for line in lines) > 0.95 * len(lines)
