"""A well-written Streamlit page of the same: cached table, cached answers where asked for, a fragment for what changes.

With ``BENCH_CACHED=1`` every result is kept as it is drawn: numbers and the whole specification of each chart.
"""

from __future__ import annotations

import os
from typing import Any

import pandas as pd
import streamlit as st

CACHED = os.environ.get("BENCH_CACHED") == "1"
COLUMNS = ["carrier", "month", "distance", "arr_delay", "origin"]


@st.cache_resource
def table() -> pd.DataFrame:
    return pd.read_parquet(os.environ["BENCH_TABLE"], columns=COLUMNS)


@st.cache_resource
def carriers_of_table() -> list[str]:
    return sorted(table()["carrier"].dropna().unique().tolist())


def answer(carriers: tuple[str, ...], months: tuple[int, int], origin: str) -> tuple[int, float, pd.Series, pd.Series, pd.Series]:
    frame = table()
    kept = frame[frame["month"].between(*months)]
    if origin != "All":
        kept = kept[kept["origin"] == origin]
    if carriers:
        kept = kept[kept["carrier"].isin(carriers)]
    delays = kept["arr_delay"].astype("float64")
    spread = pd.cut(delays.clip(-100, 300), 40).value_counts(sort=False)
    spread.index = [each.left for each in spread.index]
    by_carrier = kept.groupby("carrier", observed=True)["arr_delay"].mean()
    return len(kept), float(delays.mean()), by_carrier, spread, kept.groupby("month")["arr_delay"].mean()


@st.cache_resource  # given out as it is, without a copy for each visitor
def drawn(carriers: tuple[str, ...], months: tuple[int, int], origin: str) -> tuple[str, str, list[dict[str, Any]]]:
    rows, mean, by_carrier, spread, by_month = answer(carriers, months, origin)
    return f"{rows:,}", f"{mean:.2f}", [_spec("bar", by_carrier), _spec("bar", spread), _spec("line", by_month)]


def _spec(mark: str, values: pd.Series) -> dict[str, Any]:
    points = [{"x": x if isinstance(x, str) else float(x), "y": float(y)} for x, y in values.items()]
    kind = "nominal" if points and isinstance(points[0]["x"], str) else "quantitative"
    encoding = {"x": {"field": "x", "type": kind}, "y": {"field": "y", "type": "quantitative"}}
    return {"data": {"values": points}, "mark": mark, "encoding": encoding}


@st.fragment
def board() -> None:
    carriers = tuple(st.multiselect("carrier", carriers_of_table()))
    months = st.slider("month", 1, 12, (1, 12))
    origin = st.radio("origin", ["All", "EWR", "JFK", "LGA"], horizontal=True)
    left, right = st.columns(2)
    if CACHED:
        rows, mean, specs = drawn(carriers, months, origin)
        left.metric("rows", rows)
        right.metric("mean delay", mean)
        for spec in specs:
            st.vega_lite_chart(spec)
        return
    count, average, by_carrier, spread, by_month = answer(carriers, months, origin)
    left.metric("rows", f"{count:,}")
    right.metric("mean delay", f"{average:.2f}")
    st.bar_chart(by_carrier)
    st.bar_chart(spread)
    st.line_chart(by_month)


board()
