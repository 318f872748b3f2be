"""From a finding to its fix and back, as at every door: the file, the report, the press, the new version, the undo."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dapp_ext.errors import Conflict, Denied, Invalid
from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.datasets import DatasetRead, RowsRequest
from dapp_ext.schema.fixes import FixOptions, FixRequest
from dapp_ext.schema.versions import RestoreRequest
from dapp_ext.services import Services
from tests.handlers.troubled import TROUBLED

Person = Callable[[str, Role], Actor]
Upload = Callable[..., DatasetRead]
Run = Callable[[], None]


@pytest.fixture
def table(services: Services, owner: Actor, upload: Upload, run_jobs: Run) -> DatasetRead:
    made = upload(owner, b"a,b\n1,x\n1,x\n2,unknown\n,y\n3,y\n", "t.csv")
    run_jobs()
    return services.datasets.get(owner, made.id)


def _rows(services: Services, actor: Actor, ref: str, version: int | None = None) -> list[list[object]]:
    return services.datasets.rows(actor, ref, RowsRequest(version=version)).rows


def test_every_fix_and_back(services: Services, owner: Actor, upload: Upload, run_jobs: Run) -> None:
    for code, data in TROUBLED.items():
        _there_and_back(services, owner, upload(owner, data, f"{code}.csv").id, code, run_jobs)


def _there_and_back(services: Services, owner: Actor, ref: str, code: str, run_jobs: Run) -> None:
    run_jobs()
    before = services.datasets.profile(owner, ref)
    finding = next(each for each in before.findings if each.code == code)
    assert finding.fix is not None, code
    asked = FixRequest(code=finding.fix.code, columns=finding.columns, options=FixOptions.model_validate(finding.fix.options))
    queued = services.fixes.apply(owner, ref, asked)
    assert (queued.version, queued.status, queued.origin) == (2, "processing", "fix")
    run_jobs()
    now = services.datasets.get(owner, ref)
    assert (now.version, now.status) == (2, "ready"), services.versions.list(owner, ref).items[0].error
    assert _rows(services, owner, ref) != _rows(services, owner, ref, 1), code
    after = services.datasets.profile(owner, ref)
    if code != "skewed":  # a logarithm may still be uneven
        assert code not in [each.code for each in after.findings if each.columns == finding.columns]
    listed = services.versions.list(owner, ref).items[0]
    assert (listed.fix, listed.from_version) == (finding.fix.code, 1)
    assert listed.sentence not in ("", "Being mended")
    undone = services.fixes.undo(owner, ref)
    assert (undone.version, undone.status, undone.origin) == (3, "ready", "undo")
    assert _rows(services, owner, ref) == _rows(services, owner, ref, 1), code
    assert services.datasets.profile(owner, ref).findings == before.findings


def test_fixes_are_taken_back_one_after_the_other(services: Services, owner: Actor, table: DatasetRead, run_jobs: Run) -> None:
    states = [_rows(services, owner, table.id)]
    for code in ("duplicate_rows", "missing_values"):
        services.fixes.apply(owner, table.id, FixRequest(code=code))
        run_jobs()
        states.append(_rows(services, owner, table.id))
    assert states[0] != states[1] != states[2]
    assert services.datasets.get(owner, table.id).report is not None
    services.fixes.undo(owner, table.id)
    assert _rows(services, owner, table.id) == states[1]
    services.fixes.undo(owner, table.id)
    assert _rows(services, owner, table.id) == states[0]
    with pytest.raises(Conflict, match="does not rest on a fix"):
        services.fixes.undo(owner, table.id)
    services.versions.restore(owner, table.id, RestoreRequest(version=3))
    services.fixes.undo(owner, table.id)
    assert _rows(services, owner, table.id) == states[1]


def test_what_cannot_be_done_is_said_before_or_at_the_version(services: Services, owner: Actor, person: Person, table: DatasetRead, run_jobs: Run) -> None:
    with pytest.raises(Invalid, match="no fix"):
        services.fixes.apply(owner, table.id, FixRequest(code="polish"))
    for role, name in ((Role.viewer, "vera"), (Role.analyst, "alan")):
        with pytest.raises(Denied):
            services.fixes.apply(person(name, role), table.id, FixRequest(code="duplicate_rows"))
    services.fixes.apply(owner, table.id, FixRequest(code="convert", columns=["b"]))
    run_jobs()
    now = services.datasets.get(owner, table.id)
    assert (now.version, now.status) == (1, "ready")
    assert now.pending is not None
    assert (now.pending.status, now.pending.error) == ("failed", "No value of column 'b' is a number.")
