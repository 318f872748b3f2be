"""JSON as people and services write it, and files of other kinds: each gets its table, or one sentence that says what to do."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import zipfile
from decimal import Decimal

import pytest

from dapp_ext.domain.reading.relaxing import relaxed
from dapp_ext.errors import FileUnreadable
from tests.domain.tables import read


@pytest.mark.parametrize(
    "text",
    [
        '// exported 2024\n[\n {"a": 1},\n {"a": 2}\n]\n',
        '/* exported,\n by hand */ [{"a": 1}, {"a": 2}]',
        '[{"a": 1}, // the first\n {"a": 2}]',
        '[{"a": 1,}, {"a": 2},]',
        '{"rows": [{"a": 1}, {"a": 2}], /* all */}',
        ')]}\',\n[{"a":1},{"a":2}]',
    ],
)
def test_what_json_does_not_have_is_left_out_and_told(text: str) -> None:
    found = read(text, "a.json")
    assert found.values("a") == [1, 2]
    assert "which JSON does not have" in found.notes


@pytest.mark.parametrize("text", ['{"a":1}{"a":2}', '{\n "a": 1\n}\n{\n "a": 2\n}\n', '\x1e{"a":1}\n\x1e{"a":2}\n'])
def test_objects_one_after_the_other(text: str) -> None:
    assert read(text, "a.json").values("a") == [1, 2]


def test_what_looks_like_a_comment_inside_a_text_stays() -> None:
    text = '[{"a": "http://x/ /* no */ ,]", "b": "\\"//"},]'
    assert relaxed(text) == text.replace("},]", "}]")
    assert read(text, "a.json").values("a") == ["http://x/ /* no */ ,]"]


def test_a_line_of_slashes_over_a_table_is_no_json() -> None:
    assert read("//a,b\n1,2\n3,4\n").kinds == {"//a": "integer", "b": "integer"}


def test_json_in_single_quotes_says_so() -> None:
    with pytest.raises(FileUnreadable, match="double quotes"):
        read("[{'a': 1}]", "a.json")


def test_the_list_of_records_among_others() -> None:
    found = read(json.dumps({"results": [{"id": 1}, {"id": 2}], "facets": [{"f": 1}], "count": 2}), "a.json")
    assert found.values("id") == [1, 2]
    assert 'left out: "facets"' in found.notes
    two = read(json.dumps({"these": [{"id": 1}], "those": [{"id": 2}]}), "a.json")
    assert two.table.num_rows == 1  # nobody can tell which is meant
    assert two.table.column_names == ["these", "those"]


def test_records_under_names() -> None:
    found = read(json.dumps({name: {"a": n, "b": "x"} for n, name in enumerate(("r1", "r2", "r3"))}), "a.json")
    assert found.table.to_pylist()[1] == {"key": "r2", "a": 1, "b": "x"}
    places = read(json.dumps({"home": {"lat": 1}, "work": {"lat": 2}}), "a.json")
    assert places.table.column_names == ["home.lat", "work.lat"]


def test_decimals_keep_their_digits_in_json() -> None:
    long = "0.1234567890123456789012"
    found = read(f'[{{"a": {long}, "b": 1}}, {{"a": 2.5, "b": 2}}, {{"a": 7}}]', "a.json")
    assert found.values("a") == [Decimal(long), Decimal("2.5"), 7]
    assert 'kept with all their digits in "a"' in found.notes
    later = read("\n".join(['{"a": 0.5}'] * 5000 + [f'{{"a": {long}}}']), "a.jsonl")
    assert later.values("a")[-1] == float(long)
    assert 'rounded to about 16 in "a"' in later.notes
    assert "digits" not in read('[{"a": 0.30000000000000004}, {"a": 1e-300}]', "a.json").notes


@pytest.mark.parametrize(("name", "body"), [("t.csv", "p,n\n{0},1\n007.5,2\n"), ("t.json", '[{{"p": {0}}}, {{"p": "7.5"}}]')])
def test_decimals_keep_their_digits_where_the_kind_was_chosen(name: str, body: str) -> None:
    long = "0.1234567890123456789012345"
    found = read(body.format(long), name, types={"p": "decimal"})
    assert found.values("p") == [Decimal(long), Decimal("7.5")]
    assert "all their digits" in found.notes


def _zip(**parts: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name.replace("__", "/").replace("_DOT_", "."), text)
    return out.getvalue()


FOREIGN = {
    "web page": (b"\xef\xbb\xbf<table border=1><tr><th>a</th></tr><tr><td>1</td></tr></table>", "web page"),
    "page with a comment": (b'<!-- x --><meta http-equiv="content-type"><table><tr><td>a</td></tr></table>', "web page"),
    "page in UTF-16": ("<html><table><tr><td>a</td></tr></table></html>".encode("utf-16"), "web page"),
    "mht": (b'MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="x"\r\n\r\n--x\r\n<html>', "saved web page"),
    "xml": (b"<rows>\n<row><a>1</a></row>\n</rows>", "XML"),
    "long xml": (b"<rows>\n" + b"<row><a>1</a></row>\n" * 20_000, "XML"),
    "numbers": (_zip(Index__Document_DOT_iwa="x", preview_DOT_jpg="y"), "Apple Numbers"),
    "ods without content": (_zip(mimetype="application/vnd.oasis.opendocument.spreadsheet", **{"META-INF__manifest_DOT_xml": "<x/>"}), "content is missing"),
    "stata": (b"<stata_dta><header><release>118</release>" + bytes(300), "Stata"),
    "sas": (bytes(12) + bytes.fromhex("c2ea8160b31411cf") + bytes(400), "SAS"),
    "transport": (b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!" + b"0" * 200, "SAS transport"),
    "matlab": (b"MATLAB 5.0 MAT-file, Platform: X" + bytes(200), "MATLAB"),
    "rds": (gzip.compress(b"X\n\x00\x00\x00\x03" + bytes(range(256))), "R data"),
    "access": (b"\x00\x01\x00\x00Standard Jet DB\x00" + bytes(300), "Access"),
    "film": (b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)), "video"),
    "old pickle": (pickle.dumps({"a": [1, 2]}, 0), "pickle"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "pointer"),
}


@pytest.mark.parametrize("of", FOREIGN)
def test_files_of_other_kinds_are_named(of: str) -> None:
    data, named = FOREIGN[of]
    with pytest.raises(FileUnreadable, match=named) as refused:
        read(data, "table.csv")
    assert any(word in str(refused.value) for word in ("Upload", "upload", "Save"))


@pytest.mark.parametrize("text", ["<b>Name</b>,n\nAnn,1\nBob,2\n", "<none>\n<a>\n<b>\n<none>\n", "c1,c2\n<p>x</p>,1\n<p>y</p>,2\n", "cats\na\nb\n"])
def test_marks_in_cells_are_no_markup(text: str) -> None:
    assert read(text).table.num_rows > 1
