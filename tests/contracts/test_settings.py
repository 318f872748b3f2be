"""Settings: one name each, sources in order, secrets that are secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapp_ext.errors import SettingInvalid
from dapp_ext.settings import Settings, describe_settings, read_settings

GOOD = "k3Jx9-mPq7_vTzR2wYb8NcLd5HfGs1Ae4UoQ"


def test_every_setting_is_described() -> None:
    for row in describe_settings():
        assert row["help"].endswith(".")
        assert row["variable"] == f"DAPP_{row['name'].upper()}"


def test_the_stronger_source_wins(tmp_path: Path) -> None:
    (tmp_path / "dapp.toml").write_text("dashboard_port = 1001\nlab_port = 1001\nworkers = 7\nhost = 'toml'\n")
    (tmp_path / ".env").write_text("DAPP_LAB_PORT=1002\nexport DAPP_WORKERS='8'\n# DAPP_HOST=x\nDAPP_HOST=dotenv\n")
    environ = {"DAPP_HOME": str(tmp_path), "DAPP_WORKERS": "9", "DAPP_HOST": "environ"}
    found = read_settings({"host": "given", "workers": None}, environ=environ, folder=tmp_path)
    assert (found.dashboard_port, found.lab_port, found.workers, found.host, found.home) == (1001, 1002, 9, "given", tmp_path)


def test_the_plain_names_are_read_too_and_ours_are_stronger(tmp_path: Path) -> None:
    environ = {"DAPP_HOME": str(tmp_path), "DATABASE_URL": "postgresql://a/b", "SECRET_KEY": GOOD, "DAPP_SECRET_KEY": GOOD[::-1]}
    found = read_settings(environ=environ, folder=tmp_path)
    assert (found.database_url, found.secret_key) == ("postgresql://a/b", GOOD[::-1])


@pytest.mark.parametrize("secret", ["tiny7", "a" * 64, "changeme-changeme-changeme-changeme-12345", "abcabcabcabcabcabcabcabcabcabcabcabc"])
def test_weak_secrets_are_refused_with_a_way_out(tmp_path: Path, secret: str) -> None:
    with pytest.raises(SettingInvalid, match="token_urlsafe") as refused:
        read_settings(environ={"DAPP_HOME": str(tmp_path), "DAPP_ENCRYPTION_KEY": secret}, folder=tmp_path)
    assert secret not in refused.value.message


def test_the_two_secrets_differ(tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match="differ"):
        read_settings(environ={"DAPP_HOME": str(tmp_path), "DAPP_ENCRYPTION_KEY": GOOD, "DAPP_SECRET_KEY": GOOD}, folder=tmp_path)


def test_a_secret_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{GOOD}\n")
    (tmp_path / "key").chmod(0o600)
    assert read_settings(environ={"DAPP_HOME": str(tmp_path), "DAPP_ENCRYPTION_KEY": f"file:{tmp_path / 'key'}"}, folder=tmp_path).encryption_key == GOOD
    with pytest.raises(SettingInvalid, match="cannot be read"):
        read_settings(environ={"DAPP_HOME": str(tmp_path), "DAPP_ENCRYPTION_KEY": "file:/nowhere"}, folder=tmp_path)


@pytest.mark.parametrize(("name", "value"), [("DAPP_WORKERS", "many"), ("DAPP_START_WORKER", "maybe")])
def test_a_wrong_type_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingInvalid, match=name):
        read_settings(environ={"DAPP_HOME": str(tmp_path), name: value}, folder=tmp_path)


def test_a_misspelt_setting_is_named(tmp_path: Path) -> None:
    (tmp_path / "dapp.toml").write_text("wrokers = 2\n")
    (tmp_path / "dapp.toml").chmod(0o600)
    with pytest.raises(SettingInvalid, match="wrokers"):
        read_settings(environ={"DAPP_HOME": str(tmp_path)}, folder=tmp_path)


def test_secrets_do_not_show() -> None:
    assert GOOD not in repr(Settings(encryption_key=GOOD, secret_key=GOOD, database_url=f"postgresql://u:{GOOD}@h/d"))


def test_the_address_of_a_database_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://dapp:a-password@host/dapp\n")
    (tmp_path / "url").chmod(0o600)
    environ = {"DAPP_HOME": str(tmp_path), "DATABASE_URL": f"file:{tmp_path / 'url'}"}
    assert read_settings(environ=environ, folder=tmp_path).database_url == "postgresql://dapp:a-password@host/dapp"
    (tmp_path / "url").chmod(0o644)
    with pytest.raises(SettingInvalid, match="chmod 600"):
        read_settings(environ=environ, folder=tmp_path)
