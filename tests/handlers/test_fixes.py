"""For every finding that offers a fix: the rows that show it, the fix and the undo, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.handlers.serving import Caller
from tests.handlers.troubled import SHOWN, TROUBLED

Run = Callable[[], None]


@pytest.mark.parametrize("codes", [sorted(TROUBLED)], ids=["all"])
async def test_every_fix_and_back(owner: Caller, services: Any, run_jobs: Run, codes: Sequence[str]) -> None:
    for code in codes:
        data = TROUBLED[code]
        ref = (await owner("POST", "/datasets", data, filename=f"{code}.csv")).json["id"]
        run_jobs()
        first = (await owner("GET", f"/datasets/{ref}/rows")).json
        profile = (await owner("GET", f"/datasets/{ref}/profile")).json
        finding = next(each for each in profile["findings"] if each["code"] == code)
        assert set(finding["fix"]) == {"code", "sentence", "options"}, finding
        for row in finding["rows"]:
            assert 0 <= row < profile["rows"]
        asked = {"code": finding["fix"]["code"], "columns": finding["columns"], "options": finding["fix"]["options"]}
        queued = await owner("POST", f"/datasets/{ref}/fixes", asked)
        assert (queued.status, queued.json["version"], queued.json["status"]) == (202, 2, "processing"), code
        assert (await owner("GET", f"/jobs/{queued.json['job_id']}")).json["kind"] == "fix"
        run_jobs()
        mended = (await owner("GET", f"/datasets/{ref}/rows")).json
        assert (mended["version"], mended["rows"] != first["rows"]) == (2, True), code
        undone = await owner("POST", f"/datasets/{ref}/fixes/undo")
        assert (undone.status, undone.json["version"], undone.json["origin"]) == (200, 3, "undo")
        assert (await owner("GET", f"/datasets/{ref}/rows")).json["rows"] == first["rows"]


@pytest.mark.parametrize("codes", [sorted(SHOWN)], ids=["all"])
async def test_what_has_no_fix_is_shown_and_read_again(owner: Caller, services: Any, run_jobs: Run, codes: Sequence[str]) -> None:
    refs = {}
    for code in codes:
        shown = SHOWN[code]
        given = {name: json.dumps(value) if isinstance(value, dict) else value for name, value in shown.options.items()}
        refs[code] = (await owner("POST", "/datasets", shown.data, filename=shown.filename, **given)).json["id"]
    run_jobs()
    for code, ref in refs.items():
        profile = (await owner("GET", f"/datasets/{ref}/profile")).json
        finding = next(each for each in profile["findings"] if each["code"] == code)
        assert (tuple(finding["rows"]), finding["fix"]) == (SHOWN[code].rows, None), finding
        assert (await owner("POST", f"/datasets/{ref}/fixes", {"code": code, "columns": finding["columns"]})).code == "invalid", code
        if SHOWN[code].again is not None:
            assert (await owner("POST", f"/datasets/{ref}/versions", {"options": SHOWN[code].again})).status == 202, code
    run_jobs()
    for code in [code for code in codes if SHOWN[code].again is not None]:
        ref = refs[code]
        again = (await owner("GET", f"/datasets/{ref}/profile")).json
        assert (again["version"], code in [each["code"] for each in again["findings"]]) == (2, False), again["findings"]
        assert (await owner("POST", f"/datasets/{ref}/restore", {"version": 1})).json["version"] == 3
        back = (await owner("GET", f"/datasets/{ref}/profile")).json
        assert code in [each["code"] for each in back["findings"]]


async def test_what_cannot_be_mended(owner: Caller, services: Any, run_jobs: Run) -> None:
    ref = (await owner("POST", "/datasets", TROUBLED["duplicate_rows"], filename="a.csv")).json["id"]
    assert (await owner("POST", f"/datasets/{ref}/fixes", {"code": "duplicate_rows"})).code == "not_ready"
    run_jobs()
    assert (await owner("POST", f"/datasets/{ref}/fixes", {"code": "magic"})).code == "invalid"
    assert (await owner("POST", f"/datasets/{ref}/fixes", {"code": "drop_columns", "columns": ["zz"]})).code == "column_unknown"
    assert (await owner("POST", f"/datasets/{ref}/fixes", {"code": "fill_missing", "columns": ["a"], "options": {"how": 1}})).code == "invalid"
    assert (await owner("POST", f"/datasets/{ref}/fixes/undo")).code == "conflict"
    # The code of the finding itself does what its offer says.
    assert (await owner("POST", f"/datasets/{ref}/fixes", {"code": "duplicate_rows"})).status == 202
