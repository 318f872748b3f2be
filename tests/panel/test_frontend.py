"""The front end says what the services say, and brings along all that it needs."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from dapp_ext.schema.datasets import ReadOptions
from dapp_panel.assets import FOLDER, Assets
from dapp_panel.pages import CALLS

SOURCES = Path(__file__).parents[2] / "dapp_panel" / "frontend"


def test_the_types_are_those_of_the_schemas() -> None:
    spec = importlib.util.spec_from_file_location("generate_schema", SOURCES / "generate_schema.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.TARGET.read_text("utf-8") == module.render(), "run: python dapp_panel/frontend/generate_schema.py"


def test_every_call_of_the_pages_is_answered_and_none_is_left_over() -> None:
    whole = "\n".join(path.read_text("utf-8") for path in (SOURCES / "src").rglob("*.ts*") if path.name not in ("query.ts", "calls.ts"))
    source = re.sub(r'may\("[a-z_.]+"', "", whole)  # rights are named alike
    nouns = "|".join(sorted({name.partition(".")[0] for name in CALLS}))
    asked = set(re.findall(rf'"((?:{nouns})\.[a-z_]+|home)"', source))
    calls = {name for name in asked if name in CALLS or not re.match(r"(?:dataset|model|job|user)\.", name)}
    assert calls == set(CALLS)


def test_only_what_changes_nothing_is_asked_twice() -> None:
    """A page sends a call again over a lost line only when its name is in this list."""
    source = (SOURCES / "src" / "calls.ts").read_text("utf-8")
    block = source[source.index("const READING") :].partition("]);")[0]
    names = set(re.findall(r'"([a-z_.]+)"', block))
    assert names <= set(CALLS)
    changing = re.compile(r"\.(?:create|update|put|remove|delete|end|end_others|withdraw|train|predict|publish|rotate|restore|fix|undo|stop|skip|extend)")
    assert {each for each in names if changing.search(each)} == set()
    assert len(names) > 30


def test_every_way_to_read_a_file_is_offered() -> None:
    source = (SOURCES / "src" / "pages" / "read_again.tsx").read_text("utf-8")
    questions = source[source.index("const QUESTIONS") : source.index("\n};", source.index("const QUESTIONS"))]
    assert set(re.findall(r"^  (\w+): \{\s+label", questions, re.MULTILINE)) | {"types"} == set(ReadOptions.model_fields)
    assert "Kinds of columns" in source


def test_nothing_from_data_becomes_markup() -> None:
    for path in (SOURCES / "src").rglob("*.ts*"):
        text = path.read_text("utf-8")
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "dangerouslySetInnerHTML", "document.write", "eval("):
            assert way not in text, (path.name, way)


def test_the_build_stays_light_and_loads_nothing_from_elsewhere() -> None:
    assets = Assets.load()
    assert {"app.js", "app.css", "signin.js", "signin.css", "font.woff2", "mark.svg"} <= set(assets.files)
    assert sum(path.stat().st_size for path in FOLDER.glob("*.gz")) < 600_000
    for path in FOLDER.glob("*.css"):
        assert not re.search(r"url\(['\"]?(?:https?:)?//|@import", path.read_text("utf-8")), path.name
