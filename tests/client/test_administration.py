"""People, passwords, the audit log and the platform, over a real server."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from dapp_ext.client import DAPPClient, sample_path
from dapp_ext.errors import AccountNotFound, Denied, LoginRefused, NotSignedIn
from dapp_ext.schema.accounts import Role

from .server import PASSWORD, JupyterServer


def test_an_account_from_its_making_to_its_end(jupyter: JupyterServer, client: DAPPClient) -> None:
    made = client.add_user("ines@example.org", "Ines", "viewer", PASSWORD)
    assert (made.role, made.email in repr(client.users())) == (Role.viewer, True)
    assert made.email in repr(client.quotas())
    with DAPPClient(jupyter.url).login("ines@example.org", PASSWORD) as ines:
        with pytest.raises(Denied):
            ines.users()
        with pytest.raises(LoginRefused):
            ines.change_password("another sentence of a test 8", "wrong")
        ines.change_password("another sentence of a test 8", PASSWORD)
        assert client.change_user("INES@example.org", role="analyst", name="Inés").name == "Inés"
        assert ines.whoami().role is Role.analyst
        client.change_user(made, disabled=True)
        with pytest.raises(NotSignedIn):
            ines.whoami()
    with pytest.raises(AccountNotFound, match="nobody@example"):
        client.change_user("nobody@example.org", disabled=True)
    rows = client.audit("account")
    assert {"account.create", "account.update"} <= {row.action for row in rows}
    assert "account.create" in repr(rows)
    assert len(client.audit(limit=3)) == 3


def test_a_ticket_and_the_platform(client: DAPPClient) -> None:
    assert client.ticket("websocket").purpose == "websocket"
    assert client.status().version
    assert client.status().jupyterlab


def test_links_and_undoing_a_deletion(client: DAPPClient) -> None:
    data = client.upload_file(pd.DataFrame({"town": ["Bonn", "Kiel"]}), "Towns of a test")
    shown = client.publish(pd.DataFrame({"n": [1, 2]}), "Numbers of a test")
    link = client.make_link(shown, days=2)
    assert (link.insight is not None and link.insight.name, link.token[:8]) == ("Numbers of a test", "dapp_sh_")
    assert "Numbers of a test" in repr(client.links())
    client.withdraw_link(link)
    assert link.id not in [each.id for each in client.links()]
    for thing in (data, shown):
        put = client.discard(thing)
        assert put.name in repr(client.deleted())
        assert client.restore(put).id == str(thing.id)
    assert client.get_processed_data(data).town.tolist() == ["Bonn", "Kiel"]
    client.erase(client.discard(shown))
    assert shown.id not in [each.id for each in client.deleted()]


def test_every_way_out_of_a_dataset(client: DAPPClient, tmp_path: Path) -> None:
    source = pd.read_csv(sample_path("penguins"))
    data = client.upload_file(sample_path("penguins"))
    assert data.original(tmp_path / "same.csv").read_bytes() == sample_path("penguins").read_bytes()
    assert pl.read_parquet(data.export(tmp_path / "rows.parquet")).height == len(source)
    assert len(pd.read_csv(data.export(tmp_path / "rows", "csv"))) == len(source)
    assert data.polars(["species"], "island == 'Dream'").height == (source.island == "Dream").sum()
    assert data.arrow(["year"]).column_names == ["year"]
    means = data.aggregate("species", "body_mass_g", "mean").set_index("species").iloc[:, 0]
    expected = source.groupby("species").body_mass_g.mean()
    assert {name: round(value, 3) for name, value in means.items()} == {name: round(value, 3) for name, value in expected.items()}
    assert data.aggregate(filter="year == 2009").iloc[0, 0] == (source.year == 2009).sum()
