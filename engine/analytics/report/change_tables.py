"""Tables of a before/after page: the one that agencies ask for, all measures, corridors, methods and exclusions."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import polars as pl

from ..comparison.effects import Outcome
from ..comparison.measures import AGENCY_TABLE
from ..comparison.tables import tables_of
from .change_words import Teller, p_text, signed
from .markup import Html, details, join, table, tag
from .section import Section
from .words import figure

__all__ = ["corridor_table", "download", "tables_sections"]


def tables_sections(teller: Teller) -> list[Section]:
    """The seven measures by period; every measure; methods, exclusions and days needed."""
    say = teller.say
    return [
        Section("table", say("section.table"), _agency(teller)),
        Section("measures", say("section.all"), _everything(teller)),
        Section("methods", say("section.methods"), _methods(teller)),
    ]


def download(name: str, frame: pl.DataFrame, teller: Teller) -> Html:
    """A link that saves the table as CSV, without a network."""
    data = base64.b64encode(frame.write_csv().encode("utf-8-sig")).decode()
    link = {"href": f"data:text/csv;charset=utf-8;base64,{data}", "download": f"{name}.csv"}
    return tag("p", tag("a", teller.say("download", name=f"{name}.csv"), attributes=link), cls="note")


def _agency(teller: Teller) -> Html:
    found, say = teller.found, teller.say
    heads: list[object] = [say("column.measure")]
    sides = f"{say('side.before')} → {say('side.after')}"
    heads += [join([teller.period(period.name), tag("br"), sides]) for period in found.question.periods]
    rows = []
    for key in AGENCY_TABLE:
        cells: list[object] = [f"{teller.measure(key)}, {teller.unit(key)}"]
        for period in found.question.periods:
            cells.append(_cell(teller, key, period.name))
        rows.append(cells)
    caption = say("table.agency", confidence=f"{100 * found.question.confidence:g}")
    return join([table(caption, heads, rows), tag("p", say("note.agency"), cls="note")])


def _cell(teller: Teller, key: str, period: str) -> Html:
    """Before, after, and the change with its interval; or why there is none."""
    one = teller.found.outcome(key, period)
    if one is None:
        absent = any(gap.absent for gap in teller.found.lacking if (gap.measure, gap.period) == (key, period))
        return tag("span", teller.say("not_measured" if absent else "too_few"), cls="note")
    digits = one.measure.digits
    return join([f"{figure(one.before, digits)} → {figure(one.after, digits)}", tag("br"), _change_cell(one)])


def _change_cell(one: Outcome) -> Html:
    tone = {"better": "better", "worse": "worse"}.get(one.verdict, "")
    if one.relative is None:
        value, ends, digits, sign = one.change.estimate, one.change, one.measure.digits, ""
    else:
        value, ends, digits, sign = 100 * one.relative.estimate, one.relative, 1, " %"
    factor = 100.0 if sign else 1.0
    low, high = (signed(end * factor, digits) for end in (ends.low, ends.high))
    return join(
        [
            tag("span", signed(value, digits) + sign, cls=tone),
            tag("br"),
            tag("span", f"{low} … {high}", cls="ends"),
        ]
    )


def _everything(teller: Teller) -> Html:
    found, say = teller.found, teller.say
    total = found.question.periods[0].name
    heads = [
        *(say(f"column.{name}") for name in ("measure", "unit")),
        say("side.before"),
        say("side.after"),
        *(say(f"column.{name}") for name in ("change", "percent", "p", "verdict")),
    ]
    whole = [one for one in found.network if one.period == total]
    rows = [
        [teller.measure(one.measure.key), teller.unit(one.measure.key), *_line(teller, one)] for one in whole
    ]
    tables = tables_of(found)
    return join(
        [
            table(say("table.all"), heads, rows),
            details(say("table.tests"), _tests(teller, whole)),
            *(download(name, tables[name], teller) for name in ("effects", "corridors", "units", "bands")),
        ]
    )


def _line(teller: Teller, one: Outcome) -> list[object]:
    digits = one.measure.digits
    low, high = (signed(end, digits) for end in (one.change.low, one.change.high))
    change = join(
        [signed(one.change.estimate, digits), tag("br"), tag("span", f"{low} … {high}", cls="ends")]
    )
    percent = _change_cell(one) if one.relative is not None else "–"
    return [
        figure(one.before, digits),
        figure(one.after, digits),
        change,
        percent,
        p_text(one.change.p_value),
        teller.say(f"verdict.{one.verdict}"),
    ]


def _tests(teller: Teller, outcomes: Sequence[Outcome]) -> Html:
    say = teller.say
    rows = [
        [
            teller.measure(one.measure.key),
            say(f"test.{test.method}"),
            signed(test.estimate, one.measure.digits),
            teller.interval(test, one.measure.digits),
            p_text(test.p_value),
        ]
        for one in outcomes
        for test in one.tests
    ]
    heads = [say(f"column.{name}") for name in ("measure", "test", "change", "interval", "p")]
    return table(say("table.tests"), heads, rows)


def corridor_table(teller: Teller) -> Html:
    """Every corridor or approach with its change."""
    found, say = teller.found, teller.say
    heads = [
        say("column.corridor"),
        say("side.before"),
        say("side.after"),
        *(say(f"column.{name}") for name in ("change", "percent", "adjusted", "verdict")),
    ]
    rows = [
        [teller.place(one.corridor), *line[:4], p_text(one.adjusted_p), line[5]]
        for one in found.corridors
        for line in [_line(teller, one)]
    ]
    return table(say("table.corridors", measure=teller.measure(found.lead.key)), heads, rows)


def _methods(teller: Teller) -> Html:
    found, say = teller.found, teller.say
    unit = found.sides.unit
    minutes = 5 if unit == "seed" else 15
    texts = [
        say(f"method.units.{unit}"),
        say("method.ratio", replicates=f"{found.question.replicates:,}", seed=found.question.seed),
        say("method.saved"),
        say("method.gain"),
        say("method.tests"),
        say("method.buffer", minutes=minutes),
        *(say(f"method.{kind}") for kind in _kinds(teller)),
    ]
    return join([tag("ul", *(tag("li", text) for text in texts)), _exclusions(teller), _power(teller)])


def _kinds(teller: Teller) -> list[str]:
    """Which inputs the methods speak of."""
    sides = teller.found.sides
    if sides.unit == "seed":
        return ["runs"]
    tables = "travel_time" in sides.before["measure"] or not any(sides.logs)
    return ["logs"] * any(sides.logs) + ["probe"] * tables


def _exclusions(teller: Teller) -> Html:
    say, left_out = teller.say, teller.found.exclusions
    if left_out.is_empty():
        return tag("p", say("none_left_out"))
    rows = [
        [say(f"side.{side}"), say(f"place.{unit}"), say(f"reason.{reason}"), _measures(teller, keys)]
        for side, unit, reason, keys in left_out.select("side", "unit", "reason", "measures").iter_rows()
    ]
    heads = [say("column.side"), say(f"unit.{teller.found.sides.unit}")]
    heads += [say(f"column.{name}") for name in ("reason", "measure")]
    return join([table(say("table.exclusions"), heads, rows), download("exclusions", left_out, teller)])


def _measures(teller: Teller, keys: str) -> str:
    """Names of measures; all of them where none is named."""
    return ", ".join(map(teller.measure, keys.split(", "))) if keys else teller.say("all_measures")


def _power(teller: Teller) -> Html:
    say = teller.say
    if not teller.found.days:
        return Html("")
    heads = [say("column.share"), say("column.pairs" if teller.found.matched.paired else "column.days")]
    rows = [[f"{100 * one.share:g} %", f"{one.days:,}"] for one in teller.found.days]
    return table(say("table.power"), heads, rows)
