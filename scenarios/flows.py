"""SUMO flows turned into single vehicles, persons and containers by our own seeded code.

Source: SUMO, "Definition of Vehicles, Vehicle Types, and Routes", section "Repeated vehicles (Flows)".
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from itertools import count, islice, takewhile
from xml.etree.ElementTree import Element

import numpy as np

from greensplit.engine.errors import NetworkError

from .times import format_time, on_grid_s, parse_time_s

__all__ = ["FLOW_TAGS", "expand_flow", "flow_span_s"]

FLOW_TAGS = {"flow": "vehicle", "personFlow": "person", "containerFlow": "container"}
HOURLY = ("vehsPerHour", "perHour", "personsPerHour", "containersPerHour")
RATES = frozenset({"period", "probability", *HOURLY})
FLOW_ONLY = frozenset({"begin", "end", "number"}) | RATES


def flow_span_s(flow: Element, begin_s: float, end_s: float) -> tuple[float, float]:
    """First and last instant of a flow in seconds; what it does not give is taken from the window."""
    where = _named(flow)
    first, last = flow.get("begin"), flow.get("end")
    return (
        begin_s if first in (None, "begin") else parse_time_s(str(first), where),
        end_s if last is None else parse_time_s(last, where),
    )


def expand_flow(flow: Element, begin_s: float, end_s: float, seed: int) -> list[tuple[float, Element]]:
    """Departures in [``begin_s``, ``end_s``) of a flow as (seconds, element named ``flowid.n``).

    Every flow draws from a generator of its own, so adding one flow does not change the others. Raises
    NetworkError for a flow without a rate, with one that is no number, or with an end as well as a number
    beside its rate, which SUMO refuses too.
    """
    rng = np.random.default_rng([seed, zlib.crc32(str(flow.get("id")).encode())])
    due_s = [on_grid_s(time_s) for time_s in _until_end_s(flow, begin_s, end_s, rng) if time_s >= begin_s]
    # SUMO numbers from the first departure that is not before the simulation's begin.
    return [(depart_s, _single(flow, index, depart_s)) for index, depart_s in enumerate(due_s)]


def _until_end_s(flow: Element, begin_s: float, end_s: float, rng: np.random.Generator) -> Iterator[float]:
    """Departures from the flow's begin to its end or the window's, whichever comes first."""
    first_s, last_s = flow_span_s(flow, begin_s, end_s)
    limit = _number(flow, "number")
    if limit is not None and flow.get("end") is not None and RATES & set(flow.keys()):
        raise NetworkError(f"{_named(flow)}: expected an end or a number with a rate, found both")
    times_s = _times_s(flow, first_s, last_s, limit, rng)
    return islice(takewhile(lambda t: t < min(last_s, end_s), times_s), None if limit is None else int(limit))


def _times_s(
    flow: Element, first_s: float, last_s: float, limit: float | None, rng: np.random.Generator
) -> Iterator[float]:
    period = flow.get("period", "")
    if period.startswith("exp("):
        return _poisson_s(first_s, _rate_per_s(flow, period), rng)
    probability = _number(flow, "probability")
    if probability is not None:
        return (
            (float(t) for t in count(first_s) if rng.random() < probability) if probability > 0 else iter(())
        )
    return _regular_s(first_s, _period_s(flow, last_s - first_s, limit))


def _poisson_s(first_s: float, rate_per_s: float, rng: np.random.Generator) -> Iterator[float]:
    time_s = first_s
    while True:
        time_s += rng.exponential(1.0 / rate_per_s)
        yield time_s


def _regular_s(first_s: float, period_s: float | None) -> Iterator[float]:
    if period_s is None:
        return iter(())
    # SUMO adds its period in whole milliseconds, so a running sum of the rounded period gives its times.
    return (first_s + index * round(period_s, 3) for index in count())


def _period_s(flow: Element, span_s: float, limit: float | None) -> float | None:
    """Seconds between two departures; None when the flow's rate or number is zero."""
    period_s = _number(flow, "period")
    if period_s is not None:
        return period_s
    for name in HOURLY:
        per_hour = _number(flow, name)
        if per_hour is not None:
            return 3600.0 / per_hour if per_hour > 0 else None
    if limit is None:
        raise NetworkError(f"{_named(flow)}: expected number, period, vehsPerHour or probability, found none")
    return span_s / limit if limit > 0 else None


def _rate_per_s(flow: Element, period: str) -> float:
    try:
        rate = float(period.removeprefix("exp(").removesuffix(")"))
    except ValueError as error:
        raise _bad(flow, "period", period) from error
    if rate <= 0:
        raise _bad(flow, "period", period)
    return rate


def _number(flow: Element, name: str) -> float | None:
    text = flow.get(name)
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise _bad(flow, name, text) from error
    if value < 0 or (name == "period" and value == 0):
        raise _bad(flow, name, text)
    return value


def _bad(flow: Element, name: str, text: str) -> NetworkError:
    return NetworkError(f"{_named(flow)}: expected a positive number in {name}, found {text!r}")


def _single(flow: Element, index: int, depart_s: float) -> Element:
    kept = {name: value for name, value in flow.attrib.items() if name not in FLOW_ONLY}
    single = Element(
        _single_tag(flow, kept), kept | {"id": f"{flow.get('id')}.{index}", "depart": format_time(depart_s)}
    )
    single.extend(flow)
    return single


def _single_tag(flow: Element, attributes: Mapping[str, str]) -> str:
    has_route = "route" in attributes or flow.find("route") is not None
    return "trip" if flow.tag == "flow" and not has_route else FLOW_TAGS[flow.tag]


def _named(flow: Element) -> str:
    return f"{flow.tag} {flow.get('id')!r}"
