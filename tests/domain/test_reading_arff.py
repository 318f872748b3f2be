"""ARFF: the head names columns and kinds, quotes and sparse rows are understood, and what is damaged is told."""

from __future__ import annotations

import gzip
from datetime import date

import pytest

from dapp_ext.errors import FileUnreadable
from tests.domain.tables import read

TEXT = """% a comment
@RELATION iris

@ATTRIBUTE 'sepal length' NUMERIC
@ATTRIBUTE class {Iris-setosa, 'Iris versi\\'color', "x,y"}
@attribute code string
@attribute seen date "yyyy-MM-dd"
@DATA
5.1, Iris-setosa, 007, "2001-04-03"
% inner
4.9, 'Iris versi\\'color', ?, 2001-05-03
?,"x,y", 'a "b", c', ?
"""


@pytest.mark.parametrize("data", [TEXT.encode(), TEXT.encode("utf-16"), gzip.compress(TEXT.encode()), TEXT.replace("\n", "\r\n").encode()])
def test_a_head_with_every_kind(data: bytes) -> None:
    found = read(data, "iris.arff")
    assert found.kinds == {"sepal length": "decimal", "class": "category", "code": "text", "seen": "date"}
    assert found.values("sepal length") == [5.1, 4.9, None]
    assert found.values("class") == ["Iris-setosa", "Iris versi'color", "x,y"]
    assert found.values("code") == ["007", None, 'a "b", c']
    assert found.values("seen") == [date(2001, 4, 3), date(2001, 5, 3), None]
    assert found.read.report.format == "arff"
    assert "head of the ARFF file" in found.notes


def test_sparse_rows_leave_out_zeros() -> None:
    found = read("@relation s\n@attribute a numeric\n@attribute b {n,y}\n@attribute c numeric\n@data\n{0 5, 2 7.5}\n{1 y}\n{}\n")
    assert [found.values(name) for name in "abc"] == [[5, 0, 0], ["n", "y", "n"], [7.5, 0.0, 0.0]]


def test_a_kind_may_be_chosen_all_the_same() -> None:
    assert read(TEXT, types={"code": "integer"}).values("code") == [7, None, None]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@relation s\n@attribute a numeric\n", "no line @data"),
        ("@relation s\n@data\n1\n", "names no columns"),
        ("@relation s\n@attribute a numeric\n@data\n", "names 1 column but has no rows behind @data"),
        ("@relation s\n@attribute a numeric\n@attribute b string\n@data\n% nothing\n\n", "names 2 columns but has no rows"),
        ("@relation s\n@attribute a relational\n@data\n1\n", "relational"),
        ("@relation s\n@attribute a numeric\n@attribute b numeric\n@data\n{7 1}\n", "sparse row"),
    ],
)
def test_what_is_no_table_is_told(text: str, said: str) -> None:
    with pytest.raises(FileUnreadable, match=said):
        read(text)
