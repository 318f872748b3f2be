"""A look at an installation and its home: what is wrong, why it matters, what mends it. Nothing is changed by looking."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from importlib.resources import files as package_files
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from dapp_ext import __version__
from dapp_ext.errors import DappError, Unavailable
from dapp_ext.schema.base import now
from dapp_ext.schema.doctor import Check, Examination, State
from dapp_ext.services.context import secret_of
from dapp_ext.settings import Settings
from dapp_ext.store import audit, backups, examining, instance
from dapp_ext.store.database import Database, wal_is_safe
from dapp_ext.store.keys import Keyring, open_keyring
from dapp_ext.store.remote_objects import open_objects

FREE_FLOOR = 2**30
BACKUP_DAYS = 7
ORPHAN_SECONDS = 3600.0
MOST_NAMED = 3
SLOW_ANSWER = 0.02
_NETWORK = ("nfs", "nfs4", "cifs", "smb", "smb3", "9p", "fuse", "fuse.sshfs", "afs", "ceph", "glusterfs")
_OWN = "jupyter-dapp"


def examine(settings: Settings) -> Examination:
    """Look at everything; a look that fails itself is told as bad."""
    checks: list[Check] = []
    for look in (_python, _libraries, _front_ends, _home, _place, _room, _key_files, _listening, _ports):
        checks.extend(_safely(look, settings))
    if settings.uses_sqlite and not settings.database_file.exists():
        checks.append(_first_start(settings, f"{settings.database_file} will be made at the first start"))
    else:
        checks.extend(_safely(_database, settings))
    if settings.redis_url:
        checks.extend(_safely(_redis, settings))
    if settings.dask_address:
        checks.extend(_safely(_cluster, settings))
    versions = {name: metadata.version(name) for name, _ in _requirements()}
    return Examination(version=__version__, healthy=all(each.state != "bad" for each in checks), checks=checks, libraries=versions)


def _safely(look: Callable[[Settings], Iterator[Check]], settings: Settings) -> list[Check]:
    found: list[Check] = []
    try:
        for check in look(settings):
            found.append(check)
    except (DappError, OSError, sqlite3.Error) as error:
        says = error.message if isinstance(error, DappError) else str(error)
        found.append(Check(name=look.__name__.strip("_").replace("_", " "), state="bad", says=says, why="This could not be looked at."))
    return found


def _check(name: str, wrong: bool, says: str, why: str, mend: str = "", *, grave: bool = True) -> Check:
    state: State = "ok" if not wrong else "bad" if grave else "note"
    return Check(name=name, state=state, says=says, why=why if wrong else "", mend=mend if wrong else "")


# -- the installation -----------------------------------------------------------------------------------------------


def _python(_settings: Settings) -> Iterator[Check]:
    wrong = not (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield _check("python", wrong, sys.version.split()[0], "Only 3.11 to 3.13 are tested.", "make run PYTHON=python3.13")
    journal = "write-ahead log" if wal_is_safe() else "rollback journal, since its write-ahead log is safe from 3.51.3 only"
    yield Check(name="sqlite", state="ok", says=f"{sqlite3.sqlite_version}, {journal}")


def _requirements() -> Iterator[tuple[str, str]]:
    from packaging.requirements import Requirement

    for text in metadata.requires(_OWN) or []:
        requirement = Requirement(text)
        if requirement.marker is None:
            yield requirement.name, str(requirement.specifier)


def _libraries(_settings: Settings) -> Iterator[Check]:
    from packaging.specifiers import SpecifierSet

    unfit = [f"{name} {metadata.version(name)} ({wanted} is needed)" for name, wanted in _requirements() if metadata.version(name) not in SpecifierSet(wanted)]
    says = "; ".join(unfit[:MOST_NAMED]) if unfit else "all in their ranges"
    yield _check("libraries", bool(unfit), says, "Other versions have known faults or were never tested.", "pip install --upgrade jupyter-dapp")


def _front_ends(_settings: Settings) -> Iterator[Check]:
    from jupyter_core.paths import jupyter_path

    built = [path for folder in jupyter_path("labextensions") if (path := Path(folder) / "jupyter-dapp" / "package.json").is_file()][:1]
    lab = bool(built)
    mend = "pip install --force-reinstall jupyter-dapp"
    yield _check("labextension", not lab, "installed" if lab else "not installed", "Without it JupyterLab has no DAPP sidebar.", mend)
    others = [version for version in (_version_in(path) for path in built) if version != __version__]
    says = f"of version {others[0]}, while this is {__version__}" if others else __version__
    yield _check("labextension version", bool(others), says, "The sidebar may ask what this server does not know.", mend, grave=False)
    panel = any(each.name.endswith(".js") for each in package_files("dapp_panel").joinpath("dist").iterdir()) if _has_dist() else False
    yield _check("dashboard", not panel, "built" if panel else "not built", "Without it the dashboard is an empty page.", mend)


def _version_in(path: Path) -> str:
    try:
        return str(json.loads(path.read_text("utf-8")).get("version", "unknown"))
    except ValueError:
        return "unknown"


def _has_dist() -> bool:
    return package_files("dapp_panel").joinpath("dist").is_dir()


# -- the home -------------------------------------------------------------------------------------------------------


def _home(settings: Settings) -> Iterator[Check]:
    home = settings.home
    parent = _existing(home)
    if not home.exists():
        possible = parent.is_dir() and os.access(parent, os.W_OK) and shutil.disk_usage(parent).total > 0
        says = f"{home} will be made at the first start" if possible else f"{home} cannot be made in {parent}"
        yield _check("home", not possible, says, "Nothing can be kept there.", "export DAPP_HOME=/a/folder/of/yours")
        return
    if not home.is_dir():
        yield Check(name="home", state="bad", says=f"{home} is not a folder", why="Nothing can be kept there.", mend="export DAPP_HOME=/a/folder/of/yours")
        return
    writable = os.access(home, os.W_OK)
    yield _check("home", not writable, str(home), "Nothing can be kept there.", f"chmod u+rwx '{home}'")
    open_to_others = [path for path in _private_paths(settings) if stat.S_IMODE(path.lstat().st_mode) & 0o077]
    says = f"{open_to_others[0]}, mode {stat.S_IMODE(open_to_others[0].lstat().st_mode):04o}" if open_to_others else "yours alone"
    why = "Other accounts of this machine can read names, the audit or even keys."
    yield _check("permissions", bool(open_to_others), says, why, f"chmod -R go-rwx '{home}'")
    strangers = [path for path in _private_paths(settings) if path.lstat().st_uid != os.geteuid()]
    says = str(strangers[0]) if strangers else "all files are yours"
    yield _check("owner", bool(strangers), says, "A file of another account can be changed by it.", f"chown -R $(id -u) '{home}'")


def _private_paths(settings: Settings) -> Iterator[Path]:
    yield settings.home
    for folder in (settings.objects_folder, settings.keys_folder, settings.run_folder, settings.home / "logs"):
        if folder.is_dir():
            yield folder
    for pattern in ("dapp.sqlite*", "dapp.toml", "keys/*", "logs/*", "run/*.json", "run/*.lock", "run/*.token"):
        yield from settings.home.glob(pattern)


def _place(settings: Settings) -> Iterator[Check]:
    folder = _existing(settings.home)
    mounts = sorted(psutil.disk_partitions(all=True), key=lambda each: len(each.mountpoint))
    kind = next((each.fstype for each in reversed(mounts) if folder.is_relative_to(each.mountpoint)), "unknown")
    wrong = kind in _NETWORK and settings.uses_sqlite
    why = "SQLite's locks do not hold on network file systems, so the database can be damaged."
    yield _check("file system", wrong, kind, why, "export DAPP_HOME=/a/folder/on/this/machine")


def _room(settings: Settings) -> Iterator[Check]:
    free = shutil.disk_usage(_existing(settings.home)).free
    yield _check("room", free < FREE_FLOOR, f"{free / 2**30:.1f} GiB free", "Uploads and trainings are refused when the disk is full.", "jupyter dapp status")


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder.resolve()


def _key_files(settings: Settings) -> Iterator[Check]:
    source = settings.key_source()
    why = "An environment variable can be read by every program of the same user. A file or a systemd credential is safer."
    yield _check("key source", source == "setting", source, why, "export DAPP_ENCRYPTION_KEY=file:/path/to/key", grave=False)


def _listening(settings: Settings) -> Iterator[Check]:
    loopback = settings.host in ("127.0.0.1", "::1", "localhost")
    wrong = not loopback and not settings.public_url.startswith("https://")
    why = "Passwords and data travel in clear to other machines. Put a reverse proxy with TLS before it and set DAPP_PUBLIC_URL."
    yield _check("listening", wrong, settings.host, why, "export DAPP_HOST=127.0.0.1")
    proxied = settings.public_url.startswith("https://") or settings.dashboard_url.startswith("https://")
    says = "visitors' own" if settings.behind_proxy or not proxied else "the proxy's, for every visitor"
    why = "Whoever guesses passwords slows everybody down: all come from one address, that of the proxy."
    yield _check("addresses", proxied and not settings.behind_proxy, says, why, "export DAPP_BEHIND_PROXY=true", grave=False)
    wide = [each for each in settings.allow_origin.split(",") if "*" in each or each.strip() == "null"]
    says = settings.allow_origin or "the own origin only"
    yield _check(
        "origins", bool(wide), says, "A pattern lets pages of strangers call with the visitor's rights.", "export DAPP_ALLOW_ORIGIN=https://one.exact.origin"
    )


def _ports(settings: Settings) -> Iterator[Check]:
    running = {Path(path).name.partition("-")[0] for path in settings.run_folder.glob("*-*.json")} if settings.run_folder.is_dir() else set()
    for name, port, kind in (("JupyterLab", settings.lab_port, "jupyterlab"), ("dashboard", settings.dashboard_port, "dashboard")):
        with socket.socket() as probe:
            probe.settimeout(0.2)
            taken = probe.connect_ex(("127.0.0.1", port)) == 0
        says = f"{name}: {port} {'answers' if taken else 'is free'}"
        foreign = taken and kind not in running
        yield _check("port", foreign, says, f"Another program has it; {name} will take the next free one.", grave=False)


# -- the database and what it knows ---------------------------------------------------------------------------------


def _first_start(settings: Settings, says: str) -> Check:
    """A home without a database: a new one, unless sealed files are there already."""
    held = sum(1 for _ in settings.objects_folder.glob("??/??/*")) if settings.objects_folder.is_dir() else 0
    why = "They cannot be opened without the database that knows them, and a start would begin an empty workspace beside them."
    says = f"lost: it is missing or empty, though {held} sealed files are here" if held else says
    return _check("database", held > 0, says, why, "jupyter dapp --home NEW backup restore FILE")


def _database(settings: Settings) -> Iterator[Check]:
    database = Database(settings.resolved_database_url())
    try:
        if database.is_sqlite:
            faults = examining.faults(database)
            why = "What is in it cannot be trusted any more."
            yield _check("database", bool(faults), faults[0] if faults else "whole", why, "jupyter dapp --home NEW backup restore FILE")
            if faults:
                return
        else:
            try:
                version, seconds = examining.server(database)
            except Unavailable:
                place = urlsplit(database.url)  # without what the address says of accounts
                says = f"{place.hostname}, port {place.port or 5432}, does not answer or refuses the account"
                why = "Nothing works without it. Start it, or name the right one."
                yield Check(name="database", state="bad", says=says, why=why, mend="export DAPP_DATABASE_URL=postgresql://account@host/name")
                return
            why = "Every page asks it many times, so every page is slow."
            yield _check("database", seconds > SLOW_ANSWER, f"PostgreSQL {version}, answers in {seconds * 1000:.0f} ms", why, grave=False)
        expected, links = instance.known_key(database)
        if expected is None:
            yield _first_start(settings, "empty; the first start makes what it needs")
            yield Check(name="keys", state="ok", says="will be made at the first start")
            return
        try:
            ring = open_keyring(settings, expected=expected, links=links)
        except DappError as error:
            yield Check(name="keys", state="bad", says=error.message, why="Without its key no data can be opened.", mend="jupyter dapp keys restore FILE")
            return
        yield from _schema(database)
        yield from _keys(database, ring)
        yield from _objects(settings, database)
        yield from _running(database)
        yield from _audit(database, ring)
    finally:
        database.close()


def _redis(settings: Settings) -> Iterator[Check]:
    from dapp_ext.store.redis import Redis

    redis = Redis(settings.redis_url, "doctor")
    try:
        silent = not redis.answers
    finally:
        redis.close()
    why = "Everything works without it, but news of other machines takes a second and no answer is shared."
    yield _check("redis", silent, "does not answer" if silent else "answers", why, grave=False)


def _cluster(settings: Settings) -> Iterator[Check]:
    parts = urlsplit(settings.dask_address)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 8786), timeout=2):
            silent = False
    except OSError:
        silent = True
    why = "Work goes on with this machine alone, and takes longer."
    yield _check("cluster", silent, "does not answer" if silent else "answers", why, f"dask scheduler --port {parts.port or 8786}", grave=False)


def _schema(database: Database) -> Iterator[Check]:
    from dapp_ext.store import migrations

    current, newest = migrations.current_revision(database), migrations.head_revision()
    if current is not None and current > newest:
        why = "It was made by a newer version of DAPP, which this one cannot work with."
        yield Check(name="schema", state="bad", says=f"{current}, and this version knows {newest}", why=why, mend="pip install --upgrade jupyter-dapp")
        return
    lacking = examining.missing_tables(database) if current == newest else []
    if lacking:
        why = "Somebody took out of the database what DAPP needs."
        yield Check(name="schema", state="bad", says=f"without {', '.join(lacking[:MOST_NAMED])}", why=why, mend="jupyter dapp --home NEW backup restore FILE")
        return
    why = "The next start brings it up to date; a backup before is wise."
    yield _check("schema", current != newest, f"{current} of {newest}", why, "jupyter dapp db upgrade", grave=False)


def _keys(database: Database, ring: Keyring) -> Iterator[Check]:
    with database.read() as session:
        wraps = instance.wraps(session)
    lost = [kid for kid in wraps if not ring.holds(kid)]
    says = f"{lost[0]} is not here and wraps {wraps[lost[0]]} data keys" if lost else f"{ring.kid} in use, {len(ring.kids)} here"
    yield _check("keys", bool(lost), says, "What it wraps cannot be opened.", "jupyter dapp keys restore FILE")
    waiting = sum(count for kid, count in wraps.items() if kid != ring.kid)
    why = "A rotation was interrupted; the older key is still needed."
    yield _check("rotation", waiting > 0, f"{waiting} data keys wait" if waiting else "finished", why, "jupyter dapp keys rotate", grave=False)


def _objects(settings: Settings, database: Database) -> Iterator[Check]:
    with database.read() as session:
        known = backups.known_files(session)
        sizes = examining.sealed_sizes(session)
    try:
        store = open_objects(settings)
        here = dict(store.ages())
    except Unavailable as error:
        why = "What is stored there cannot be read, and nothing new can be kept. Start it, or name the right one."
        yield Check(name="storage", state="bad", says=error.message, why=why, mend="export DAPP_STORAGE_URL=s3://bucket/folder")
        return
    missing = [name for name in known if name not in here]
    says = f"{len(missing)} missing, such as {missing[0]}" if missing else f"{len(known)} here"
    yield _check("objects", bool(missing), says, "Their data is lost unless a backup has it.", "jupyter dapp --home NEW backup restore FILE")
    if not settings.storage_url:
        cut = [name for name in known if name in here and (store.folder / name).stat().st_size != sizes[name]]
        says = f"{len(cut)} of another length than was written, such as {cut[0]}" if cut else "all of the length that was written"
        yield _check("lengths", bool(cut), says, "They are damaged, and refused when they are opened.", "jupyter dapp --home NEW backup restore FILE")
    orphans = [name for name, age in here.items() if name not in known and age > ORPHAN_SECONDS]
    quarantined = store.quarantined()
    says = f"{len(orphans)} that nothing knows, {quarantined} in quarantine"
    yield _check(
        "orphans", bool(orphans), says, "Left by processes that were killed; a worker clears them away within a day.", "jupyter dapp worker", grave=False
    )


def _running(database: Database) -> Iterator[Check]:
    workers, waiting, newest = examining.activity(database)
    stale = [each for each in workers if each.host == socket.gethostname() and not psutil.pid_exists(each.pid)]
    alive = len(workers) - len(stale)
    says = f"{alive} running" + (f", {len(stale)} gone without a word" if stale else "")
    wrong = waiting > 0 and alive == 0
    yield _check("workers", wrong, f"{says}; {waiting} jobs wait", "Nothing is read, trained or scored without a worker.", "jupyter dapp worker")
    ahead = (newest - now()).total_seconds() if newest else 0.0
    says = f"behind the newest event by {ahead:.0f} seconds" if ahead > 0 else "after everything that happened"
    yield _check("clock", ahead > 5, says, "Sign-ins and leases end too late until the clock is right again.", "timedatectl set-ntp true")


def _audit(database: Database, ring: Keyring) -> Iterator[Check]:
    with database.snapshot() as session:
        wrapped, instance_id = examining.instance_key(session)
        found = audit.verify(session, secret_of(ring.unwrap(wrapped, instance_id), "audit"))
        saved = examining.last_backup(session)
        strangers = examining.accounts_beside_the_log(session)
    says = found.findings[0].says if found.findings else f"{found.rows} rows, whole"
    yield _check("audit", bool(found.findings), says, "Somebody changed the log, past DAPP.", "jupyter dapp audit verify")
    says = f"{', '.join(strangers[:MOST_NAMED])}: not as the audit log tells" if strangers else "as the audit log tells"
    why = "Somebody changed a role, or let somebody in, past DAPP."
    yield _check("accounts", bool(strangers), says, why, "jupyter dapp users role EMAIL ROLE")
    age = (now() - saved).days if saved else None
    says = "never" if age is None else f"{age} days ago"
    late = age is None or age > BACKUP_DAYS
    yield _check("backup", late, says, "What is lost with this disk is lost for good.", "jupyter dapp backup create FILE", grave=False)
