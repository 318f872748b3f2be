"""Values as people and programs spell them: signs, spans of time, names of zones and months, letters from before Unicode."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from dapp_ext.domain.reading.encodings import guess
from dapp_ext.errors import FileUnreadable
from tests.domain.tables import read


def column(*texts: str, **options: Any) -> tuple[str, list[Any]]:
    """The kind of a column of such texts, and its values; each stands several times, as in a longer file."""
    found = read("n,v\n" + "".join(f'{number},"{text}"\n' for number, text in enumerate(texts * 3)), **options)
    return found.kinds["v"], found.values("v")[: len(texts)]


# -- a plus before numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "kind", "values"),
    [
        (["+1.5", "-2.0", "0", "+3"], "decimal", [1.5, -2.0, 0.0, 3.0]),
        (["+1", "-2", "0", "+30"], "integer", [1, -2, 0, 30]),
        (["+1.5", "+2.25"], "decimal", [1.5, 2.25]),
        (["+1,234.5", "-2.5"], "decimal", [1234.5, -2.5]),
        (["-5", "7", "+12"], "integer", [-5, 7, 12]),
    ],
)
def test_signed_numbers(texts: list[str], kind: str, values: list[float]) -> None:
    assert column(*texts) == (kind, values)


def test_signed_numbers_with_a_decimal_comma() -> None:
    found = read("n;v\n1;+1,5\n2;-2,0\n3;+1.003,25\n")
    assert found.values("v") == [1.5, -2.0, 1003.25]
    assert "plus before a number" in found.notes


def test_a_plus_far_down_and_late_evidence() -> None:
    found = read("n,v\n" + "".join(f"{n},{n % 50}\n" for n in range(400_000)) + "7,+12\n8,-3\n")
    assert found.values("v")[-2:] == [12, -3]
    late = read("n,v\n" + "".join(f"{n},+{n % 50}\n" for n in range(300)) + "7,-3\n")
    assert late.kinds["v"] == "integer"


@pytest.mark.parametrize("texts", [["+49", "+1", "+44"], ["+491701234567", "-2"], ["+49 170 1234", "+44 20 79"], ["+0170", "-1"], ["+", "-1"], ["+-1", "-2"]])
def test_what_is_no_signed_number_stays_text(texts: list[str]) -> None:
    kind, values = column(*texts)
    assert kind in ("text", "category")
    assert values == texts


# -- spans of time --------------------------------------------------------------------------------------------------------

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1h 30m", "2h", "45m 10s"], [1.5 * HOUR, 2 * HOUR, timedelta(minutes=45, seconds=10)]),
        (["1h30m", "2h5m"], [1.5 * HOUR, timedelta(hours=2, minutes=5)]),
        (["1 hour 30 minutes", "2 hours", "5 min"], [1.5 * HOUR, 2 * HOUR, 5 * MINUTE]),
        (["1 Std. 30 Min.", "2 Stunden", "3 Tage"], [1.5 * HOUR, 2 * HOUR, 72 * HOUR]),
        (["1d 4h", "3d", "2w 1d"], [28 * HOUR, 72 * HOUR, timedelta(days=15)]),
        (["1.5h", "0.25h"], [1.5 * HOUR, 15 * MINUTE]),
        (["-1h 30m", "90 min"], [-1.5 * HOUR, 1.5 * HOUR]),
        (["1 hour and 5 minutes", "2 hours, 1 minute"], [65 * MINUTE, 121 * MINUTE]),
        (["26:15:00", "01:30:00"], [26.25 * HOUR, 1.5 * HOUR]),
        (["PT1H30M", "P1DT2H"], [1.5 * HOUR, 26 * HOUR]),
    ],
)
def test_spans_of_time(texts: list[str], values: list[timedelta]) -> None:
    assert column(*texts) == ("duration", values)


@pytest.mark.parametrize("texts", [["5 m", "12 m"], ["12d", "3d"], ["10s", "20s"], ["1w", "2w"], ["30m 1h", "1h"], ["h", "1h"], ["3 D", "4 H"]])
def test_letters_that_may_mean_something_else_stay_text(texts: list[str]) -> None:
    kind, values = column(*texts)
    assert kind in ("text", "category")
    assert values == texts


def test_clock_times_are_spans_where_that_is_chosen() -> None:
    assert column("01:30:00", "00:05:00") == ("time", [datetime(1, 1, 1, 1, 30).time(), datetime(1, 1, 1, 0, 5).time()])
    assert column("01:30:00", "5m", "1h 5m", types={"v": "duration"}) == ("duration", [1.5 * HOUR, 5 * MINUTE, 65 * MINUTE])


# -- names of zones -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["2024-03-01 10:00 Europe/Berlin", "2024-07-01 10:00 Europe/Berlin"], [(3, 1, 9, 0), (7, 1, 8, 0)]),
        (["2024-03-01T10:00:30[Asia/Kolkata]", "2024-07-01T10:00:00[America/New_York]"], [(3, 1, 4, 30, 30), (7, 1, 14, 0)]),
        (["2024-03-01 10:00:00 EST", "2024-07-01 10:00:00 EDT"], [(3, 1, 15, 0), (7, 1, 14, 0)]),
        (["2024-03-01 10:00:00 CET", "2024-07-01 10:00:00 CEST", "2024-07-01 10:00:00 UTC"], [(3, 1, 9, 0), (7, 1, 8, 0), (7, 1, 10, 0)]),
        (["Fri, 01 Mar 2024 10:00:00 GMT", "Mon, 01 Jul 2024 10:00:00 +0200"], [(3, 1, 10, 0), (7, 1, 8, 0)]),
        (["2024-10-27 02:30:00 Europe/Berlin"], [(10, 27, 0, 30)]),
    ],
)
def test_names_of_zones(texts: list[str], values: list[tuple[int, ...]]) -> None:
    assert column(*texts) == ("datetime", [datetime(2024, *value, tzinfo=UTC) for value in values])  # type: ignore[arg-type,misc]


def test_what_was_made_of_the_names_is_told() -> None:
    notes = read("n,v\n1,2024-03-01 10:00:00 EST\n2,2024-03-01 10:00:00 PST\n").notes
    assert "EST, PST" in notes
    assert "North America" in notes


@pytest.mark.parametrize("zone", ["IST", "Europe/Nowhere", "XYZ"])
def test_names_without_one_meaning_stay_text(zone: str) -> None:
    assert column(f"2024-03-01 10:00:00 {zone}")[0] in ("text", "category")


def test_an_hour_that_never_was_stays_text() -> None:
    assert column("2024-03-31 02:30:00 Europe/Berlin")[0] in ("text", "category")


def test_a_chosen_moment_knows_the_names_too() -> None:
    kind, values = column("2024-03-01 10:00:00+00:00", "2024-03-01 10:00:00 EST", "soon", types={"v": "datetime"})
    assert (kind, values) == ("datetime", [datetime(2024, 3, 1, 10, tzinfo=UTC), datetime(2024, 3, 1, 15, tzinfo=UTC), None])


# -- names of months ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "01MAR2024", "1/Mar/2024", "01/Mar/24", "Friday, March 1, 2024", "Fri, 1 Mar 2024", "1. März 2024", "1 Mrz 2024", "1 mars 2024", "1 de marzo de 2024",
        "1 marzo 2024",
    ],
)  # fmt: skip
def test_dates_with_names(text: str) -> None:
    assert column(text, text.replace("24", "23")) == ("date", [date(2024, 3, 1), date(2023, 3, 1)])


def test_words_beside_numbers_are_no_dates() -> None:
    assert column("12abc2024", "13xyz2024")[0] in ("text", "category")
    assert column("1/Able/2024", "2/Baker/2024")[0] in ("text", "category")


# -- letters from before Unicode ------------------------------------------------------------------------------------------

WRITTEN = {
    "shift_jis": "名前,値段\n太郎,100\n花子,200\n次郎,300\n",
    "euc_jp": "商品名,価格\nりんご,100\nみかん,80\nバナナ,120\n",
    "gb18030": "姓名,城市,金额\n张三,北京,100\n李四,上海,200\n王五,广州,300\n",
    "big5": "姓名,城市,金額\n陳大文,臺北,100\n林小明,高雄,200\n",
    "euc_kr": "이름,도시,금액\n김철수,서울,100\n이영희,부산,200\n",
    "cp1251": "Имя,Город\nИван,Москва\nОльга,Казань\nПётр,Омск\n",
    "cp1253": "Όνομα,Πόλη\nΓιώργος,Αθήνα\nΜαρία,Πάτρα\n",
    "mac_roman": "Straße,Ort\nKönigsallee,Düsseldorf\nÄußere,Köln\n",
    "cp850": "Straße,Ort\nKönigsallee,Düsseldorf\nÄußere,Köln\n",
}


@pytest.mark.parametrize("encoding", WRITTEN)
def test_an_old_encoding_is_told_by_its_letters(encoding: str) -> None:
    text = WRITTEN[encoding]
    found = read(text.encode(encoding))
    assert [",".join(found.table.column_names), *(",".join(map(str, row.values())) for row in found.table.to_pylist())] == text.split()
    assert f"read as {encoding}" in found.notes
    assert guess((text * 50).encode(encoding)[:-3]) == encoding


@pytest.mark.parametrize(
    "text",
    ["Straße;Ort\nKöln;5 €\n", "São Paulo;Conceição\nAções;João\n", "Hôtel;Été\nÀ;déjà\nœuvre;ça\n", "a\n“hi”,it’s\n–,x…\n", "t\n21 °C;5 µm\n", "STRASSE;MÜLLER\nÖDE;Ärger\n", "x\nà,é\n"],
)  # fmt: skip
def test_western_texts_stay_windows_1252(text: str) -> None:
    assert guess(text.encode("cp1252")) == "cp1252"


# -- wide and wrapped -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inner", [gzip.compress(b"a,b\n1,2\n", mtime=number) for number in (1, 0x41414141, 0x01010101)], ids=range(3))
def test_a_file_that_is_packed_twice_is_refused(inner: bytes) -> None:
    """Whatever its bytes look like, which the time within them changes."""
    with pytest.raises(FileUnreadable, match="packed already"):
        read(gzip.compress(inner), "t.csv.gz")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("t.csv.gz", inner)
    with pytest.raises(FileUnreadable, match="packed already"):
        read(archive.getvalue(), "t.zip")


def test_thousands_of_keys_are_read_in_no_time() -> None:
    """Every pair of columns was compared once: fifty seconds for ten thousand."""
    records = json.dumps([{f"k{number}": number for number in range(4000)}] * 2).encode()
    found = read(records, "t.json")
    assert (found.table.num_rows, found.table.num_columns) == (2, 4000)
