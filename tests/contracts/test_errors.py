"""The tree of errors: total, unique, and the same at every door."""

from __future__ import annotations

import pickle

import pytest

from dapp_ext.cli.main import exit_code
from dapp_ext.errors import DappError, error_from_code, every_error

ERRORS = sorted(every_error().items())


def _subclasses(cls: type[DappError]) -> list[type[DappError]]:
    return [cls, *(each for child in cls.__subclasses__() for each in _subclasses(child))]


def test_every_class_has_a_code_of_its_own() -> None:
    classes = [cls for cls in _subclasses(DappError) if cls.__module__ == "dapp_ext.errors"]
    assert len({cls.code for cls in classes}) == len(classes)


@pytest.mark.parametrize(("code", "cls"), ERRORS)
def test_every_error_is_a_sentence_with_an_exit_code(code: str, cls: type[DappError]) -> None:
    error = cls()
    assert error.message[0].isupper()
    assert error.message.endswith(".")
    assert 1 <= exit_code(error) <= 125


@pytest.mark.parametrize(("code", "cls"), ERRORS)
def test_an_error_crosses_processes_and_the_wire_as_itself(code: str, cls: type[DappError]) -> None:
    error = cls("what happened", column=3)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.message, again.details) == (cls, "what happened", {"column": 3})
    assert type(error_from_code(code, "x")) is cls


def test_an_unknown_code_is_still_an_error_of_ours() -> None:
    error = error_from_code("from_the_future", "something new")
    assert type(error) is DappError
    assert error.message == "something new"


def test_the_tree_is_drawn_whole() -> None:
    from dapp_ext import errors

    assert errors.__doc__ is not None
    missing = [cls.__name__ for cls in every_error().values() if cls.__module__ == "dapp_ext.errors" and cls.__name__ not in errors.__doc__]
    assert missing == []
