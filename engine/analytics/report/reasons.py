"""The section on reasons: why each junction held or changed its stage, and what the alternatives would have cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from .charts import Chart, Dataset, reason_bars
from .decisions import decisions_of, is_lower_better, measure_of
from .markup import Html, details, join, table, tag
from .runs import Arm
from .section import Material, Section, figure_of, missing, pictured
from .words import clock, figure, weighed

__all__ = ["reasons_section"]

JUNCTIONS_TOLD = 24
DECISIONS_SHOWN = 6
COLUMNS = ("arm", "junction", "rank", "reason", "order", "changes")


@dataclass(frozen=True, slots=True)
class Told:
    """Decisions of one arm's first run; ``devices`` are the junctions told one by one, most changes first.

    ``groups`` and ``approaches`` are what the stages of a device serve, in words.
    """

    arm: Arm
    frame: pl.DataFrame
    devices: list[int]
    reasons: list[str]
    names: Mapping[int, str]
    groups: Mapping[tuple[int, str], str]
    approaches: Mapping[tuple[int, str], str]


def reasons_section(material: Material) -> Section:
    """How often each reason held, what the runner-up would have cost, and decisions of every junction."""
    title = "Reasons"
    shown, note = pictured(material)
    told = {index: found for index, arm in shown if (found := _read(material, arm))}
    if not told:
        return missing("reasons", title, "no run recorded decisions (fixed plans decide nothing).")
    charts = {index: chart for index, arm in told.items() if (chart := _chart(index, arm))}
    parts = [_arm(arm, charts.get(index)) for index, arm in told.items()]
    data = {"reasons": _changes(told)} if charts else {}
    return Section("reasons", title, join([*parts, note]), list(charts.values()), data)


def _read(material: Material, arm: Arm) -> Told | None:
    decisions = decisions_of(arm.first)
    if decisions is None:
        return None
    frame = decisions.collect()
    if frame.is_empty():
        return None
    changes = (pl.col("kind") != "hold").sum()
    ranked = frame.group_by("device_id").agg(changes).sort("kind", "device_id", descending=[True, False])
    reasons = frame.group_by("reason").len().sort("len", "reason", descending=[True, False])["reason"]
    known = [junction for junction in material.junctions if junction.get("device_id") is not None]
    return Told(
        arm,
        frame,
        ranked["device_id"].head(JUNCTIONS_TOLD).to_list(),
        reasons.to_list(),
        {int(each["device_id"]): str(each.get("name") or each.get("id")) for each in known},
        _of_stages(known, "groups"),
        _of_stages(known, "approaches"),
    )


def _of_stages(junctions: Sequence[Mapping[str, Any]], key: str) -> dict[tuple[int, str], str]:
    return {
        (int(junction["device_id"]), str(stage.get("name"))): str(stage.get(key) or "")
        for junction in junctions
        for stage in junction.get("stages") or ()
    }


def _arm(told: Told, chart: Chart | None) -> Html:
    return join(
        [
            tag("h3", told.arm.label),
            tag("p", _intro(told), cls="note"),
            _reason_table(f"{told.arm.label}: how often each reason", told.frame),
            _mode_table(told.frame),
            figure_of(chart) if chart else Html(""),
            *(_junction(told, device) for device in told.devices),
            _left_out(told),
        ]
    )


def _intro(told: Told) -> str:
    run = told.arm.first
    way = "less" if is_lower_better(run) else "more"
    seed = f" with seed {run.seed}" if len(told.arm.runs) > 1 else ""
    return (
        f"{told.frame.height:,} decisions of {told.frame['device_id'].n_unique():,} junctions{seed}. "
        f"Each weighed the stages by {measure_of(run)}, where {way} is better. "
        "The runner-up is the best stage that was turned down; how much worse it is says how clear the decision was, "
        "and a negative number that the reason overrode the values."
    )


def _reason_table(caption: str, frame: pl.DataFrame) -> Html:
    """Per reason: how often it held a stage or changed it, and how the runner-up compared."""
    counts = (
        frame.group_by("reason")
        .agg(
            pl.len(),
            holds=(pl.col("kind") == "hold").sum(),
            value=pl.col("value").mean(),
            runner_up=pl.col("runner_up_value").mean(),
            margin=pl.col("margin").mean(),
        )
        .sort("len", "reason", descending=[True, False])
    )
    rows = (
        [
            row["reason"],
            figure(row["holds"], 0),
            figure(row["len"] - row["holds"], 0),
            weighed(row["value"]),
            weighed(row["runner_up"]),
            weighed(row["margin"]),
        ]
        for row in counts.iter_rows(named=True)
    )
    return table(caption, ["reason", "holds", "changes", "mean value", "runner-up", "worse by"], rows)


def _mode_table(frame: pl.DataFrame) -> Html:
    counts = frame.drop_nulls("mode").group_by("mode").len().sort("len", "mode", descending=[True, False])
    if counts.is_empty():
        return Html("")
    rows = ([mode, figure(count, 0), f"{100 * count / frame.height:.0f} %"] for mode, count in counts.rows())
    return table("Modes that it worked in", ["mode", "decisions", "share"], rows)


def _chart(index: int, told: Told) -> Chart | None:
    changes = told.frame.filter(pl.col("kind") != "hold")
    if changes.is_empty():
        return None
    alt = (
        f"Bar chart. {changes.height:,} changes of stage under {told.arm.label} by junction and reason; most at "
        f"{_name(told, told.devices[0])}."
    )
    return reason_bars(
        index, f"{told.arm.label}: changes of stage, by reason", alt, changes["reason"].n_unique()
    )


def _changes(told: Mapping[int, Told]) -> Dataset:
    """How often each reason changed the stage of each junction that is told."""
    names: dict[str, int] = {}
    texts: dict[str, int] = {}
    rows = [
        [
            index,
            names.setdefault(_name(arm, device), len(names)),
            arm.devices.index(device),
            texts.setdefault(reason, len(texts)),
            arm.reasons.index(reason),
            count,
        ]
        for index, arm in told.items()
        for device, reason, count in arm.frame.filter(
            pl.col("kind") != "hold", pl.col("device_id").is_in(arm.devices)
        )
        .group_by("device_id", "reason")
        .len()
        .sort("device_id", "reason")
        .iter_rows()
    ]
    return Dataset(COLUMNS, rows, {"junction": list(names), "reason": list(texts)})


def _name(told: Told, device: int) -> str:
    return told.names.get(device, str(device))


def _junction(told: Told, device: int) -> Html:
    own = told.frame.filter(pl.col("device_id") == device)
    changes = own.filter(pl.col("kind") != "hold")
    dearest = changes.drop_nulls("value").sort("value", descending=True, maintain_order=True)
    name = _name(told, device)
    return details(
        f"{name}: {_many(own.height - changes.height, 'hold')}, {_many(changes.height, 'change')}",
        _reason_table(f"{name}: how often each reason", own),
        _stage_table(told, device, own),
        _decision_table(f"{name}: changes with most at stake", dearest.head(DECISIONS_SHOWN)),
        _decision_table(f"{name}: last changes", changes.tail(DECISIONS_SHOWN)),
    )


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def _stage_table(told: Told, device: int, own: pl.DataFrame) -> Html:
    """Per stage: how often it was weighed and chosen, and its mean value when chosen and when turned down."""
    weighed_stages = (
        own.select("to_stage", "stages", "values").explode("stages", "values").drop_nulls("stages")
    )
    is_chosen = pl.col("stages") == pl.col("to_stage")
    counts = (
        weighed_stages.group_by("stages")
        .agg(
            pl.len(),
            chosen=is_chosen.sum(),
            wanted=pl.col("values").filter(is_chosen).mean(),
            turned_down=pl.col("values").filter(~is_chosen).mean(),
        )
        .sort("chosen", "stages", descending=[True, False])
    )
    rows = (
        [
            stage,
            told.groups.get((device, stage), "–"),
            told.approaches.get((device, stage), "–"),
            figure(count, 0),
            figure(chosen, 0),
            weighed(wanted),
            weighed(turned_down),
        ]
        for stage, count, chosen, wanted, turned_down in counts.iter_rows()
    )
    header = ["stage", "groups", "serves", "weighed", "chosen", "mean value when chosen", "when turned down"]
    return table(f"{_name(told, device)}: what its stages were worth", header, rows)


def _decision_table(caption: str, frame: pl.DataFrame) -> Html:
    header = ["time", "stage", "reason", "value", "runner-up", "worse by", "all that was weighed"]
    return table(caption, header, map(_decision_row, frame.iter_rows(named=True)))


def _decision_row(row: dict[str, Any]) -> list[object]:
    runner_up = f"{row['runner_up']}: {weighed(row['runner_up_value'])}" if row["runner_up"] else "–"
    mode = f" ({row['mode']})" if row["mode"] else ""
    pairs = zip(row["stages"], row["values"], strict=True)
    return [
        clock(row["at_s"]),
        f"{row['from_stage']} → {row['to_stage']}",
        tag("div", f"{row['reason']}{mode}", cls="reason"),
        weighed(row["value"]),
        runner_up,
        weighed(row["margin"]),
        ", ".join(f"{stage} {weighed(value)}" for stage, value in pairs),
    ]


def _left_out(told: Told) -> Html:
    left = told.frame["device_id"].n_unique() - len(told.devices)
    if not left:
        return Html("")
    text = (
        f"Not told one by one: {left:,} junctions with fewer changes; greensplit explain tells each of them."
    )
    return tag("p", text, cls="note")
