"""A result as one page of its own: nothing to load, nothing that runs, good on paper, stamped with what it was made from."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from dapp_ext.client.charts import curves_svg, scatter_svg, score_svg
from dapp_ext.client.drawing import escape, number
from dapp_ext.schema.insights import TableRead
from dapp_ext.schema.models import Confusion, Guard, ModelRead, Results
from dapp_ext.schema.shares import SharedInsight

_STATES = {"passed": "Passed", "done": "Corrected", "alerted": "Look at this"}
_TRUTHS = {"True": "Yes", "False": "No"}
_DRIVERS = 12
_STYLE = """
:root{color-scheme:light dark;--ink:#13211f;--soft:#4d5e5b;--line:#dbe3e0;--paper:#fff;--back:#f5f7f6;--accent:#0b6b74;--bad:#b3261e;--warn:#8f5400;--good:#1c7448}
@media(prefers-color-scheme:dark){:root{--ink:#e9f0ee;--soft:#b3c1be;--line:#2f3d40;--paper:#171f21;--back:#0f1516;--accent:#5fc9d2;--bad:#ff9a91;--warn:#f2b964;--good:#72d3a0}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:16px/1.55 Inter,system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
main{max-width:860px;margin:0 auto;padding:32px 20px 64px}
h1{font-size:28px;line-height:1.2;margin:0 0 4px}h2{font-size:19px;margin:0 0 12px}
p{margin:0 0 12px}.soft{color:var(--soft);font-size:14px}
section,.notice{background:var(--paper);border:1px solid var(--line);border-radius:14px;padding:20px 22px;margin:16px 0;break-inside:avoid}
.said{font-size:22px;line-height:1.4;font-weight:600}
.notice{font-size:14px;color:var(--soft)}
.lamp{border-left:5px solid var(--good);padding-left:14px}.lamp.warn{border-color:var(--warn)}.lamp.bad{border-color:var(--bad)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:7px 10px 7px 0;border-bottom:1px solid var(--line);vertical-align:top;font-weight:400;overflow-wrap:break-word}
.n,.state{white-space:nowrap}.wide th{max-width:32ch}
thead th{color:var(--soft);font-size:14px}td.n,th.n{text-align:right}
.bars div{display:grid;grid-template-columns:minmax(90px,30%) 1fr 60px;gap:10px;align-items:center;margin:5px 0}
.bars i{display:block;height:12px;border-radius:4px;background:var(--accent);min-width:2px}
.charts{display:flex;flex-wrap:wrap;gap:18px}.charts svg{max-width:100%;height:auto}
.wide{overflow-x:auto}.shown{display:block;max-width:100%;height:auto;margin:0 auto;background:#fff;border-radius:8px}
footer{color:var(--soft);font-size:14px;margin-top:24px}
@media(max-width:559px){main{padding:20px 14px 48px}section,.notice{padding:16px}.drawn{display:none}th,td{padding-right:8px}.bars div{grid-template-columns:minmax(90px,40%) 1fr 44px}}
@media print{:root{color-scheme:light;--ink:#000;--soft:#333;--line:#bbb;--paper:#fff;--back:#fff;--accent:#0b6b74}main{padding:0;max-width:none}section{border-color:#bbb}.no-print{display:none}a{color:inherit}}
@page{margin:18mm 15mm}
"""


def report(model: ModelRead, results: Results, *, shared: str = "") -> str:
    """The page.

    Parameters
    ----------
    model, results : ModelRead, Results
        What is told.
    shared : str
        A sentence at the top of a page that is opened by a link.
    """
    made = datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC")
    results = _in_words(results)
    parts = [
        f'<p class="notice no-print">{escape(shared)}</p>' if shared else "",
        f"<header><h1>{escape(model.name)}</h1>"
        f'<p class="soft">Predicts {escape(results.target)} from {escape(results.dataset.name)}, version {results.dataset_version} · '
        f"model version {model.version} · trained {model.updated_at.astimezone(UTC).strftime('%d %B %Y, %H:%M UTC')}</p></header>",
        _verdict(results),
        _scores(results),
        _drivers(results),
        _confusion(results.confusion),
        _charts(results),
        _guards(results.guards),
        _recipe(model, results),
        f"<footer>Report made {made} from {escape(results.dataset.name)}, version {results.dataset_version}. Importance is not cause.</footer>",
    ]
    return _page(f"{model.name} · result", parts)


def report_insight(of: SharedInsight, *, shared: str = "") -> str:
    """A chart or table that was published, as one page of its own."""
    insight = of.insight
    about = [each.name for each in (insight.dataset, insight.model) if each is not None]
    version = f", version {insight.dataset_version}" if insight.dataset is not None and insight.dataset_version else ""
    stamp = f"Published {insight.created_at.astimezone(UTC).strftime('%d %B %Y, %H:%M UTC')} by {insight.owner.name or 'someone'}"
    picture = ""
    if of.picture is not None:
        data = base64.b64encode(of.picture).decode()
        size = f' width="{insight.width}" height="{insight.height}"' if insight.width and insight.height else ""
        picture = f'<section><img class="shown" alt="{escape(insight.note or insight.title)}"{size} src="data:image/png;base64,{data}"></section>'
    parts = [
        f'<p class="notice no-print">{escape(shared)}</p>' if shared else "",
        f"<header><h1>{escape(insight.title)}</h1>"
        f'<p class="soft">{escape(stamp + (" · about " + " and ".join(about) + version if about else ""))}</p></header>',
        f"<p>{escape(insight.note)}</p>" if insight.note else "",
        picture,
        _table(of.table) if of.table is not None else "",
    ]
    return _page(insight.title, parts)


def _table(table: TableRead) -> str:
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in table.columns)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(_cell(value))}</td>' for value in row)}</tr>" for row in table.rows)
    left = f'<p class="soft">{len(table.rows):,} of {table.total:,} rows.</p>' if table.total > len(table.rows) else ""
    return f'<section><div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{left}</section>'


def _in_words(results: Results) -> Results:
    """The results with Yes and No where the target is a truth, as the pages say it; words of a text stay its own."""
    names = results.classes or []
    truth = results.target_column.kind == "boolean" if results.target_column else bool(names) and set(names) <= set(_TRUTHS)
    if not truth:
        return results
    confusion = results.confusion
    changed: dict[str, Any] = {
        "sentence": _quoted(results.sentence),
        "curves": [
            each.model_copy(update={"label": _TRUTHS.get(each.label, each.label), "x_label": _quoted(each.x_label), "y_label": _quoted(each.y_label)})
            for each in results.curves
        ],
        "confusion": confusion and confusion.model_copy(update={"classes": [_TRUTHS.get(name, name) for name in confusion.classes]}),
        "guards": [each.model_copy(update={"sentence": _quoted(each.sentence)}) for each in results.guards],
    }
    return results.model_copy(update=changed)


def _quoted(said: str) -> str:
    """A sentence of the service with the names of truths as people say them."""
    for name, word in _TRUTHS.items():
        said = said.replace(f"“{name}”", f"“{word}”")
    return said


def _cell(value: Any) -> str:
    """A cell as a table of numbers shows it: as many digits as it has, up to six that count."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _TRUTHS[str(value)]
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _page(title: str, parts: list[str]) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="robots" content="noindex"><title>{escape(title)}</title><style>{_STYLE}</style></head>'
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _verdict(results: Results) -> str:
    raised = sorted((each for each in results.guards if each.state == "alerted"), key=lambda each: {"alert": 0, "warning": 1, "info": 2}[each.severity])
    worst = raised[0] if raised else None
    if worst is None:
        tone, title, words = "good", "All checks passed", f"{len(results.guards)} checks were made before anything was scored."
    else:
        tone = "bad" if worst.severity == "alert" else "warn"
        title = "Do not rely on this yet" if tone == "bad" else "Use with care"
        words = worst.sentence + (f" And {len(raised) - 1} more, below." if len(raised) > 1 else "")
    return (
        f'<section><p class="said">{escape(results.sentence)}</p><div class="lamp {tone}"><strong>{title}</strong><p>{escape(words)}</p></div>'
        f'<p class="soft">{escape(results.split.sentence)}</p></section>'
    )


def _scores(results: Results) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(each.label)}</th><td class="n"><strong>{number(each.value)}</strong></td><td class="n">{number(each.low)} to {number(each.high)}</td>'
        f'<td class="n">{number(each.baseline)}</td><td class="drawn">{score_svg(each)}</td></tr>'
        for each in results.scores
    )
    head = '<tr><th scope="col">Score</th><th scope="col" class="n">This model</th><th scope="col" class="n">95% range</th><th scope="col" class="n">Guessing</th><td class="drawn"></td></tr>'
    return f'<section><h2>Scores on rows it had never seen</h2><div class="wide"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div></section>'


def _drivers(results: Results) -> str:
    drivers = [each for each in results.importances if each.value > 0][:_DRIVERS]
    if not drivers:
        return ""
    total = sum(max(0.0, each.value) for each in results.importances)
    most = drivers[0].value
    units = {each.name: each.unit for each in results.features}
    bars = "".join(
        f'<div><span>{escape(each.column + (f" ({units[each.column]})" if units.get(each.column) else ""))}</span><span><i style="width:{100 * each.value / most:.1f}%"></i></span><span>{each.value / total:.0%}</span></div>'
        for each in drivers
    )
    return f'<section><h2>What drives it</h2><p class="soft">How much worse it gets when a column is shuffled, as a share.</p><div class="bars">{bars}</div></section>'


def _confusion(of: Confusion | None) -> str:
    if of is None:
        return ""
    head = "".join(f'<th scope="col" class="n">said {escape(name)}</th>' for name in of.classes)
    rows = "".join(
        f'<tr><th scope="row">was {escape(name)}</th>{"".join(f"<td class=n>{count:,}</td>" for count in counts)}</tr>'
        for name, counts in zip(of.classes, of.counts, strict=True)
    )
    return f'<section><h2>Right and wrong</h2><div class="wide"><table><thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody></table></div></section>'


def _charts(results: Results) -> str:
    drawn = [*([scatter_svg(results.scatter)] if results.scatter else []), *curves_svg(results.curves)]
    return f'<section><h2>Curves</h2><div class="charts">{"".join(drawn)}</div></section>' if any(drawn) else ""


def _guards(guards: list[Guard]) -> str:
    rows = "".join(f"<tr><td class=state>{_STATES[each.state]}</td><td>{escape(each.sentence)}</td></tr>" for each in guards)
    head = '<thead><tr><th scope="col">State</th><th scope="col">What was found</th></tr></thead>'
    return f"<section><h2>Checks before anything was scored</h2><table>{head}<tbody>{rows}</tbody></table></section>"


def _recipe(model: ModelRead, results: Results) -> str:
    facts = [
        ("Kind of answer", f"{results.task}: {results.task_reason}"),
        ("Best of", f"{len(results.leaderboard)} candidates in {results.seconds:.0f} seconds: {results.best.label}"),
        ("Its settings", ", ".join(f"{name} {value}" for name, value in results.best.params.items()) or "as they come"),
        ("Columns", ", ".join(column.name for column in results.features)),
        ("Rows", f"{results.split.rows_train:,} to learn, {results.split.rows_test:,} locked away for the scores"),
        ("Seed", str(results.split.seed)),
        ("Libraries", ", ".join(f"{name} {version}" for name, version in results.libraries.items())),
        ("Model", model.id),
    ]
    rows = "".join(f'<tr><th scope="row">{name}</th><td>{escape(value)}</td></tr>' for name, value in facts)
    return f"<section><h2>How it was made</h2><table><tbody>{rows}</tbody></table></section>"
