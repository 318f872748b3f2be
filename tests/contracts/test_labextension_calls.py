"""Every address that the labextension calls is one of the API; and nothing but its one API module calls any."""

from __future__ import annotations

import re
from pathlib import Path

from dapp_ext.handlers.routes import OPERATIONS

SOURCE = Path(__file__).parents[2] / "labextension" / "src"
# A path as the module writes it: 'events', `datasets/${segment(ref)}/rows`, `${kind}/${segment(ref)}/grants/…`.
CALL = re.compile(r"_(get|post|call)(?:<[^(]*>)?\(\s*[`']([^`']+)[`'](?:,\s*\{\s*method:\s*'(\w+)')?")
ASSIGNED = re.compile(r"const path = `([^`]+)`;[^}]*?(?:method: '(\w+)'|(send)\()", re.DOTALL)


def _calls() -> set[tuple[str, str]]:
    text = "\n".join(path.read_text("utf-8") for path in (SOURCE / "api").glob("*.ts"))
    verbs = {"get": "GET", "post": "POST", "call": ""}
    found = {(method or verbs[name], path) for name, path, method in CALL.findall(text)}
    found |= {(method or "GET", path) for path, method, _ in ASSIGNED.findall(text)}
    return {(method, "/" + re.sub(r"\$\{[^}]*\}", "{}", path.replace("${kind}", kind)).strip("/")) for method, path in found for kind in ("datasets", "models")}


def test_every_call_is_an_operation() -> None:
    known = {(each.method, re.sub(r"\{\w+\}", "{}", each.path)) for each in OPERATIONS}
    called = _calls()
    assert len(called) > 35
    assert called - known == set()


def test_only_the_api_module_calls() -> None:
    others = [path for path in SOURCE.rglob("*.ts*") if path.parent.name != "api" and path.name != "schema.ts"]
    assert len(others) > 30
    guilty = [path.name for path in others if re.search(r"(?<![.\w])fetch\(|XMLHttpRequest|makeRequest|new WebSocket|dapp/api", path.read_text("utf-8"))]
    assert guilty == []
