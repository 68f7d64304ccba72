"""The page of a before/after comparison: plain sentences and big numbers first, then the evidence."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from ...files import write_atomically
from ..comparison.findings import Findings
from ..comparison.words import words_in
from ..statistics import Effect
from .bundle import javascript_bundle
from .change_evidence import evidence_sections
from .change_tables import tables_sections
from .change_words import Teller, hour_digits, signed
from .document import document, main_of
from .markup import Html, table, tag
from .section import Section
from .words import figure

__all__ = ["render_change"]

TILES = ("speed", "travel_time", "stops", "control_delay", "arrivals_on_green")
MOST_TILES = 5
PACKAGES = ("greensplit", "polars", "numpy", "scipy")


def render_change(
    found: Findings,
    out: Path,
    *,
    bundle_cache: Path,
    language: str = "en",
    title: str | None = None,
    command: Sequence[str] = (),
) -> None:
    """Writes what was found as one HTML file that needs no network, in ``language`` (en or zh).

    ``command`` is the command line for the footer. Raises InputError for another language, OutputError where ``out``
    cannot be written, WorkError where the chart library cannot be made.
    """
    teller = Teller(found, words_in(language))
    sections = [_summary(teller), *evidence_sections(teller), *tables_sections(teller)]
    body = [_header(teller, title or teller.title(), sections), main_of(sections), _footer(teller, command)]
    code = {"en": "en", "zh": "zh-Hans"}[language]
    write_atomically(
        out, document(title or teller.title(), body, sections, javascript_bundle(bundle_cache), code)
    )


def _header(teller: Teller, title: str, sections: Sequence[Section]) -> Html:
    links = (tag("a", section.title, attributes={"href": f"#{section.key}"}) for section in sections)
    notes = dict.fromkeys(teller.note(key, values) for key, values in teller.found.notes)
    return tag(
        "header",
        tag("h1", title),
        tag("p", teller.subtitle(), cls="subtitle"),
        tag("p", teller.lead(), cls="lead headline"),
        *(tag("p", note, cls="warning") for note in notes),
        _tiles(teller),
        tag("nav", *links, attributes={"aria-label": teller.say("nav")}),
        tag("noscript", tag("p", teller.say("noscript"), cls="warning")),
    )


def _tiles(teller: Teller) -> Html:
    found = teller.found
    tiles = [] if found.saved_h is None else [_saved_tile(teller, found.saved_h)]
    for key in (found.lead.key, *TILES):
        one = found.outcome(key)
        if one is None or len(tiles) == MOST_TILES or (key == found.lead.key and tiles[1:]):
            continue
        value = f"{figure(one.before, one.measure.digits)} → {figure(one.after, one.measure.digits)}"
        tone = {"better": "better", "worse": "worse"}.get(one.verdict, "")
        tiles.append(_tile(teller.measure(key), value, teller.unit(key), teller.change(one), tone))
    return tag("div", tag("dl", *tiles, cls="tiles"), cls="arm numbers")


def _saved_tile(teller: Teller, saved: Effect) -> Html:
    digits = hour_digits(saved)
    name = teller.say(f"big.saved.{teller.each}", hours=teller.hours)
    head = teller.found.head.verdict
    tone = {"better": "better", "worse": "worse"}.get(head, "")
    value = figure(saved.estimate, digits) if head == "better" else signed(saved.estimate, digits)
    return _tile(name, value, "", teller.interval(saved, digits, plain=True), tone)


def _tile(name: str, value: str, unit: str, change: str, tone: str) -> Html:
    return tag(
        "div",
        tag("dt", name),
        tag(
            "dd",
            tag("span", value, cls="big"),
            " ",
            tag("span", unit, cls="unit"),
            tag("span", change, cls=f"change {tone}".strip()),
        ),
    )


def _summary(teller: Teller) -> Section:
    found, say = teller.found, teller.say
    whole = [one for one in found.network if one.period == found.question.periods[0].name]
    lines = [teller.sentence(one) for one in whole]
    if whole and whole[0].volume is not None:
        volume = whole[0].volume
        value = f"{signed(100 * volume.estimate, 1)} %"
        lines.append(say("sentence.volume", value=value, interval=teller.interval(volume, 1, percent=True)))
    if found.corridors:
        lines.append(say("sentence.corridors", **_counts(found)))
    lines += _beside(teller)
    return Section("summary", say("section.summary"), tag("ul", *(tag("li", line) for line in lines)))


def _counts(found: Findings) -> Mapping[str, int]:
    stand = [one for one in found.corridors if one.adjusted_p is not None and one.adjusted_p < 0.05]
    return {
        "all": len(found.corridors),
        "better": sum(one.verdict == "better" for one in stand),
        "worse": sum(one.verdict == "worse" for one in stand),
    }


def _beside(teller: Teller) -> list[str]:
    found, say, lead = teller.found, teller.say, teller.found.lead
    lines = []
    if found.control is not None:
        value = f"{signed(100 * found.control.estimate, 1)} %"
        interval = teller.interval(found.control, 1, percent=True)
        name = teller.place(found.question.control)
        lines.append(
            say(
                "sentence.control",
                name=name,
                measure=teller.measure(lead.key),
                value=value,
                interval=interval,
            )
        )
    if found.series is not None:
        level, trend = found.series
        lines.append(
            say(
                "sentence.series",
                level=signed(level.estimate, lead.digits),
                level_interval=teller.interval(level, lead.digits),
                trend=signed(trend.estimate, 3),
                trend_interval=teller.interval(trend, 3),
                unit=teller.unit(lead.key),
            )
        )
    return lines


def _footer(teller: Teller, command: Sequence[str]) -> Html:
    say = teller.say
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    rows = [
        [say(f"side.{side}"), name, tag("code", digest[:16])]
        for side, files in teller.found.sides.sources.items()
        for name, digest in files
    ]
    heads = [say("column.side"), say("column.file"), "SHA-256"]
    return tag(
        "footer",
        tag("h2", say("section.footer")),
        tag("p", say("repeat")),
        tag("p", tag("code", shlex.join(command))) if command else "",
        tag("p", versions),
        tag("details", tag("summary", say("table.sources")), table(say("table.sources"), heads, rows)),
    )
