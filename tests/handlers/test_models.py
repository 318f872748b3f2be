"""Models over HTTP: versions, champions, steering, batches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dapp_ext.schema.accounts import Role
from tests.handlers.serving import Caller

SAMPLES = Path(__file__).parents[2] / "dapp_ext" / "samples"
Run = Callable[[], None]


async def _train(owner: Caller, run_jobs: Run, **given: Any) -> dict[str, Any]:
    if (await owner("GET", "/datasets/penguins")).status == 404:
        await owner("POST", "/datasets", (SAMPLES / "penguins.csv").read_bytes(), filename="penguins.csv")
        await asyncio.to_thread(run_jobs)
    recipe = {"dataset": "penguins", "target": "species", "trials": 1, "families": ["linear"], "name": "Birds", **given}
    made = await owner("POST", "/models", recipe)
    assert made.status == 202, made.json
    await asyncio.to_thread(run_jobs)
    found: dict[str, Any] = (await owner("GET", f"/models/{made.json['id']}")).json
    return found


async def test_versions_and_champions(owner: Caller, run_jobs: Run, signed_in: Callable[[Role], Caller]) -> None:
    first, second = await _train(owner, run_jobs), await _train(owner, run_jobs, seed=1)
    assert (first["version"], second["version"], second["status"]) == (1, 2, "ready")
    promoted = await owner("POST", f"/models/{first['id']}/promote", {"reason": "Simpler."})
    assert (promoted.status, promoted.json["champion"]) == (200, True)
    assert (await owner("GET", "/models/Birds")).json["id"] == first["id"]
    assert (await owner("GET", "/models/Birds%402")).json["id"] == second["id"]
    await owner("POST", "/models/Birds%402/promote", {"reason": "Better."})
    assert (await owner("POST", "/models/Birds/rollback", {"reason": "Not better."})).json["version"] == 1
    listing = (await owner("GET", "/models/Birds/versions")).json
    assert (listing["champion"], [each["version"] for each in listing["versions"]]) == (1, [2, 1])
    assert [each["reason"] for each in listing["promotions"]] == ["Not better.", "Better.", "Simpler."]
    compared = await owner("GET", "/models/compare", a="Birds@1", b="Birds@2")
    assert compared.json["a"]["version"] == 1
    assert (await owner("GET", "/models/compare", a="Birds@1")).status == 422
    assert (await owner("POST", "/models/Birds/promote", {})).status == 422
    noted = await owner("PATCH", f"/models/{first['id']}", {"notes": "Pilot.", "tags": ["pilot"]})
    assert (noted.json["notes"], noted.json["tags"]) == ("Pilot.", ["pilot"])
    viewer = signed_in(Role.viewer)
    assert (await viewer("POST", "/models/Birds/promote", {"reason": "Mine."})).status == 403
    assert (await viewer("GET", "/models/Birds/versions")).status == 200
    assert (await owner("GET", "/models/Birds/results")).json["test_looks"] >= 1


async def test_steering_and_refusals(owner: Caller, run_jobs: Run) -> None:
    done = await _train(owner, run_jobs)
    late = await owner("POST", f"/models/{done['id']}/extend", {"seconds": 60})
    assert (late.status, late.code) == (409, "conflict")
    waiting = (await owner("POST", "/models", {"dataset": "penguins", "target": "species"})).json
    assert (await owner("POST", f"/models/{waiting['id']}/extend", {"seconds": 60})).json["time_budget"] == 120
    assert (await owner("POST", f"/models/{waiting['id']}/skip", {"family": "forest"})).json["skipped"] == ["forest"]
    assert (await owner("POST", f"/models/{waiting['id']}/skip", {"family": "magic"})).status == 422
    for wrong in ({"params": {"linear": {"zzz": 1}}}, {"metric": "zzz"}, {"validation": "time"}):
        refused = await owner("POST", "/models", {"dataset": "penguins", "target": "species", **wrong})
        assert (refused.status, refused.code) == (422, "invalid"), wrong
    await owner("POST", f"/jobs/{waiting['job_id']}/cancel")
    assert (await owner("GET", f"/models/{waiting['id']}")).json["status"] == "cancelled"


async def test_a_batch_is_one_job(owner: Caller, run_jobs: Run) -> None:
    await _train(owner, run_jobs)
    refused = await owner("POST", "/models/batch", {"datasets": ["penguins", "nothing"], "target": "species"})
    assert (refused.status, refused.json["error"]["details"]["datasets"][0]["code"]) == (422, "dataset_not_found")
    batch = await owner("POST", "/models/batch", {"datasets": ["penguins"], "target": "species", "trials": 1, "families": ["linear"]})
    assert (batch.status, batch.json["kind"], len(batch.json["lines"])) == (202, "batch", 1)
    await asyncio.to_thread(run_jobs)
    assert (await owner("GET", f"/jobs/{batch.json['id']}")).json["status"] == "succeeded"


@pytest.mark.parametrize("path", ["/models/batch", "/models/compare"])
async def test_words_that_are_addresses_are_no_names(owner: Caller, path: str) -> None:
    answer = await owner("DELETE", path)
    assert (answer.status, answer.code) == (405, "method_not_allowed")
