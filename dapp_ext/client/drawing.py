"""How things look in a notebook and as text: everything escaped, readable in light and dark.

Colours come from the theme of the page where it has one; the few of our own have at least 3:1 against white and black.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape as _escape
from typing import Any

BLUE, ORANGE, GREEN, RED, GREY = "#2f7fd6", "#c8741a", "#2e9e5b", "#d64545", "#808790"
TONES = {"good": GREEN, "busy": BLUE, "bad": RED, "warn": ORANGE, "calm": GREY}

_UNITS = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))
_WIDEST = 60
_LINE = "var(--jp-border-color2, rgba(128,128,128,.3))"
_STYLE = (
    "<style>"
    f".dapp-card{{border:1px solid {_LINE};border-radius:8px;padding:12px 16px;margin:4px 0;max-width:960px;"
    "font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:13px;line-height:1.5;overflow-wrap:anywhere;color:var(--jp-ui-font-color1,inherit)}"
    ".dapp-card section{margin-top:14px}.dapp-card h4{margin:0 0 2px;font-size:15px;font-weight:600}.dapp-card section>h5{margin:0 0 4px;font-size:13px;font-weight:600}"
    ".dapp-card p{margin:4px 0}.dapp-soft{opacity:.72}.dapp-lead{font-size:14px}"
    ".dapp-badge{display:inline-block;border:1px solid currentColor;border-radius:10px;padding:0 8px;font-size:11px;margin-left:8px;vertical-align:2px}"
    ".dapp-scroll{overflow-x:auto;max-width:100%}"
    ".dapp-card table.dapp-table{border-collapse:collapse;margin:2px 0;font-size:12.5px}"
    f".dapp-card .dapp-table th{{text-align:left;font-weight:600;border-bottom:1px solid {_LINE};padding:3px 14px 3px 0;white-space:nowrap}}"
    f".dapp-card .dapp-table td{{text-align:left;border-bottom:1px solid {_LINE};padding:3px 14px 3px 0;vertical-align:middle;background:none;max-width:420px;overflow-wrap:anywhere}}"
    ".dapp-card .dapp-table tr{background:none}.dapp-card .dapp-table .dapp-num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}"
    ".dapp-card .dapp-data td{white-space:nowrap}"
    ".dapp-row{display:flex;flex-wrap:wrap;gap:18px;align-items:flex-start}.dapp-row>*{min-width:0}"
    ".dapp-track{background:rgba(128,128,128,.22);border-radius:4px;height:8px;min-width:120px;overflow:hidden}"
    f".dapp-fill{{background:{BLUE};height:8px;border-radius:4px}}"
    "</style>"
)


def escape(value: Any) -> str:
    """Text that is safe inside HTML and inside quoted attributes."""
    return _escape(str(value), quote=True)


def card(title: str, *parts: str, badge: str = "") -> str:
    """A frame with a title around pieces of ready HTML; ``title`` is plain text."""
    head = f"<h4>{escape(title)}{badge}</h4>" if title else ""
    return f'{_STYLE}<div class="dapp-card">{head}{"".join(parts)}</div>'


def badge(text: str, tone: str = "calm") -> str:
    """A word in a rounded frame. Tones: good, busy, bad, warn, calm."""
    return f'<span class="dapp-badge" style="color:{TONES[tone]}">{escape(text)}</span>'


def paragraph(text: str, kind: str = "") -> str:
    """Plain text; kinds: soft, lead."""
    return f'<p class="dapp-{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def section(title: str, *parts: str) -> str:
    """A heading over pieces of ready HTML."""
    return f"<section><h5>{escape(title)}</h5>{''.join(parts)}</section>"


class Html(str):
    """Ready HTML inside a table cell; everything else in a cell is escaped."""

    __slots__ = ()


def table(headers: Sequence[str], rows: Iterable[Sequence[Any]], *, numeric: Sequence[int] = (), one_line: bool = False) -> str:
    """A table that scrolls sideways where it is too wide; columns in ``numeric`` stand on the right.

    With ``one_line`` no cell is broken into lines, as rows of data read best.
    """

    def cell(tag: str, at: int, value: Any) -> str:
        kind = ' class="dapp-num"' if at in numeric else ""
        return f"<{tag}{kind}>{value if isinstance(value, Html) else escape('' if value is None else value)}</{tag}>"

    head = "".join(cell("th", at, value) for at, value in enumerate(headers))
    body = "".join("<tr>" + "".join(cell("td", at, value) for at, value in enumerate(row)) + "</tr>" for row in rows)
    kind = " dapp-data" if one_line else ""
    return f'<div class="dapp-scroll"><table class="dapp-table{kind}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def bar(share: float, color: str = BLUE) -> Html:
    """A bar that fills a share (0 to 1) of its track."""
    width = 100 * min(max(share, 0.0), 1.0)
    return Html(f'<div class="dapp-track" role="presentation"><div class="dapp-fill" style="width:{width:.1f}%;background:{color}"></div></div>')


def progress_html(fraction: float | None, label: str) -> str:
    """A progress bar; ``label`` is ready HTML."""
    percent = "" if fraction is None else f"{fraction:.0%}"
    value = "" if fraction is None else f' value="{fraction:.4f}"'
    return (
        f'{_STYLE}<div class="dapp-card" role="status">{label} <span class="dapp-soft">{percent}</span><br>'
        f'<progress max="1"{value} style="width:min(420px,100%);accent-color:{BLUE}"></progress></div>'
    )


def text_table(headers: Sequence[str], rows: Iterable[Sequence[Any]], *, numeric: Sequence[int] = ()) -> str:
    """The same table for a terminal."""
    lines = [[_clipped(str(each)) for each in headers]] + [["" if each is None else _clipped(str(each)) for each in row] for row in rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(headers))]
    return "\n".join("  ".join(each.rjust(widths[at]) if at in numeric else each.ljust(widths[at]) for at, each in enumerate(line)).rstrip() for line in lines)


def _clipped(text: str) -> str:
    """A cell that leaves room for the others."""
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def number(value: Any, like: float | None = None) -> str:
    """A number for people: separators in large ones, four significant digits in broken ones.

    With ``like``, as many decimals as that one needs and in its unit, so that what stands side by side is even:
    ``0.7560`` beside ``2.6923``, ``39.25 million`` beside ``168.74 million``.
    """
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if like is not None and math.isfinite(value) and math.isfinite(like) and (like or value):
        return _even(value, like or value)
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return "–"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    size = abs(value)
    if size >= 1e15 or size < 1e-4:
        return f"{value:.2e}"
    return f"{value:,.{_decimals(size)}f}"


def between(low: float, high: float, like: float) -> str:
    """Two ends as even as :func:`number` makes them, the unit told once: ``39.25 … 168.74 million``."""
    first, last = number(low, like), number(high, like)
    unit = last.partition(" ")[2]
    return f"{first.removesuffix(unit).rstrip() if unit else first} … {last}"


def with_spread(value: float | None, spread: float | None, like: float | None = None) -> str:
    """A value and how much it varies, both with the digits that the spread makes worth showing, or another one that stands near."""
    if value is None or not math.isfinite(value):
        return "–"
    if spread is None or not math.isfinite(spread):
        return number(value)
    telling = spread if like is None else like
    digits = 3 if telling <= 0 else min(max(1 - math.floor(math.log10(telling)), 0), 6)
    return f"{value:,.{digits}f} ± {spread:,.{digits}f}"


def even_rows(rows: Sequence[Sequence[Any]]) -> tuple[list[list[str]], list[int]]:
    """Rows of a table as texts, each column of numbers with the same decimals; and which columns hold numbers."""
    columns = [_even_column(values) for values in zip(*rows, strict=True)]
    return [list(row) for row in zip(*(texts for texts, _ in columns), strict=True)], [at for at, (_, is_number) in enumerate(columns) if is_number]


def _even_column(values: Sequence[Any]) -> tuple[list[str], bool]:
    numbers = [each for each in values if isinstance(each, (int, float)) and not isinstance(each, bool) and math.isfinite(each)]
    sizes = sorted(abs(each) for each in numbers if each)
    middle = sizes[len(sizes) // 2] if sizes else 0.0
    if all(each == int(each) for each in numbers) or not 1e-4 <= middle < 1e15:
        return [number(each) for each in values], bool(numbers)
    digits = max(_decimals(middle), 1)
    return [f"{each:,.{digits}f}" if any(each is one for one in numbers) else number(each) for each in values], True


def _decimals(size: float) -> int:
    """Those that make four significant digits."""
    return min(max(3 - math.floor(math.log10(size)), 0), 7)


def _even(value: float, like: float) -> str:
    size = abs(like)
    if size >= 1e15 or size < 1e-4:
        return f"{value:.2e}"
    unit, word = next((each for each in _UNITS if size >= each[0]), (1.0, ""))
    # Shares have four decimals, whatever they begin with.
    digits = 2 if word else 4 if size < 1 <= size * 100 else _decimals(size)
    return f"{value / unit:,.{digits}f} {word}".rstrip()


def labelled(name: str, unit: str | None) -> str:
    """A column's name with what its numbers are counted in: ``price (€)``."""
    return f"{name} ({unit})" if unit else name


def amount(count: int | None, one: str, many: str | None = None) -> str:
    """``1 row``, ``2 rows``; an unknown count gives the plain word."""
    if count is None:
        return many or one + "s"
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def size_text(size: float) -> str:
    """Bytes for people."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError("unreachable")


def duration(seconds: float) -> str:
    """Seconds for people."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def ago(moment: datetime) -> str:
    """How long something is past."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (datetime.now(UTC) - moment).total_seconds()
    if seconds < 60:
        return "just now"
    for size, unit in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return amount(int(seconds // size), unit) + " ago"
    return "just now"
