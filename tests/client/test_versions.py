"""Versions, fixes and sharing from a notebook, against a real server with its worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapp_ext.client import DAPPClient
from dapp_ext.errors import AccountNotFound, Conflict, DatasetNotFound, Denied, Invalid
from dapp_ext.schema.accounts import Role
from tests.client.server import PASSWORD, JupyterServer, add_account
from tests.handlers.troubled import SHOWN, TROUBLED

SHORT = ("duplicate_rows", "missing_values", "constant_column")


def _mend(client: DAPPClient, code: str) -> None:
    dataset = client.upload_file(TROUBLED[code], name=f"troubled by {code}")
    before = dataset.frame()
    finding = next(each for each in dataset.profile().findings if each.code == code)
    assert finding.fix is not None
    dataset.fix(finding.fix.code, finding.columns, **finding.fix.options)
    assert (dataset.status, dataset.version) == ("ready", 2)
    assert not dataset.frame().equals(before), code
    assert dataset.versions()[0].fix == finding.fix.code
    dataset.undo_fix()
    assert dataset.version == 3
    assert dataset.frame().equals(before), code
    dataset.delete()


@pytest.mark.parametrize("code", SHORT)
def test_a_fix_and_back(client: DAPPClient, code: str) -> None:
    _mend(client, code)


@pytest.mark.long
@pytest.mark.parametrize("code", sorted(set(TROUBLED) - set(SHORT)))
def test_every_other_fix_and_back(client: DAPPClient, code: str) -> None:
    _mend(client, code)


def _show(client: DAPPClient, code: str, path: Path) -> None:
    shown = SHOWN[code]
    file = path / shown.filename
    file.write_bytes(shown.data)
    dataset = client.upload_file(file, name=f"shows {code}", read=shown.options or None)
    finding = next(each for each in dataset.profile().findings if each.code == code)
    assert (tuple(finding.rows), finding.fix) == (shown.rows, None)
    if shown.again is not None:
        dataset.read_again(shown.again)
        assert code not in [each.code for each in dataset.profile().findings]
        dataset.restore(1)
        assert code in [each.code for each in dataset.profile().findings]
    dataset.delete()


@pytest.mark.parametrize("code", ["left_out"])
def test_what_has_no_fix_is_shown_and_read_again(client: DAPPClient, code: str, tmp_path: Path) -> None:
    _show(client, code, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("code", sorted(set(SHOWN) - {"left_out"}))
def test_what_else_has_no_fix_is_shown_and_read_again(client: DAPPClient, code: str, tmp_path: Path) -> None:
    _show(client, code, tmp_path)


def test_versions_of_a_dataset(client: DAPPClient) -> None:
    dataset = client.upload_file(b"a;b\n1,5;x\n2,5;y\n", name="versions of mine")
    assert dataset.frame()["a"].tolist() == [1.5, 2.5]
    dataset.read_again({"header": False})
    assert (dataset.version, dataset.rows) == (2, 3)
    import pandas as pd

    dataset.upload_version(pd.DataFrame({"a": [1.5, 9.5], "c": [True, False]}))
    assert (dataset.version, dataset.columns) == (3, ["a", "c"])
    compared = dataset.compare(1)
    assert {column.name: column.change for column in compared.columns} == {"a": "changed", "b": "removed", "c": "added"}
    assert "1 column removed" in repr(compared)
    assert "removed" in compared._repr_html_()
    dataset.restore(1)
    assert (dataset.version, dataset.rows) == (4, 2)
    assert [each.origin for each in dataset.versions()] == ["restore", "upload", "reread", "upload"]
    assert "brought back" in repr(dataset.lineage())
    assert dataset.dependents().versions == 4
    with pytest.raises(Conflict):
        dataset.restore(4)
    assert dataset.dependents(1).later
    with pytest.raises(Conflict, match=r"later versions? made from it.*delete_version\(1, force=True\)"):
        dataset.delete_version(1)
    dataset.delete_version(1, force=True)
    assert [each.version for each in dataset.versions()] == [4, 3, 2]
    with pytest.raises(Conflict, match="in use"):
        dataset.delete_version(4, force=True)
    with pytest.raises(Invalid, match="Known are"):
        dataset.read_again({"speed": 9})


def test_sharing_by_name(client: DAPPClient, jupyter: JupyterServer) -> None:
    add_account(client, "grace@example.org", Role.analyst)
    dataset = client.upload_file(b"a,b\n1,2\n3,4\n", name="for grace alone", visibility="private")
    with DAPPClient(jupyter.url) as other:
        other.login("grace@example.org", PASSWORD)
        with pytest.raises(DatasetNotFound):
            other.dataset(dataset.id)
        assert [each.level for each in dataset.share_with("grace")] == ["use"]
        assert other.dataset("for grace alone").frame()["a"].tolist() == [1, 3]
        assert other.dataset(dataset.id).read.access == "use"
        with pytest.raises(Denied):
            other.dataset(dataset.id).delete()  # before it says what would be lost: it is not theirs to lose
        assert "grace@example.org" in repr(dataset.shared_with())
        with pytest.raises(Conflict, match=r"one person it is shared with.*force=True"):
            dataset.delete()
        assert list(dataset.share_with("grace@example.org", None)) == []
        with pytest.raises(DatasetNotFound):
            other.dataset(dataset.id)
    with pytest.raises(AccountNotFound):
        dataset.share_with("nobody at all")
    assert client.usage().used > 0
