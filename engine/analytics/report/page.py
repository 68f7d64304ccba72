"""Puts the sections together into one HTML file that needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...files import write_atomically
from .bundle import javascript_bundle
from .document import document, main_of
from .facts import footer, scoreboard, tables_section
from .flow import EdgeDelays, approaches_section, map_section, over_time_section, worst_junction
from .lamps import lamp_times, time_space_section, timing_section
from .markup import Html, tag
from .measures import busiest_window, edge_delay
from .reasons import reasons_section
from .runs import Arm, arms_of, load_run, network_of
from .section import Material, Section
from .words import clock, headline, warnings_of

__all__ = ["write_report"]

WINDOW_S = 600.0


def write_report(run_dirs: Sequence[Path], out: Path, title: str | None, bundle_cache: Path) -> None:
    """See ``render_report``."""
    runs = [load_run(folder) for folder in run_dirs]
    arms = arms_of(runs)
    material = Material(arms, network_of(runs), busiest_window(arms, WINDOW_S))
    page = _page(material, title or _title(arms), _sections(material), javascript_bundle(bundle_cache))
    write_atomically(out, page)


def _title(arms: Sequence[Arm]) -> str:
    scenario = str(arms[0].first.meta.get("scenario"))
    return (
        f"{scenario}: {arms[0].label}" if len(arms) == 1 else f"{scenario}: {len(arms)} controllers compared"
    )


def _sections(material: Material) -> list[Section]:
    lengths_m = material.lengths_m
    edges: EdgeDelays = {
        index: frame
        for index, arm in enumerate(material.arms)
        if (frame := edge_delay(arm, lengths_m)) is not None
    }
    lamps = lamp_times(material)
    return [
        over_time_section(material),
        approaches_section(material, edges),
        timing_section(material, lamps, worst_junction(material, edges)),
        time_space_section(material, lamps),
        map_section(material, edges),
        reasons_section(material),
        tables_section(material),
    ]


def _page(material: Material, title: str, sections: Sequence[Section], bundle: bytes) -> bytes:
    header = _header(material, title, sections)
    return document(title, [header, main_of(sections), footer(material)], sections, bundle)


def _header(material: Material, title: str, sections: Sequence[Section]) -> Html:
    run = material.arms[0].first
    facts = [f"{clock(run.begin_s)} to {clock(run.end_s)}"]
    facts += [f"{name} {values[0]}" for name, values in material.settings.items() if len(values) == 1]
    scenario = str(run.meta.get("scenario"))
    links = (tag("a", section.title, attributes={"href": f"#{section.key}"}) for section in sections)
    return tag(
        "header",
        tag("h1", title),
        tag("p", f"Scenario {scenario}, {', '.join(facts)}", cls="subtitle"),
        tag("p", headline(scenario, material.arms), cls="lead"),
        *(tag("p", text, cls="warning") for text in warnings_of(material.arms)),
        scoreboard(material),
        tag("nav", *links, attributes={"aria-label": "Sections"}),
        tag("noscript", tag("p", "The charts need JavaScript; the words and tables do not.", cls="warning")),
    )
