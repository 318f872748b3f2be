"""For every finding that offers a fix: the report, the rows, the press and the way back, as the dashboard's pages ask for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from dapp_ext.schema.accounts import Role
from dapp_ext.schema.datasets import DatasetRead
from tests.handlers.troubled import SHOWN, TROUBLED
from tests.panel.visiting import Visit

Ask = Callable[..., Any]
SHORT = ("duplicate_rows", "disguised_missing", "mixed_types", "totals_row", "spelling_variants")


def _asking(visitor: Visit) -> Ask:
    """What a page does to ask; a failure of the call fails the test."""

    def ask(name: str, **params: Any) -> Any:
        answer = visitor.call(name, **params)
        assert "ok" in answer, (name, params, answer)
        return answer["ok"]

    return ask


@pytest.mark.parametrize("codes", [SHORT, pytest.param(sorted(set(TROUBLED) - set(SHORT)), marks=pytest.mark.long)], ids=["short", "the others"])
def test_every_fix_and_back(codes: Sequence[str], visit: Callable[..., Visit], upload: Callable[..., DatasetRead], run_jobs: Callable[[], None]) -> None:
    maya = visit("maya")
    ask = _asking(maya)
    made = {code: upload(maya.actor, TROUBLED[code], f"{code}.csv").id for code in codes}
    run_jobs()
    before = {code: _look(ask, ref, code) for code, ref in made.items()}
    for code, ref in made.items():
        finding = before[code]["finding"]
        asked = {"code": finding["fix"]["code"], "columns": finding["columns"], "options": finding["fix"]["options"]}
        queued = ask("datasets.fix", ref=ref, version=1, **asked)
        assert (queued["version"], queued["status"], queued["origin"]) == (2, "processing", "fix"), code
    run_jobs()
    for code, ref in made.items():
        mended = ask("datasets.get", ref=ref)
        assert (mended["version"], mended["status"]) == (2, "ready"), code
        assert ask("datasets.rows", ref=ref, limit=1000, text_limit=None)["rows"] != before[code]["rows"], code
        undone = ask("datasets.undo", ref=ref)
        assert (undone["version"], undone["status"], undone["origin"]) == (3, "ready", "undo"), code
        after = _look(ask, ref, code)
        assert (after["rows"], after["findings"]) == (before[code]["rows"], before[code]["findings"]), code
        assert [each["origin"] for each in ask("datasets.versions", ref=ref)["items"]] == ["undo", "fix", "upload"], code


@pytest.mark.parametrize("codes", [sorted(SHOWN)], ids=["all"])
def test_what_has_no_fix_is_shown_and_read_again(
    codes: Sequence[str], visit: Callable[..., Visit], upload: Callable[..., DatasetRead], run_jobs: Callable[[], None]
) -> None:
    maya = visit("maya")
    ask = _asking(maya)
    refs = {code: upload(maya.actor, SHOWN[code].data, SHOWN[code].filename, options=SHOWN[code].options).id for code in codes}
    run_jobs()
    for code, ref in refs.items():
        finding = next(each for each in ask("datasets.profile", ref=ref)["findings"] if each["code"] == code)
        assert (tuple(finding["rows"]), finding["fix"]) == (SHOWN[code].rows, None), finding
        if SHOWN[code].again is not None:
            ask("datasets.reread", ref=ref, **SHOWN[code].again)
    run_jobs()
    for code in [code for code in codes if SHOWN[code].again is not None]:
        assert code not in [each["code"] for each in ask("datasets.profile", ref=refs[code])["findings"]]
        assert ask("datasets.restore", ref=refs[code], version=1)["version"] == 3
        assert code in [each["code"] for each in ask("datasets.profile", ref=refs[code])["findings"]]


def _look(ask: Ask, ref: str, code: str) -> dict[str, Any]:
    """What the pages Health and Rows show of a dataset, and its finding; the rows that the finding names are there to be shown."""
    profile = ask("datasets.profile", ref=ref)
    rows = ask("datasets.rows", ref=ref, limit=1000, text_limit=None)["rows"]
    finding = next(each for each in profile["findings"] if each["code"] == code)
    assert finding["fix"]["sentence"]
    assert all(row < len(rows) for row in finding["rows"]), code
    return {"rows": rows, "findings": profile["findings"], "finding": finding}


def test_a_viewer_is_told_that_a_fix_is_not_theirs(visit: Callable[..., Visit], upload: Callable[..., DatasetRead], run_jobs: Callable[[], None]) -> None:
    maya, tom = visit("maya"), visit("tom", Role.viewer)
    ref = upload(maya.actor, TROUBLED["duplicate_rows"], "shared.csv", visibility="team").id
    run_jobs()
    assert _asking(tom)("datasets.profile", ref=ref)["findings"]
    assert tom.call("datasets.fix", ref=ref, code="drop_duplicate_rows")["error"]["code"] == "denied"
    assert tom.call("datasets.undo", ref=ref)["error"]["code"] == "denied"
