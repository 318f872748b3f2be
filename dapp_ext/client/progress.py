"""One thing that changes while the reader waits: a bar in a notebook, a line in a terminal, nothing in a log file."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from dapp_ext.client.drawing import escape, progress_html

_PERIOD_SECONDS = 0.12


class Shown:
    """What stands in the display at one moment, as text and as HTML."""

    def __init__(self, text: str, html: str) -> None:
        self.text = text
        self.html = html

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def in_notebook() -> bool:
    """Whether this is a kernel whose front end shows rich output."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and getattr(shell, "kernel", None) is not None


def say(sentence: str) -> None:
    """Tell the reader something that was decided for them."""
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


class Display:
    """A place on the reader's screen that is updated in place.

    A context manager; leaving it ends the line of a terminal.
    """

    def __init__(self) -> None:
        self._notebook = in_notebook()
        self._terminal = not self._notebook and sys.stderr.isatty()
        self._handle: Any = None
        self._last = 0.0
        self._width = 0

    @property
    def seen(self) -> bool:
        """Whether anybody sees what is shown, so that it is worth preparing."""
        return self._notebook or self._terminal

    def show(self, shown: Shown, *, now: bool = False) -> None:
        """Replace what is shown; too quick successions are thinned out unless ``now``."""
        if not self.seen:
            return
        moment = time.monotonic()
        if not now and moment - self._last < _PERIOD_SECONDS:
            return
        self._last = moment
        if self._notebook:
            if self._handle is None:
                from IPython.display import display

                self._handle = display(shown, display_id=True)
            else:
                self._handle.update(shown)
            return
        line = shown.text.splitlines()[0] if shown.text else ""
        sys.stderr.write("\r" + line.ljust(self._width))
        sys.stderr.flush()
        self._width = len(line)

    def bar(self, fraction: float | None, text: str, *, now: bool = False) -> None:
        """Show how far something is; ``None`` when that is not known."""
        percent = "" if fraction is None else f" {fraction:4.0%}"
        self.show(Shown(f"{text}{percent}", progress_html(fraction, escape(text))), now=now)

    def line(self, text: str) -> None:
        """Show how it ended, in one line."""
        self.show(Shown(text, f'<p style="opacity:.72;margin:0">{escape(text)}</p>'), now=True)

    def __enter__(self) -> Display:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._terminal and self._last:
            sys.stderr.write("\n")
            sys.stderr.flush()
