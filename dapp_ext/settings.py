"""Every setting once: one name, a default, a unit and a help line, read once into a frozen object.

Sources, weakest first: default, ``dapp.toml`` in the home folder, ``.env`` in the working folder, the environment,
what the caller gives (Jupyter configuration or the command line). A secret may be given as ``file:PATH``.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping, MutableMapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from dapp_ext.errors import SettingInvalid

MIB = 1024 * 1024
GIB = 1024 * MIB

# Strings that stand in samples and tutorials; whoever runs with one of them has no secret.
_WELL_KNOWN = ("changeme", "change-me", "change_me", "secret", "password", "your-secret", "your_secret", "example")
# Names of systemd credentials (LoadCredential=) that are read when a secret is not given otherwise.
_CREDENTIALS = {"secret_key": "dapp-secret-key", "encryption_key": "dapp-encryption-key"}
_MAKE_A_SECRET = 'python -c "import secrets; print(secrets.token_urlsafe(48))"'


def _setting(default: Any, help: str, *, unit: str = "", also: tuple[str, ...] = (), secret: bool = False) -> Any:
    # A secret never shows in a log or a traceback.
    return field(default=default, repr=not secret, metadata={"help": help, "unit": unit, "also": also})


@dataclass(frozen=True)
class Settings:
    """What the platform was told, validated; made by :func:`read_settings`."""

    home: Path = _setting(Path(), "Folder that holds the database, the sealed objects and the keys.")
    database_url: str = _setting("", "SQLAlchemy address of the database; empty means SQLite in the home folder.", also=("DATABASE_URL",), secret=True)
    redis_url: str = _setting("", "Address of a Redis that the processes of several machines share; empty means none.", also=("REDIS_URL",), secret=True)
    storage_url: str = _setting("", "Where the sealed objects are kept, such as s3://bucket/folder; empty means the home folder.")
    storage_cache: int = _setting(20 * GIB, "Room for sealed copies of objects from DAPP_STORAGE_URL on this machine; 0 means any amount.", unit="bytes")
    dask_address: str = _setting("", "Address of a Dask scheduler that searches and scoring run on, such as tls://host:8786; empty means here.")
    dask_certificates: str = _setting("", "Folder with ca.pem, cert.pem and key.pem, with which the Dask cluster is spoken to.")
    secret_key: str = _setting("", "Secret that tokens are signed with; empty means a key file in the home folder.", also=("SECRET_KEY",), secret=True)
    encryption_key: str = _setting("", "Root secret that seals all data; empty means a key file in the home folder.", also=("ENCRYPTION_KEY",), secret=True)
    url: str = _setting("", "Address of a remote DAPP service that this server forwards to.")
    public_url: str = _setting("", "Address of the service as users see it, used in links.")
    dashboard_url: str = _setting("", "Address of the dashboard as users see it, used in links.")
    allow_origin: str = _setting("", "Origins besides the own one that browsers may call from, separated by commas.")
    host: str = _setting("127.0.0.1", "Address that the dashboard and the service listen on.")
    lab_port: int = _setting(8888, "Port of JupyterLab; the next free one is used when it is taken.")
    dashboard_port: int = _setting(3000, "Port of the dashboard; the next free one is used when it is taken.")
    service_port: int = _setting(8000, "Port of the service for a team; the next free one is used when it is taken.")
    behind_proxy: bool = _setting(False, "Whether a reverse proxy stands before service and dashboard, whose X-Forwarded-For says where a visitor is.")
    upload_limit: int = _setting(2 * GIB, "Largest file that may be uploaded.", unit="bytes")
    quota: int = _setting(0, "What each account may store where nothing else was set for it; 0 means any amount.", unit="bytes")
    job_memory: int = _setting(0, "Memory that one job may use; 0 means half of the machine's.", unit="bytes")
    parse_seconds: int = _setting(1800, "Longest time that reading one file may take.", unit="seconds")
    cache_memory: int = _setting(512 * MIB, "Memory for decrypted columns and query results in each process.", unit="bytes")
    workers: int = _setting(1, "Trainings that the worker of this machine runs at the same time; shorter work has a place of its own.")
    start_worker: bool = _setting(True, "Whether a Jupyter server starts a worker by itself when none runs.")
    access_minutes: int = _setting(10, "How long an access token is valid.", unit="minutes")
    session_days: int = _setting(7, "How long a sign-in lasts at the most.", unit="days")
    prediction_log_days: int = _setting(30, "How long logged predictions are kept; 0 keeps only what the watch over drift counts.", unit="days")
    log_level: str = _setting("INFO", "Least severe level that is logged.")
    log_format: str = _setting("text", "How workers, dashboards and the service log: text, or json with request ids for programs.")
    encryption_source: str = _setting("", "Where the root secret came from; filled in by DAPP itself.")

    @property
    def objects_folder(self) -> Path:
        return self.home / "objects"

    @property
    def keys_folder(self) -> Path:
        return self.home / "keys"

    @property
    def run_folder(self) -> Path:
        """Where running processes leave their address and lock; nothing here outlives them."""
        return self.home / "run"

    def key_source(self) -> str:
        """Where the root key comes from, in words; never the key itself."""
        return self.encryption_source or ("setting" if self.encryption_key else "keys folder")

    @property
    def uses_sqlite(self) -> bool:
        return self.resolved_database_url().startswith("sqlite")

    @property
    def database_file(self) -> Path:
        """Where SQLite's file is."""
        return Path(self.resolved_database_url().removeprefix("sqlite:///"))

    def resolved_database_url(self) -> str:
        return self.database_url or f"sqlite:///{self.home / 'dapp.sqlite'}"


def default_home() -> Path:
    """The platform's user data folder for DAPP."""
    import platformdirs  # only here: the client reads settings without it

    return Path(platformdirs.user_data_dir("dapp", appauthor=False))


def environment_name(name: str) -> str:
    """The environment variable of a setting."""
    return f"DAPP_{name.upper()}"


def read_settings(given: Mapping[str, Any] | None = None, *, environ: Mapping[str, str] | None = None, folder: Path | None = None) -> Settings:
    """Gather the settings from all sources.

    Parameters
    ----------
    given : mapping, optional
        Values that win over everything else, by setting name; ``None`` values are ignored.
    environ : mapping, optional
        The environment; ``os.environ`` when left out.
    folder : Path, optional
        Where ``.env`` is looked for; the working folder when left out.

    Raises
    ------
    SettingInvalid
        If a value has the wrong type, a secret is weak, or a name in ``dapp.toml`` is unknown.
    """
    env = dict(_dotenv((folder or Path.cwd()) / ".env"))
    env.update(environ if environ is not None else os.environ)
    explicit = {name: value for name, value in (given or {}).items() if value is not None}
    credentials = env.get("CREDENTIALS_DIRECTORY")
    home = Path(explicit.get("home") or env.get("DAPP_HOME") or default_home()).expanduser().absolute()
    values: dict[str, Any] = dict(_toml(home / "dapp.toml"))
    for each in fields(Settings):
        for variable in (*each.metadata["also"], environment_name(each.name)):
            if env.get(variable):
                values[each.name] = env[variable]
    for name, file in _CREDENTIALS.items():
        if credentials and not values.get(name) and (Path(credentials) / file).is_file():
            values[name] = f"file:{Path(credentials) / file}"
            if name == "encryption_key":
                values["encryption_source"] = "systemd credential"
    values.update(explicit)
    values["home"] = home
    known = {each.name: each for each in fields(Settings)}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise SettingInvalid(f"There is no setting named {unknown[0]!r}. See: jupyter dapp doctor --settings")
    typed = {name: _typed(name, value, type(known[name].default)) for name, value in values.items()}
    for name in _CREDENTIALS:
        if typed.get(name):
            if name == "encryption_key" and typed[name].startswith("file:"):
                typed.setdefault("encryption_source", "file")
            typed[name] = read_secret(environment_name(name), typed[name], credentials)
    for name in ("database_url", "redis_url"):
        if typed.get(name):
            typed[name] = read_given(environment_name(name), typed[name], credentials)
    if typed.get("secret_key") and typed.get("secret_key") == typed.get("encryption_key"):
        raise SettingInvalid(f"DAPP_SECRET_KEY and DAPP_ENCRYPTION_KEY must differ. Make another one with: {_MAKE_A_SECRET}")
    return Settings(**typed)


def hide_secrets(environ: MutableMapping[str, str] | None = None) -> None:
    """Take the secrets out of this process's environment once they are read, so that no child of it inherits them.

    What names a file stays: it is no secret. The other processes of ours get theirs from
    :func:`process_environment`.
    """
    environ = os.environ if environ is None else environ
    for each in fields(Settings):
        if not each.repr:
            for variable in (*each.metadata["also"], environment_name(each.name)):
                if not environ.get(variable, "file:").startswith("file:"):
                    del environ[variable]


# How another process of ours begins: a module in the working folder never takes the place of a library (``-P``).
PYTHON = (sys.executable, "-P")


def process_environment(settings: Settings) -> dict[str, str]:
    """The environment that makes another process of ours read the same settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DAPP_")}
    plain = Settings()
    for name, value in asdict(settings).items():
        if value != getattr(plain, name):
            environment[environment_name(name)] = str(value)
    return environment


def describe_settings() -> list[dict[str, str]]:
    """Name, variable, default, unit and help of every setting, for the manual and the command line."""
    return [
        {
            "name": each.name,
            "variable": environment_name(each.name),
            "default": "" if each.name == "home" else str(each.default),
            "unit": each.metadata["unit"],
            "help": each.metadata["help"],
        }
        for each in fields(Settings)
    ]


def _typed(name: str, value: Any, kind: type) -> Any:
    variable = environment_name(name)
    if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        return value
    if issubclass(kind, Path):
        return Path(str(value))
    if kind is bool:
        text = str(value).strip().lower()
        if text in ("1", "true", "yes", "on"):
            return True
        if text in ("0", "false", "no", "off"):
            return False
        raise SettingInvalid(f"{variable} must be true or false, not {value!r}.")
    if kind is int:
        try:
            return int(str(value).strip())
        except ValueError:
            raise SettingInvalid(f"{variable} must be a whole number, not {value!r}.") from None
    return str(value)


def read_secret(variable: str, value: str, credentials: str | None = None) -> str:
    """A secret as it was given or as its file holds it, long enough and not from a tutorial.

    Raises
    ------
    SettingInvalid
        If it is weak, or its file cannot be read or can be read by others.
    """
    value = read_given(variable, value, credentials)
    if len(value) < 32 or len(set(value)) < 8 or any(word in value.lower() for word in _WELL_KNOWN):
        raise SettingInvalid(f"{variable} is too short or well known; it needs at least 32 random characters. Make one with: {_MAKE_A_SECRET}")
    return value


def read_given(variable: str, value: str, credentials: str | None = None) -> str:
    """A value as it was given, or as the file of ``file:PATH`` holds it.

    Raises
    ------
    SettingInvalid
        If the file cannot be read, or can be read by others.
    """
    if not value.startswith("file:"):
        return value
    path = Path(value[5:]).expanduser()
    managed = [Path(folder) for folder in (credentials, "/run/secrets") if folder]
    try:
        if not any(path.is_relative_to(folder) for folder in managed) and path.stat().st_mode & 0o077:
            raise SettingInvalid(f"The file that {variable} names can be reached by other accounts of this machine. Run: chmod 600 '{path}'")
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingInvalid(f"The file that {variable} names cannot be read: {reason}.") from error


def _toml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingInvalid(f"{path.name} in the home folder is not valid TOML: {error}.") from error


def _dotenv(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    if not path.is_file():
        return found
    for line in path.read_text("utf-8").splitlines():
        name, sign, value = line.strip().removeprefix("export ").partition("=")
        if sign and not name.startswith("#"):
            found[name.strip()] = value.strip().strip("'\"")
    return found
