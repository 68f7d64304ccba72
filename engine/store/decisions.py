"""The table of decisions: one row each, with the runner-up and all alternatives, in UTC and by the names of stages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from ..decisions import KINDS, Decisions

__all__ = ["DECISION_SCHEMA", "Chooser", "decision_frame"]

Chooser = tuple[int, Sequence[str]]
"""Device id of a junction, and the names of its stages."""

DECISION_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "timestamp": pl.Datetime("ms", "UTC"),
    "device_id": pl.UInt32,
    "from_stage": pl.String,
    "to_stage": pl.String,
    "kind": pl.String,
    "reason": pl.String,
    "mode": pl.String,
    "value": pl.Float32,
    "runner_up": pl.String,
    "runner_up_value": pl.Float32,
    "stages": pl.List(pl.String),
    "values": pl.List(pl.Float32),
}

I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]


def decision_frame(decisions: Decisions, choosers: Sequence[Chooser], epoch: datetime) -> pl.DataFrame:
    """Columns of ``DECISION_SCHEMA``, in the order of the decisions; ``epoch`` is the UTC time of millisecond 0.

    ``choosers`` are the junctions of the site, in its order. ``stages`` and ``values`` are all stages that were
    weighed, the one wanted among them; ``runner_up`` is the best of the others, null where there is none. ``value``
    is null where the stage wanted was not weighed, ``mode`` where the controller has none.
    """
    rows, value = decisions.rows, decisions.value
    first = np.cumsum(rows["stages"], dtype=np.int64) - rows["stages"]
    chosen = first + rows["to_stage"]
    second = _runners_up(first, chosen, value, decisions.weighing.lower_is_better)
    names = _Names(choosers)
    stage = names.first[rows["junction"]]
    alternative = np.repeat(stage - first, rows["stages"]) + np.arange(len(value))
    stages, values = _alternatives(rows["stages"], names.of(alternative), value)
    second_name = np.where(second < 0, -1, alternative[second] if len(value) else second)
    start_ms = round(epoch.timestamp() * 1000)
    return pl.DataFrame(
        {
            "timestamp": pl.Series(rows["t_ms"] + start_ms).cast(pl.Datetime("ms", "UTC")),
            "device_id": names.device_id[rows["junction"]],
            "from_stage": names.of(stage + rows["from_stage"]),
            "to_stage": names.of(stage + rows["to_stage"]),
            "kind": _text(KINDS, rows["kind"]),
            "reason": _text(decisions.reasons, rows["reason"]),
            "mode": _text(tuple(mode or None for mode in decisions.weighing.modes), rows["mode"]),
            "value": _at(value, chosen),
            "runner_up": names.of(second_name),
            "runner_up_value": _at(value, second),
            "stages": stages,
            "values": values,
        },
        schema=DECISION_SCHEMA,
    )


class _Names:
    """Names of all stages of a site, one junction after the other."""

    def __init__(self, choosers: Sequence[Chooser]) -> None:
        self.device_id = np.array([device_id for device_id, _ in choosers], np.uint32)
        self.first = np.cumsum([0, *(len(stages) for _, stages in choosers)], dtype=np.int64)
        self._names = pl.Series([name for _, stages in choosers for name in stages], dtype=pl.String)

    def of(self, stage: I64) -> pl.Series:
        """Names of stages counted over the whole site; null for -1."""
        return self._names.gather(pl.Series(np.maximum(stage, 0))).set(pl.Series(stage < 0), None)


def _text(texts: Sequence[str | None], position: npt.NDArray[np.integer]) -> pl.Series:
    return pl.Series(texts, dtype=pl.String).gather(pl.Series(position.astype(np.int64)))


def _at(value: F32, position: I64) -> pl.Series:
    """Values at positions; null at -1 and for NaN."""
    padded = np.append(value, np.float32(np.nan))
    return pl.Series(padded[position]).fill_nan(None)


def _runners_up(first: I64, chosen: I64, value: F32, lower_is_better: bool) -> I64:
    """(n,) position in ``value`` of the best weighed stage beside the chosen one, the first of equals; -1 none."""
    cost = value.astype(np.float64) * (1.0 if lower_is_better else -1.0)
    cost[np.isnan(cost)] = np.inf
    cost[chosen] = np.inf
    if not len(cost):
        return np.full(len(first), -1, np.int64)
    best = np.minimum.reduceat(cost, first)
    row = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(cost))))
    hits = np.flatnonzero((cost == best[row]) & np.isfinite(cost))
    found = np.full(len(first), -1, np.int64)
    of_row, position = np.unique(row[hits], return_index=True)
    found[of_row] = hits[position]
    return found


def _alternatives(
    stages: npt.NDArray[np.uint16], names: pl.Series, value: F32
) -> tuple[pl.Series, pl.Series]:
    """Names and values of the weighed stages of every row, as lists."""
    row = np.repeat(np.arange(len(stages)), stages)
    told = pl.DataFrame({"row": row, "stage": names, "value": value}).filter(pl.col("value").is_not_nan())
    lists = told.group_by("row", maintain_order=True).agg("stage", "value")
    every = pl.DataFrame({"row": np.arange(len(stages))}).join(
        lists, on="row", how="left", maintain_order="left"
    )
    return every["stage"].fill_null([]), every["value"].fill_null([])
