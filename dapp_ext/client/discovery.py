"""Finding the server that this process belongs to.

In this order: the address that was given, ``DAPP_URL`` (with ``DAPP_TOKEN``), the Jupyter server that started this kernel
(its runtime file holds address and token; on a JupyterHub the token is the Hub's), any other running Jupyter server of
this user that answers as DAPP. Jupyter's token is only ever sent to the server whose runtime file it stands in.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import httpx

from dapp_ext.client.certificates import trusted
from dapp_ext.errors import Invalid, Unavailable

API = "dapp/api/v1/"
_LOOPBACK = ("localhost", "127.0.0.1", "::1", "[::1]")
_PROBE_SECONDS = 2.0


@dataclass(frozen=True)
class Server:
    """An address, always with a slash at its end, the credentials that came with it, and a file of certificates that count besides."""

    url: str
    jupyter_token: str = ""
    dapp_token: str = ""
    certificate: str = ""

    @property
    def is_local(self) -> bool:
        return is_loopback(self.url)


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine, so that no proxy may stand in between."""
    return (urlsplit(url).hostname or "") in _LOOPBACK


def find_server(url: str | None = None, environ: Mapping[str, str] | None = None) -> Server:
    """The server that is meant.

    Parameters
    ----------
    url : str, optional
        Address of a Jupyter server or of ``jupyter dapp serve``; ``?token=…`` of a Jupyter link is understood.
    environ : mapping, optional
        The environment; ``os.environ`` when left out.

    Raises
    ------
    Unavailable
        If no address was given and no running server was found.
    """
    env = os.environ if environ is None else environ
    dapp_token = env.get("DAPP_TOKEN", "")
    if url:
        return _given(url, dapp_token if same_address(url, env.get("DAPP_URL", "")) else "", env)
    if env.get("DAPP_URL"):
        return _given(env["DAPP_URL"], dapp_token, env)
    servers = list(running_servers(runtime_folder(env)))
    own = _own(servers, env)
    if own is None:
        own = next((info for info in servers if _answers(info["url"])), None)
    if own is not None:
        return Server(own["url"], _token(own, env), dapp_token)
    hub = _hub(env)
    if hub is not None:
        return hub
    raise Unavailable(
        'No running DAPP server was found. Start one with “jupyter dapp start” (or “jupyter lab”), or give its address: DAPPClient("http://127.0.0.1:8888").'
    )


def runtime_folder(environ: Mapping[str, str]) -> Path:
    """The folder where running Jupyter servers leave their address."""
    if environ.get("JUPYTER_RUNTIME_DIR"):
        return Path(environ["JUPYTER_RUNTIME_DIR"])
    try:
        # Every kernel has jupyter_core, and it knows each platform's folder; a bare script may be without.
        from jupyter_core.paths import jupyter_runtime_dir
    except ImportError:
        data = environ.get("JUPYTER_DATA_DIR")
        if data:
            return Path(data) / "runtime"
        if sys.platform == "darwin":
            return Path.home() / "Library" / "Jupyter" / "runtime"
        return Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "jupyter" / "runtime"
    return Path(jupyter_runtime_dir())


def running_servers(folder: Path) -> Iterator[dict[str, Any]]:
    """What the runtime files say of the Jupyter servers that still run, the newest first."""
    for path in sorted(folder.glob("jpserver-*.json"), key=_modified, reverse=True):
        try:
            info = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            continue  # being written or removed at this moment
        if not isinstance(info, dict) or not str(info.get("url", "")).startswith(("http://", "https://")):
            continue
        if _runs(info.get("pid")):
            info["url"] = _with_slash(str(info["url"]))
            yield info


def same_address(one: str, other: str) -> bool:
    """Whether two addresses lead to the same place; the names of this machine count as one."""
    return bool(one and other) and _place(one) == _place(other)


def _given(url: str, dapp_token: str, env: Mapping[str, str]) -> Server:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        _ = parts.port
    except ValueError as error:  # an unclosed bracket, a port that is no number
        raise Invalid(f"{url!r} is not the address of a server: {error}. Give one such as http://127.0.0.1:8888.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Invalid(f"{url!r} is not the address of a server. Give one such as http://127.0.0.1:8888.")
    token = next(iter(parse_qs(parts.query).get("token", [])), "")
    # People copy the address out of the browser; the page at its end is not part of the server's base.
    path = re.sub(r"/(lab|tree|notebooks|doc|dapp)(/.*)?$", "/", parts.path)
    address = _with_slash(urlunsplit((parts.scheme, parts.netloc, path, "", "")))
    if not token:
        known = (info for info in running_servers(runtime_folder(env)) if same_address(str(info["url"]), address))
        token = next((_token(info, env) for info in known), "")
    return Server(address, token, dapp_token)


def _own(servers: list[dict[str, Any]], env: Mapping[str, str]) -> dict[str, Any] | None:
    """The server that started this process, if one did."""
    parents = {env.get("JPY_PARENT_PID", ""), str(os.getppid())}
    for info in servers:
        if str(info["pid"]) in parents:
            return info
    for info in servers:  # a terminal inside JupyterLab
        if same_address(str(info["url"]), env.get("JUPYTER_SERVER_URL", "")):
            return info
    root = env.get("JUPYTER_SERVER_ROOT")
    if root:
        for info in servers:
            if os.path.realpath(str(info.get("root_dir", ""))) == os.path.realpath(root):
                return info
    return None


def _token(info: Mapping[str, Any], env: Mapping[str, str]) -> str:
    prefix = env.get("JUPYTERHUB_SERVICE_PREFIX")
    if prefix and str(info.get("base_url", "")) == prefix:
        return env.get("JUPYTERHUB_API_TOKEN", "")
    return str(info.get("token", ""))


def _hub(env: Mapping[str, str]) -> Server | None:
    """The single-user server of a JupyterHub, for kernels that cannot see its runtime file."""
    service, token = env.get("JUPYTERHUB_SERVICE_URL"), env.get("JUPYTERHUB_API_TOKEN")
    if not service or not token:
        return None
    parts = urlsplit(service)
    host = "127.0.0.1" if parts.hostname in (None, "", "0.0.0.0", "::") else parts.hostname
    path = env.get("JUPYTERHUB_SERVICE_PREFIX") or parts.path
    return Server(_with_slash(urlunsplit((parts.scheme, f"{host}:{parts.port or 8888}", path, "", ""))), token)


def _answers(url: str) -> bool:
    try:
        with httpx.Client(verify=trusted(url), trust_env=not is_loopback(url), timeout=_PROBE_SECONDS) as probe:
            return probe.get(f"{url}{API}health/live").status_code == 200
    except httpx.HTTPError:
        return False


def _runs(pid: Any) -> bool:
    if not isinstance(pid, int) or pid <= 0:
        return False
    if sys.platform == "win32":  # os.kill would end the process there; the probe finds out instead
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _with_slash(url: str) -> str:
    return url if url.endswith("/") else url + "/"


def _place(url: str) -> tuple[str, int, str]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return ("localhost" if host in _LOOPBACK else host, port, _with_slash(parts.path))
