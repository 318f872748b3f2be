"""A well-written Streamlit page of the same: cached table, cached answers where asked for, a fragment for what changes."""

from __future__ import annotations

import os

import pandas as pd
import streamlit as st

CACHED = os.environ.get("BENCH_CACHED") == "1"
COLUMNS = ["carrier", "month", "distance", "arr_delay", "origin"]


@st.cache_resource
def table() -> pd.DataFrame:
    return pd.read_parquet(os.environ["BENCH_TABLE"], columns=COLUMNS)


def _answer(carriers: tuple[str, ...], months: tuple[int, int], origin: str) -> tuple[int, float, pd.Series, pd.Series, pd.Series]:
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


answer = st.cache_data(_answer) if CACHED else _answer


@st.fragment
def board() -> None:
    carriers = st.multiselect("carrier", sorted(table()["carrier"].dropna().unique().tolist()))
    months = st.slider("month", 1, 12, (1, 12))
    origin = st.radio("origin", ["All", "EWR", "JFK", "LGA"], horizontal=True)
    rows, mean, by_carrier, spread, by_month = answer(tuple(carriers), tuple(months), origin)
    left, right = st.columns(2)
    left.metric("rows", f"{rows:,}")
    right.metric("mean delay", f"{mean:.2f}")
    st.bar_chart(by_carrier)
    st.bar_chart(spread)
    st.line_chart(by_month)


board()
