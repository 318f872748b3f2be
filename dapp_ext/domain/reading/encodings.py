"""Which encoding an old text is in, that is neither UTF-8 nor UTF-16: told by its letters.

Where letters beyond ASCII stand among others (``Straße``) the text is of a Latin alphabet: Windows-1252, unless that makes
signs of what an old Mac or MS-DOS wrote as letters, or unless
only an encoding of central Europe, Turkey or the Baltic makes all of them letters of one language. Where words are made of them it is of another script, which
charset-normalizer tells from the encodings that were in use before Unicode.
"""

from __future__ import annotations

import re
from collections import Counter

USUAL = "cp1252"
_OTHER_SCRIPTS = (
    "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr", "cp1251", "koi8_r", "cp866", "cp1253", "cp1255", "cp1256",
)  # fmt: skip
_OLD_LATIN = (USUAL, "mac_roman", "cp850")
_WESTERN = (
    "äöüß", "àâçéèêëîïôœùûüÿæ", "áéíñóúü", "ãõáàâçéêíóôúü", "àèéìíòóùú", "åäöéü", "æøåéü", "ëïéèêöü", "áðéíóúýþæö", "àçèéíïòóúü·",
)  # fmt: skip
"""Letters beyond ASCII of languages that Windows-1252 was made for."""
_NEAR = (
    ("cp1250", ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "čćđšž", "ăâîșțşţ")),
    ("iso8859_2", ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "čćđšž", "ăâîșțşţ")),
    ("cp1254", ("çğıöşüâîû",)),
    ("cp1257", ("āčēģīķļņšūž", "ąčęėįšųūž", "äõöüšž")),
)
"""Encodings of other Latin alphabets, with the letters of their languages."""
_OWN, _FEWEST_LETTERS = 0.97, 3
_WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
_LONG = 3
_MOSTLY, _DOUBTFUL = 0.6, 0.7
_BESIDE = re.compile(r"([A-Za-z])([^\x00-\x7f])|([^\x00-\x7f])(?=[a-z])")
_TYPOGRAPHY = frozenset("\u201c\u201d\u201e\u2018\u2019\u2013\u2014\u2026\u20ac\xb0\xab\xbb\xa0\xae\xa9\u2122\xb2\xb3\xb5")
_SAMPLE = 64 * 1024


def guess(head: bytes) -> str:
    """The name of the encoding.

    Parameters
    ----------
    head : bytes
        The beginning of the text, which is not UTF-8; it may be cut within a letter.
    """
    sample = _with_letters(head)
    words = [word for word in _WORD.findall(sample) if len(word) >= _LONG]
    high = sum(sum(byte >= 0x80 for byte in word) for word in words)
    if words and high > _MOSTLY * sum(map(len, words)):
        return _of_another_script(sample) or USUAL
    if (near := _of_a_near_alphabet(sample)) is not None:
        return near
    if _share_of_one(sample, USUAL, _WESTERN) < _OWN and (old := [name for name in _OLD_LATIN[1:] if _share_of_one(sample, name, _WESTERN) >= _OWN]):
        return old[0]
    usual = _follows(sample, USUAL)
    if usual and _letters_in_words(sample, USUAL) >= _DOUBTFUL:
        return USUAL
    return max(_OLD_LATIN if usual else _OLD_LATIN[1:], key=lambda name: (_letters_in_words(sample, name), name == USUAL))


def _of_a_near_alphabet(sample: bytes) -> str | None:
    """The encoding of central Europe, Turkey or the Baltic under which all letters are of one language, where none of the west fits so."""
    if _share_of_one(sample, USUAL, _WESTERN) >= _OWN:
        return None
    shares = {name: _share_of_one(sample, name, languages) for name, languages in _NEAR}
    best = max(shares, key=lambda name: shares[name])
    return best if shares[best] >= _OWN else None


def _share_of_one(sample: bytes, name: str, languages: tuple[str, ...]) -> float:
    """The largest share of the letters beyond ASCII that belong to one language; 0 for few letters, or bytes that mean nothing."""
    try:
        text = sample.decode(name)
    except UnicodeDecodeError:
        return 0.0
    found = Counter(sign for sign in text.lower().replace("i\u0307", "i") if sign > "\x7f" and (sign in "\xa9\xae" or sign not in _TYPOGRAPHY))
    total = found.total()
    if total < _FEWEST_LETTERS:
        return 0.0
    return max(sum(found[sign] for sign in letters) for letters in languages) / total


def _follows(sample: bytes, name: str) -> bool:
    try:
        sample.decode(name)
    except UnicodeDecodeError:
        return False
    return True


def _with_letters(head: bytes) -> bytes:
    """The lines with letters beyond ASCII: what is ASCII tells nothing."""
    lines = [line for line in head.split(b"\n")[: -1 if b"\n" in head else None] if not line.isascii()]
    return b"\n".join(lines)[:_SAMPLE] or head[:_SAMPLE]


def _of_another_script(sample: bytes) -> str | None:
    from charset_normalizer import from_bytes  # a text in UTF-8 has no need of it

    found = from_bytes(sample, cp_isolation=list(_OTHER_SCRIPTS)).best()
    return None if found is None else found.encoding


def _letters_in_words(sample: bytes, name: str) -> float:
    """The share of what stands beside a letter and is not ASCII that is a letter of a case that fits there."""
    good = bad = 0
    for before, after, first in _BESIDE.findall(sample.decode(name, "replace")):
        sign = after or first
        if sign in _TYPOGRAPHY:
            continue
        fits = sign.isalpha() and sign not in "\xaa\xba\u0192\u02c6" and not (before.islower() and sign.isupper())
        good, bad = good + fits, bad + (not fits)
    return good / (good + bad) if good + bad else 1.0
