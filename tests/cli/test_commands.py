"""The command line: what it prints, and what the shell learns."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from dapp_ext.cli import main as cli
from dapp_ext.cli.serving import free_port
from dapp_ext.errors import NotSignedIn, Unavailable
from dapp_ext.schema.accounts import LoginRequest
from dapp_ext.schema.datasets import DatasetUpload
from dapp_ext.schema.insights import InsightPublish, TableWrite
from dapp_ext.services import Services
from dapp_ext.settings import Settings

PASSWORD = "plain words of a test 7"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(settings: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``jupyter dapp …`` in this process, over the home of the test."""

    def call(*words: str, given: str = "") -> tuple[int, str, str]:
        import io

        monkeypatch.setattr("sys.argv", ["jupyter-dapp", *words])
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
        code = cli.main()
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_accounts_from_the_shell(run: Run) -> None:
    assert run("users", "add", "ada@example.org", "--role", "analyst", "--password-stdin", given=f"{PASSWORD}\n")[0] == 0
    assert run("users", "role", "ada@example.org", "viewer")[1] == "ada@example.org: viewer\n"
    assert run("users", "disable", "ada@example.org")[1] == "ada@example.org: viewer, disabled\n"
    listed = json.loads(run("users", "list", "--json")[1])
    assert [(each["email"], each["role"], each["disabled"]) for each in listed] == [("owner@localhost", "admin", False), ("ada@example.org", "viewer", True)]


def test_links_for_one_use_from_the_shell(run: Run, services: Services) -> None:
    code, out, _ = run("users", "invite", "ada@example.org", "--role", "viewer")
    assert code == 0
    assert "/accept?token=dapp_iv_" in out
    with services.system.announce_address("dashboard", "http://localhost:3999/"):
        made = json.loads(run("users", "invite", "ada@example.org", "--role", "viewer", "--json")[1])
    assert made["url"].startswith("http://localhost:3999/accept?token=dapp_iv_")
    assert [each["email"] for each in json.loads(run("users", "invitations", "--json")[1])] == ["ada@example.org"]
    assert run("users", "withdraw", "ada@example.org")[0] == 0
    assert run("users", "withdraw", "ada@example.org")[0] == 4
    assert run("users", "add", "ada@example.org", "--password-stdin", given=f"{PASSWORD}\n")[0] == 0
    reset = json.loads(run("users", "reset", "ada@example.org", "--json")[1])
    assert services.invitations.offer(reset["token"]).purpose == "reset"


def test_sessions_and_tokens_from_the_shell(run: Run, services: Services) -> None:
    run("users", "add", "ada@example.org", "--role", "viewer", "--password-stdin", given=f"{PASSWORD}\n")
    token = run("tokens", "create", "nightly", "--scope", "read", "--email", "ada@example.org")[1].strip()
    actor = services.accounts.authenticate(token)
    assert (actor.email, actor.scope, actor.role.value) == ("ada@example.org", "read", "viewer")
    assert [each["name"] for each in json.loads(run("tokens", "list", "--email", "ada@example.org", "--json")[1])] == ["nightly"]
    assert json.loads(run("tokens", "list", "--json")[1]) == []
    assert run("tokens", "create", "x", "--scope", "root")[0] == 2
    pair = services.accounts.login(LoginRequest(email="ada@example.org", password=PASSWORD))
    listed = json.loads(run("users", "sessions", "ada@example.org", "--json")[1])
    assert {each["token_name"] for each in listed} == {None, "nightly"}
    assert run("tokens", "end", str(actor.session_id))[0] == 0
    assert run("tokens", "end", str(actor.session_id))[0] == 4
    assert json.loads(run("users", "sessions", "ada@example.org", "--end-all", "--json")[1]) == []
    for credential in (token, pair.access_token):
        with pytest.raises(NotSignedIn):
            services.accounts.authenticate(credential)


def test_links_and_what_was_deleted_from_the_shell(run: Run, services: Services) -> None:
    shell = services.system.shell_actor()
    made = services.insights.publish(shell, InsightPublish(title="Towns", table=TableWrite(columns=["town"], rows=[["Bonn"]])))
    link = json.loads(run("links", "create", "--insight", made.id, "--days", "3", "--json")[1])
    assert services.shares.open(link["token"]).by.id == shell.account_id
    listed = run("links", "list")[1]
    assert link["id"] in listed
    assert "Towns" in listed
    assert link["token"] not in run("links", "list", "--json")[1]
    assert run("links", "create")[0] == 2
    assert run("links", "withdraw", link["id"])[0] == 0
    assert json.loads(run("links", "list", "--json")[1]) == []
    services.trash.put(shell, "insight", made.id)
    assert [each["name"] for each in json.loads(run("trash", "list", "--json")[1])] == ["Towns"]
    assert run("trash", "restore", made.id)[1] == "Towns is back.\n"
    services.trash.put(shell, "insight", made.id)
    assert run("trash", "delete", made.id)[0] == 0
    assert run("trash", "restore", made.id)[0] == 4


def test_the_key_that_signs_tokens_from_the_shell(run: Run, services: Services) -> None:
    token = services.accounts.open_session(services.system.shell_actor()).access_token
    code, out, _ = run("keys", "rotate", "--signing")
    assert code == 0
    assert "accepted until it ends" in out
    assert services.accounts.authenticate(token)
    found = json.loads(run("keys", "rotate", "--signing", "--now", "--json")[1])
    assert [key["state"] for key in found["signing_keys"]] == ["active", "retired", "retired"]
    with pytest.raises(NotSignedIn):
        services.accounts.authenticate(token)
    assert run("keys", "rotate", "--now")[0] == 2
    assert run("keys", "rotate", "--signing", "--new-key-file", "key")[0] == 2


def test_announcements_and_maintenance_from_the_shell(run: Run, services: Services) -> None:
    made = json.loads(run("announce", "Cake in the kitchen", "--severity", "warning", "--hours", "2", "--json")[1])
    assert [(each["message"], each["severity"], each["is_current"]) for each in made] == [("Cake in the kitchen", "warning", True)]
    assert run("announce", "x", "--severity", "loud")[0] == 2
    assert json.loads(run("announce", "--withdraw", made[0]["id"], "--json")[1]) == []
    assert run("announce", "--withdraw", made[0]["id"])[0] == 4
    begun = json.loads(run("maintenance", "on", "--message", "New disks", "--for", "5", "--json")[1])
    assert (begun["state"], begun["message"]) == ("on", "New disks")
    assert "New disks" in run("status")[1]
    assert json.loads(run("status", "--json")[1])["maintenance"]["state"] == "on"
    assert run("maintenance", "off")[1] == "off\n"
    assert run("maintenance", "off")[0] == 5
    assert run("maintenance", "on", "--in", "10")[1].startswith("begins in ")
    assert services.maintenance.read(services.system.shell_actor()).state == "announced"
    assert json.loads(run("maintenance", "status", "--json")[1])["state"] == "announced"


def test_quotas_from_the_shell(run: Run) -> None:
    assert json.loads(run("quota", "--json")[1])[0]["quota"] is None
    found = json.loads(run("quota", "owner@localhost", "--set", "1.5G", "--json")[1])
    assert [(each["email"], each["quota"], each["is_own"]) for each in found] == [("owner@localhost", 1_610_612_736, True)]
    assert "any amount  own" in run("quota", "owner@localhost", "--set", "none")[1]
    assert "any amount  default" in run("quota", "owner@localhost", "--set", "default")[1]
    for words in (("quota", "--set", "1G"), ("quota", "owner@localhost", "--set", "much"), ("quota", "owner@localhost", "--set", "0")):
        assert run(*words)[0] == 2
    assert run("quota", "nobody@example.org", "--set", "1G")[0] == 4


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("users", "add", "ada@example.org", "--password-stdin"), 2, "at least 15"),
        (("users", "add", "ada@example.org"), 2, "--password-stdin"),
        (("users", "role", "nobody@example.org", "viewer"), 4, "no such account"),
        (("signin-link",), 7, "jupyter dapp start"),
        (("nonsense",), 2, "No such command"),
        (("users", "role", "owner@localhost", "viewer"), 3, "own role"),
    ],
)
def test_errors_are_one_sentence_and_an_exit_code(run: Run, words: tuple[str, ...], code: int, sentence: str) -> None:
    found, out, err = run(*words, given="short\n")
    assert (found, out) == (code, "")
    assert sentence in err
    assert "Traceback" not in err


def test_a_password_is_never_an_argument(run: Run) -> None:
    assert "--password " not in run("users", "add", "--help")[1]


def test_status_and_doctor_as_json(run: Run) -> None:
    status = json.loads(run("status", "--json")[1])
    assert {"api", "jupyterlab", "dashboard", "home", "version", "isolation", "workers"} <= set(status)
    checks = json.loads(run("doctor", "--json")[1])["checks"]
    assert {check["name"] for check in checks} >= {"python", "sqlite", "home", "key source", "room", "database"}
    assert "DAPP_HOME" in run("doctor", "--settings")[1]


def test_keys_from_the_shell(run: Run, tmp_path: Path) -> None:
    before = json.loads(run("keys", "status", "--json")[1])
    assert [(key["state"], key["wraps"]) for key in before["keys"]] == [("active", 1)]
    code, out, _ = run("keys", "rotate")
    assert code == 0
    assert f"keys retire {before['active']}" in out
    assert run("keys", "retire", before["active"])[0] == 0
    export = tmp_path / "keys.json"
    assert run("keys", "export", str(export), "--passphrase-stdin", given="a passphrase for the safe\n")[0] == 0
    assert export.stat().st_mode & 0o777 == 0o600
    assert run("keys", "export", str(export), "--passphrase-stdin", given="a passphrase for the safe\n")[0] == 5
    assert run("keys", "restore", str(export), "--passphrase-stdin", given="another passphrase\n")[0] == 70
    assert "here already" in run("keys", "restore", str(export), "--passphrase-stdin", given="a passphrase for the safe\n")[1]
    assert run("keys", "retire", "0" * 16)[0] == 4


def test_the_audit_from_the_shell(run: Run, services: Services, settings: Settings, tmp_path: Path) -> None:
    run("users", "add", "ada@example.org", "--password-stdin", given=f"{PASSWORD}\n")
    listed = json.loads(run("audit", "list", "--action", "account", "--json")[1])
    assert [row["action"] for row in listed] == ["account.create"]
    head, rows = tmp_path / "head.json", tmp_path / "rows.jsonl"
    assert run("audit", "export", str(rows), "--head", str(head))[0] == 0
    for kept in (head, rows):
        assert run("audit", "verify", "--head", str(kept))[0] == 0
    with services.context.database.write() as session:
        session.connection().exec_driver_sql("UPDATE audit SET actor_name = 'Somebody else' WHERE id = 1")
    code, out, _ = run("audit", "verify", "--json")
    assert code == 1
    assert [(each["kind"], each["row"]) for each in json.loads(out)["findings"]] == [("changed", 1)]
    assert "Row 1 was changed" in run("audit", "verify")[1]
    assert run("audit", "verify", "--head", str(tmp_path / "nothing"))[0] == 2
    assert run("audit", "export", "--format", "csv")[1].startswith("id,at,actor_id")


def test_a_backup_from_the_shell(run: Run, tmp_path: Path) -> None:
    backup, keys, words = tmp_path / "backup", tmp_path / "keys.json", "a passphrase for the safe\n"
    assert run("keys", "export", str(keys), "--passphrase-stdin", given=words)[0] == 0
    made = json.loads(run("backup", "create", str(backup), "--passphrase-stdin", "--json", given=words)[1])
    assert made["damaged"] == []
    assert "is whole" in run("backup", "verify", str(backup), "--passphrase-stdin", given=words)[1]
    assert run("backup", "verify", str(backup), "--passphrase-stdin", given="another passphrase\n")[0] == 70
    elsewhere = ("--home", str(tmp_path / "elsewhere"))
    assert run(*elsewhere, "backup", "restore", str(backup), "--passphrase-stdin", given=words)[0] == 70
    assert run(*elsewhere, "keys", "restore", str(keys), "--passphrase-stdin", given=words)[0] == 0
    assert "only their digests" not in run(*elsewhere, "backup", "verify", str(backup), "--passphrase-stdin", given=words)[1]
    assert "Restored into" in run(*elsewhere, "backup", "restore", str(backup), "--passphrase-stdin", given=words)[1]
    assert run(*elsewhere, "audit", "verify")[0] == 0
    assert run("backup", "restore", str(backup), "--passphrase-stdin", given=words)[0] == 5


def test_doctor_tells_the_shell(run: Run, settings: Settings) -> None:
    assert run("db", "upgrade")[0] == 0
    assert run("doctor")[0] == 0
    settings.home.chmod(0o755)
    code, out, _ = run("doctor")
    assert code == 1
    assert "Mend it with: chmod -R go-rwx" in out
    assert json.loads(run("doctor", "--json")[1])["healthy"] is False


def test_queue_and_schema_from_the_shell(run: Run, services: Services, settings: Settings) -> None:
    state = json.loads(run("db", "status", "--json")[1])
    assert state["current"] == state["newest"]
    incoming = services.datasets.begin_upload(services.system.shell_actor(), DatasetUpload(filename="a.csv"))
    incoming.write(b"a,b\n1,2\n")
    job = incoming.finish().job_id or ""
    assert [(each["id"], each["status"]) for each in json.loads(run("queue", "list", "--json")[1])] == [(job, "queued")]
    assert run("queue", "list", "--status", "nonsense")[0] == 2
    assert run("queue", "cancel", job)[1] == f"{job}: cancelled\n"
    assert run("queue", "cancel", "nothing")[0] == 4
    elsewhere = settings.home.parent / "elsewhere"
    assert json.loads(run("--home", str(elsewhere), "db", "status", "--json")[1])["current"] is None
    assert not elsewhere.exists()


def test_a_taken_port_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        chosen = free_port(port, "The dashboard", set())
        assert chosen > port
        assert capsys.readouterr().out == f"The dashboard uses port {chosen}, since {port} is taken.\n"
        monkeypatch.setattr("dapp_ext.cli.serving.PORTS_TRIED", 1)
        with pytest.raises(Unavailable, match="no free port"):
            free_port(port, "The dashboard", set())


def test_signin_links_lead_to_a_running_door(run: Run, services: Services) -> None:
    with services.system.announce_address("dashboard", "http://localhost:3999/"):
        code, out, _ = run("signin-link", "--json")
    url = json.loads(out)["url"]
    assert code == 0
    assert url.startswith("http://localhost:3999/signin?ticket=dapp_wt_")
    assert services.accounts.redeem_ticket(url.partition("ticket=")[2], "dashboard").email == "owner@localhost"


def test_every_command_explains_itself(run: Run) -> None:
    for words in (
        ("start",),
        ("dashboard",),
        ("worker",),
        ("status",),
        ("doctor",),
        ("signin-link",),
        ("demo",),
        ("users",),
        ("users", "add"),
        ("keys", "rotate"),
        ("audit", "verify"),
        ("users", "invite"),
        ("tokens",),
        ("links",),
        ("trash",),
        ("announce",),
        ("quota",),
        ("maintenance",),
    ):
        code, out, _ = run(*words, "--help")
        assert code == 0
        assert "Usage" in out


def test_the_readme_names_every_command(run: Run) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    for command in (
        "start",
        "dashboard",
        "worker",
        "status",
        "doctor",
        "users",
        "tokens",
        "links",
        "trash",
        "announce",
        "maintenance",
        "signin-link",
        "demo",
        "keys",
        "audit",
        "backup",
    ):
        assert f"`jupyter dapp {command}`" in readme


@pytest.mark.parametrize("command", ["start", "serve", "dashboard", "worker"])
def test_nothing_of_a_service_elsewhere_runs_here(run: Run, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("DAPP_URL", "https://dapp.example.org")
    code, _, said = run(command)
    assert code == 5
    assert "jupyter lab" in said
