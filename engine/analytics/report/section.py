"""A part of the page, and what every part is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .charts import Chart, Dataset
from .markup import Html, join, tag
from .palette import arm_colour, arm_dash
from .runs import LABEL_FIELDS, Arm
from .signals import Window

__all__ = ["Material", "Section", "figure_of", "in_words", "legend", "missing", "pictured"]

MAX_PICTURES = 6


@dataclass(frozen=True, slots=True)
class Material:
    """What the sections are made from: arms in order of display, network.json, the window shown closely."""

    arms: Sequence[Arm]
    network: Mapping[str, Any]
    window: Window

    @property
    def junctions(self) -> list[dict[str, Any]]:
        return list(self.network.get("junctions") or ())

    @property
    def corridor(self) -> dict[str, Any] | None:
        return self.network.get("corridor") or None

    @property
    def lengths_m(self) -> dict[str, float]:
        return {
            str(edge["id"]): float(edge["length_m"])
            for edge in self.network.get("edges") or ()
            if edge.get("length_m")
        }

    @property
    def settings(self) -> dict[str, list[str]]:
        """The different values of vision, profile and scale among the runs."""
        runs = [run for arm in self.arms for run in arm.runs]
        values = {name: [run.meta.get(name) for run in runs] for name in LABEL_FIELDS}
        return {
            name: list(dict.fromkeys(str(value) for value in found if value is not None))
            for name, found in values.items()
        }

    @property
    def colours(self) -> list[str]:
        before = sum(arm.is_baseline for arm in self.arms)
        return [arm_colour(index - before, arm.is_baseline) for index, arm in enumerate(self.arms)]

    @property
    def labels(self) -> list[str]:
        return [arm.label for arm in self.arms]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page with the charts in it and the data they draw."""

    key: str
    title: str
    body: Html
    charts: list[Chart] = field(default_factory=list)
    data: dict[str, Dataset] = field(default_factory=dict)


def missing(key: str, title: str, reason: str) -> Section:
    """A section that cannot be drawn says why."""
    return Section(key, title, tag("p", f"Not shown: {reason}", cls="note"))


def figure_of(chart: Chart) -> Html:
    """The place where a chart will be drawn; what it shows is told to those who cannot see it."""
    label = {"id": f"chart-{chart.key}", "role": "img", "aria-label": chart.alt, "data-waiting": ""}
    return tag("figure", tag("figcaption", chart.caption), tag("div", cls="chart", attributes=label))


def legend(material: Material, *, dashed: bool = False) -> Html:
    """Which colour (and dash) belongs to which controller, as text beside a sample; nothing for one."""
    if len(material.arms) == 1:
        return Html("")
    entries = (
        tag("li", _sample(colour, arm_dash(index if dashed else 0)), tag("span", label))
        for index, (label, colour) in enumerate(zip(material.labels, material.colours, strict=True))
    )
    return tag("ul", *entries, cls="legend")


def _sample(colour: str, dash: Sequence[int]) -> Html:
    line = {"x1": 0, "y1": 6, "x2": 34, "y2": 6, "stroke": colour, "stroke-width": 4}
    line["stroke-dasharray"] = " ".join(map(str, dash)) if dash[1:] != (0,) else "none"
    return tag(
        "svg", tag("line", attributes=line), attributes={"width": 34, "height": 12, "aria-hidden": "true"}
    )


def pictured(material: Material) -> tuple[list[tuple[int, Arm]], Html]:
    """The arms that get a picture of their own, and a note on those that do not."""
    shown = list(enumerate(material.arms))[:MAX_PICTURES]
    rest = material.labels[MAX_PICTURES:]
    note = (
        tag("p", f"Not pictured, to keep the page readable: {in_words(rest)}.", cls="note")
        if rest
        else Html("")
    )
    return shown, note


def in_words(names: Sequence[object]) -> str:
    """a, b and c."""
    texts = [str(name) for name in names]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def chart_grid(charts: Sequence[Chart]) -> Html:
    """Charts beside each other where there is room."""
    return tag("div", join(figure_of(chart) for chart in charts), cls="grid")
