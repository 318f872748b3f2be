"""For every finding that offers a fix: the rows that show it, the fix and the undo, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.handlers.serving import Caller
from tests.handlers.troubled import TROUBLED

Run = Callable[[], None]


async def test_every_fix_and_back(owner: Caller, services: Any, run_jobs: Run) -> None:
    for code, data in TROUBLED.items():
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
