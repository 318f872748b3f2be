"""Passwords: what is accepted (NIST SP 800-63B: length, not composition) and how they are kept (Argon2id, RFC 9106)."""

from __future__ import annotations

import hashlib
import hmac
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from dapp_ext.errors import Busy, PasswordWeak

# Argon2id: passes, KiB of memory, lanes.
TIME_COST, MEMORY_COST, PARALLELISM = 3, 64 * 1024, 2
MIN_LENGTH = 15
MAX_LENGTH = 256
_OBVIOUS = (
    "dapp",
    "jupyter",
    "password",
    "passwort",
    "letmein",
    "welcome",
    "qwerty",
    "administrator",
    "0123456789",
    "123456789",
    "abcdefghij",
    "changeme",
    "secret",
    # Ways over the keyboard, and what people like.
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx",
    "3edc4rfv",
    "5tgb6yhn",
    "qazwsx",
    "edcrfv",
    "tgbyhn",
    "1q2w3e4r",
    "5t6y7u8i",
    "iloveyou",
    "princess",
    "football",
    "baseball",
    "sunshine",
    "superman",
    "thequickbrownfox",
    "correcthorsebatterystaple",
)


class Passwords:
    """Hashes and verifies; at most two at a time, since each takes 64 MiB for a moment."""

    def __init__(self, pepper: bytes) -> None:
        self._pepper = pepper
        self._hasher = PasswordHasher(TIME_COST, MEMORY_COST, PARALLELISM)
        self._places = threading.BoundedSemaphore(2)
        self._dummy: str | None = None

    def hash(self, password: str) -> str:
        with self.turn():
            return self._hasher.hash(self._peppered(password))

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password is right; takes as long when there is none to compare with. To be called within a :meth:`turn`."""
        if self._dummy is None:
            self._dummy = self._hasher.hash(b"nobody has this password")
        try:
            return self._hasher.verify(stored or self._dummy, self._peppered(password)) and stored is not None
        except (VerificationError, InvalidHashError):
            return False

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with older parameters and should be made again at the next sign-in."""
        return self._hasher.check_needs_rehash(stored)

    def _peppered(self, password: str) -> bytes:
        normal = unicodedata.normalize("NFC", password).encode()
        return hmac.new(self._pepper, normal, hashlib.sha256).digest()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One of the two places.

        Raises
        ------
        Busy
            When none comes free within ten seconds.
        """
        if not self._places.acquire(timeout=10):
            raise Busy("Too many people are signing in at this moment. Try again in a few seconds.")
        try:
            yield
        finally:
            self._places.release()


def check_password(password: str, *known: str) -> None:
    """Accept a new password, or say what is wrong with it.

    Parameters
    ----------
    password : str
        15 to 256 characters, any of them.
    *known : str
        The account's email and name, which a password should not be made of.

    Raises
    ------
    PasswordWeak
    """
    if len(password) < MIN_LENGTH:
        raise PasswordWeak(f"The password has {len(password)} characters and needs at least {MIN_LENGTH}. A few unrelated words do well.")
    if len(password) > MAX_LENGTH:
        raise PasswordWeak(f"The password has {len(password)} characters; at most {MAX_LENGTH} are taken.")
    folded = password.casefold()
    if len(set(folded)) < 6:
        raise PasswordWeak("The password repeats the same few characters. A few unrelated words do well.")
    if _is_repeated(folded):
        raise PasswordWeak("The password says the same thing again and again. A few unrelated words do well.")
    left = folded
    own = (each.casefold() for text in known for each in (text, text.partition("@")[0]) if len(each) > 3)
    for word in sorted((*_OBVIOUS, *own), key=len, reverse=True):
        left = left.replace(word, "")
    if left != folded and sum(char.isalpha() for char in left) < 8:
        raise PasswordWeak("The password is built around words that are tried first. A few unrelated words do well.")


def _is_repeated(text: str) -> bool:
    """Whether a text is one piece, twice or more: it is found in its double before its own end."""
    return (text + text).find(text, 1) < len(text)
