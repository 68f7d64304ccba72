"""The decisions of a run directory, ready to be told: with the clock, and what the runner-up would have cost more."""

from __future__ import annotations

import polars as pl

from .runs import Run

__all__ = ["decisions_of", "is_lower_better", "measure_of"]


def measure_of(run: Run) -> str:
    """What the controller's values are."""
    return str((run.meta.get("weighing") or {}).get("measure") or "value")


def is_lower_better(run: Run) -> bool:
    """Are the controller's values costs?"""
    return bool((run.meta.get("weighing") or {}).get("lower_is_better"))


def decisions_of(run: Run) -> pl.LazyFrame | None:
    """The run's table of decisions with ``at_s``, seconds of the simulation's clock, and ``margin``; None without one.

    ``margin`` is by how much the runner-up was worse than what was chosen: negative where it was turned down for
    another reason, null where there is none.
    """
    found = run.table("decisions.parquet")
    if found is None:
        return None
    sign = 1.0 if is_lower_better(run) else -1.0
    return found.with_columns(
        at_s=(pl.col("timestamp").dt.epoch("ms") - run.epoch_ms) / 1000 + run.begin_s,
        margin=(pl.col("runner_up_value") - pl.col("value")) * sign,
    )
