"""The audit log over HTTP: filters, the check of its chain, the file."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from dapp_ext.schema.accounts import Role
from tests.handlers.serving import Caller


async def test_filters_check_and_file(services: Any, owner: Caller, signed_in: Callable[[Role], Caller]) -> None:
    analyst = signed_in(Role.analyst)
    for path in ("/audit", "/audit/verify", "/audit/export"):
        assert (await analyst("GET", path)).status == 403
    denied = (await owner("GET", "/audit", outcome="deny", action="audit")).json["items"]
    assert {row["action"] for row in denied} == {"audit.list", "audit.verify", "audit.export"}
    assert (await owner("GET", "/audit", since="2099-01-01T00:00:00Z")).json["items"] == []
    assert (await owner("GET", "/audit", outcome="perhaps")).status == 422
    assert (await owner("GET", "/audit", until="1.5e-07")).status == 422, "a moment is written out"
    checked = (await owner("GET", "/audit/verify")).json
    assert checked["ok"]
    head = checked["head"]
    assert (await owner("GET", "/audit/verify", seq=head["seq"], mac=head["mac"])).json["against_head"]
    assert not (await owner("GET", "/audit/verify", seq=head["seq"] + 1000, mac=head["mac"])).json["ok"]
    assert (await owner("GET", "/audit/verify", seq=head["seq"])).status == 422
    lines = (await owner("GET", "/audit/export")).body.decode().splitlines()
    assert "head" in json.loads(lines[-1])
    table = await owner("GET", "/audit/export", format="csv", action="audit")
    assert table.headers["Content-Disposition"].startswith("attachment")
    assert table.body.startswith(b"id,at,actor_id")
