"""The TypeScript vocabulary of the labextension is the one that the server speaks."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

LABEXTENSION = Path(__file__).parents[2] / "labextension"


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_schema", LABEXTENSION / "generate_schema.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_schema_ts_is_what_the_shapes_say(generator: ModuleType) -> None:
    """A shape that changes in Python changes in TypeScript too: run ``npm run schema`` in ``labextension``."""
    assert (LABEXTENSION / "src" / "schema.ts").read_text("utf-8") == generator.generate()


def test_every_shape_is_there(generator: ModuleType) -> None:
    text = generator.generate()
    for shape in ("DatasetRead", "Results", "RowsRead", "Event", "TrainRequest", "DashboardAddress"):
        assert f"export interface {shape} {{" in text


def test_requests_may_leave_out_what_has_a_default_and_answers_may_not(generator: ModuleType) -> None:
    text = generator.generate()
    assert "  offset?: number;" in text.split("export interface RowsRequest")[1].split("}")[0]
    assert "  offset: number;" in text.split("export interface RowsRead")[1].split("}")[0]
