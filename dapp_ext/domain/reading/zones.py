"""Time stamps with the name of a zone: ``2024-03-01 10:00 Europe/Berlin``, ``2024-03-01 10:00:00 EST``, ``Fri, 01 Mar 2024 10:00:00 GMT``.

Names of places are those of the IANA time zone database. Of the abbreviations only those are taken that a standard gives one
meaning (RFC 5322, section 4.3: EST, EDT, CST, CDT, MST, MDT, PST, PDT), and Europe's, which nobody else uses; where a column
mixes both sorts it stays text, because then nothing says whose habits it follows.
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from dapp_ext.domain.reading.numbers import DoesNotFit

AMERICA = {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
EUROPE = {"WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "EET": 2, "EEST": 3}
_ZERO = {"UTC": 0, "GMT": 0, "Z": 0, "UT": 0}
_ZONE = r"(?P<zone>[A-Z][A-Za-z]+(?:/[A-Za-z0-9_+-]+)+|[A-Z]{1,4}|[+-][0-9]{2}:?[0-9]{2})"
_ISO = r"^(?P<stamp>[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.][0-9]{1,6})?)?) ?\[?" + _ZONE + r"\]?$"
_MAIL = (
    r"^(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?(?P<day>[0-9]{1,2})[ -](?P<month>[A-Z][a-z]{2})[ -](?P<year>[0-9]{4}) "
    r"(?P<clock>[0-9]{2}:[0-9]{2}(?::[0-9]{2})?) " + _ZONE + "$"
)
_MONTHS = pa.array(["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"])
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)", re.ASCII)


def named(array: pa.Array) -> pa.Array:
    """Moments whose zone has a name.

    Of the hour that comes twice when clocks are put back the first one is meant.

    Raises
    ------
    DoesNotFit
        Some text is no such time stamp, its zone has no name of one meaning, or its hour was left out when clocks were put forward.
    """
    stamps, zones = _parts(array)
    if stamps.null_count != array.null_count:
        raise DoesNotFit
    known = [zone for zone in zones.unique().to_pylist() if zone is not None]
    if any(zone in AMERICA for zone in known) and any(zone in EUROPE for zone in known):
        raise DoesNotFit
    try:
        bare = pc.cast(stamps, pa.timestamp("us"))
        found = pa.nulls(len(array), pa.timestamp("us", "UTC"))
        for zone in known:
            found = pc.if_else(pc.fill_null(pc.equal(zones, zone), False), _moments(bare, zones, zone), found)
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise DoesNotFit from error
    return found


def names(array: pa.Array) -> set[str]:
    """The zones that :func:`named` has found."""
    return {zone for zone in _parts(array)[1].unique().to_pylist() if zone is not None}


def _parts(array: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Time stamps in ISO 8601 without a zone, and the names of the zones; null where it is neither."""
    found = pc.extract_regex(array, _ISO)
    if found.null_count == array.null_count:
        return pc.struct_field(found, "stamp"), pc.struct_field(found, "zone")
    if pc.match_substring_regex(array.drop_null()[:1], _MAIL).to_pylist() != [True]:
        raise DoesNotFit
    found = pc.extract_regex(array, _MAIL)
    day, month, year, clock = (pc.struct_field(found, name) for name in ("day", "month", "year", "clock"))
    number = pc.utf8_lpad(pc.cast(pc.add(pc.index_in(month, _MONTHS), 1), pa.string()), 2, "0")
    date = pc.binary_join_element_wise(year, number, pc.utf8_lpad(day, 2, "0"), "-")
    return pc.binary_join_element_wise(date, clock, " "), pc.struct_field(found, "zone")


def _moments(bare: pa.Array, zones: pa.Array, zone: str) -> pa.Array:
    """The time stamps of one zone as moments; what is of another zone may be anything."""
    mine = pc.if_else(pc.fill_null(pc.equal(zones, zone), False), bare, pa.scalar(None, pa.timestamp("us")))
    if "/" in zone:
        return pc.cast(pc.assume_timezone(mine, zone, ambiguous="earliest", nonexistent="raise"), pa.timestamp("us", "UTC"))
    hours = (AMERICA | EUROPE | _ZERO).get(zone)
    if hours is None:
        offset = _OFFSET.fullmatch(zone)
        if offset is None:
            raise DoesNotFit
        minutes = (int(offset[2]) * 60 + int(offset[3])) * (-1 if offset[1] == "-" else 1)
    else:
        minutes = hours * 60
    shifted = pc.subtract(pc.cast(mine, pa.int64()), pa.scalar(minutes * 60_000_000, pa.int64()))
    return pc.cast(pc.cast(shifted, pa.timestamp("us")), pa.timestamp("us", "UTC"))
