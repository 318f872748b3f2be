"""The model card: one self-contained HTML page for people, with a print style; nothing is loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from dapp_ext.domain.learning.narrate import amount
from dapp_ext.schema.models import Guard, Results, Score

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1b1f24;max-width:52rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem;border-bottom:1px solid #d0d7de}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #eaeef2;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}.lead{font-size:1.15rem;margin:.8rem 0}
.alert{border-left:4px solid #cf222e;padding-left:.6rem}.warning{border-left:4px solid #9a6700;padding-left:.6rem}.info{border-left:4px solid #57606a;padding-left:.6rem}
.bar{background:#0969da;height:.7rem}.muted{color:#57606a;font-size:.9rem}
@media print{body{margin:0;max-width:none;font-size:11pt}h2{break-after:avoid}table,.alert,.warning,.info{break-inside:avoid}.bar{print-color-adjust:exact}}
@page{margin:18mm}
"""


def make_card(results: Results, told: dict[str, str] | None = None) -> str:
    """The page.

    Parameters
    ----------
    told : dict, optional
        Further facts by name, such as owner, version, date or notes.
    """
    facts = {
        "Dataset": f"{results.dataset.name}, version {results.dataset_version}",
        "Predicts": f"{results.target} ({results.task_reason})",
        "Learner": results.best.label,
        "Rows": results.split.sentence,
        **(told or {}),
    }
    worst = f'<p class="{escape(results.worst.severity)}">{escape(results.worst.sentence)}</p>' if results.worst else "<p>No check has found anything.</p>"
    parts = [
        f"<h1>{escape(results.model.name)}</h1>",
        f'<p class="lead">{escape(results.sentence)}</p>',
        worst,
        "<h2>What it is</h2>",
        _table(["", ""], [[escape(k), escape(v)] for k, v in facts.items()], numbers=()),
        "<h2>How good it is</h2>",
        f'<p class="muted">On {results.split.rows_test:,} rows that the search never saw, with 95 % intervals.</p>',
        _table(["Measure", "Score", "Interval", "Guessing"], [_score(s) for s in results.scores], numbers=(1, 2, 3)),
        f"<p>{escape(results.coverage.sentence)}</p>" if results.coverage else "",
        _confusion(results),
        "<h2>What it goes by</h2>",
        '<p class="muted">How much worse the score gets when a column is shuffled. This is no proof of cause.</p>',
        _drivers(results),
        "<h2>What was checked</h2>",
        _table(["Check", "State", "Finding"], [_guard(g) for g in results.guards], numbers=()),
        "<h2>How it was made</h2>",
        _table(
            ["", ""], [[escape(k), escape(str(v))] for k, v in {**results.best.params, "seed": results.split.seed, **results.libraries}.items()], numbers=()
        ),
    ]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(results.model.name)}: model card</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>'


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> str:
    def cells(row: Sequence[str], tag: str) -> str:
        return "".join(f"<{tag}{' class=n' if i in numbers else ''}>{cell}</{tag}>" for i, cell in enumerate(row))

    top = f"<thead><tr>{cells([escape(h) for h in head], 'th')}</tr></thead>" if any(head) else ""
    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    return f"<table>{top}<tbody>{body}</tbody></table>"


def _score(score: Score) -> list[str]:
    return [escape(score.label), amount(score.value), f"{amount(score.low)} to {amount(score.high)}", amount(score.baseline)]


def _guard(guard: Guard) -> list[str]:
    return [escape(guard.code.replace("_", " ")), escape(guard.state), f'<div class="{escape(guard.severity)}">{escape(guard.sentence)}</div>']


def _drivers(results: Results) -> str:
    shown = [i for i in results.importances if i.value > 0][:10]
    if not shown:
        return "<p>No column matters measurably.</p>"
    most = shown[0].value
    rows = [[escape(i.column), f'<div class="bar" style="width:{max(100 * i.value / most, 1):.0f}%"></div>'] for i in shown]
    return _table(["", ""], rows, numbers=())


def _confusion(results: Results) -> str:
    if results.confusion is None or len(results.confusion.classes) > 12:
        return ""
    head = ["", *(f"named “{c}”" for c in results.confusion.classes)]
    rows = [[escape(f"really “{c}”"), *(f"{n:,}" for n in counts)] for c, counts in zip(results.confusion.classes, results.confusion.counts, strict=True)]
    return _table(head, rows, numbers=range(1, len(head)))
