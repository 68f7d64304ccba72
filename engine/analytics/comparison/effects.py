"""One measure on one corridor in one period: what it was, what it became, and how sure the change is."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from ...errors import InputError
from ..statistics import (
    Effect,
    Matched,
    Resampling,
    benjamini_hochberg,
    change_of_buffer_index,
    mann_whitney,
    paired_t,
    signed_rank,
    welch,
)
from .measures import Measure

__all__ = ["Outcome", "adjusted", "buffer_outcome", "outcome_of", "scaled", "unit_values"]

Floats = npt.NDArray[np.float64]
UNCLEAR, BETTER, WORSE, UNCLAIMED = "unclear", "better", "worse", "unclaimed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The change of one measure.

    ``before`` and ``after`` in the measure's unit; ``change`` after less before; ``relative`` as a share, None where a
    ratio makes no sense; ``tests`` on unit values: Welch and Mann-Whitney, or paired t and Wilcoxon. ``volume`` is the
    relative change of vehicles per unit. ``verdict``: better, worse, unclear, or unclaimed (better, but less traffic
    came through or volumes are not known). ``adjusted_p``: over all corridors of that measure and period.
    """

    corridor: str
    measure: Measure
    period: str
    before: float
    after: float
    change: Effect
    relative: Effect | None
    tests: tuple[Effect, ...]
    volume: Effect | None
    verdict: str
    adjusted_p: float | None = None


def outcome_of(
    corridor: str, measure: Measure, period: str, matched: Matched, how: Resampling, *, volumes: bool
) -> Outcome:
    """The outcome of matched units. Raises InputError where no interval can be given."""
    change = scaled(matched.change(replace(how, relative=False)), measure.scale)
    before, after = (_ratio(side) * measure.scale for side in (matched.before, matched.after))
    relative = _relative(matched, how) if before > 0.0 and after > 0.0 else None
    return Outcome(
        corridor,
        measure,
        period,
        before,
        after,
        change,
        relative,
        _tests(matched, measure.scale, how.confidence),
        _volume(matched, how) if volumes else None,
        _verdict(change, measure, volumes and matched.may_claim_gain),
    )


def buffer_outcome(
    corridor: str,
    measure: Measure,
    period: str,
    bins: tuple[pl.DataFrame, pl.DataFrame],
    matched: Matched,
    how: Resampling,
    *,
    volumes: bool,
) -> Outcome:
    """The buffer index over bins (unit, value) of the matched units. Raises InputError where there are too few."""
    sides = [
        (side["value"].to_numpy(), side["unit"].cast(pl.String).rank("dense").to_numpy().astype(np.int64))
        for side in bins
    ]
    change = scaled(
        change_of_buffer_index(sides[0], sides[1], replace(how, relative=False, paired=matched.paired)),
        measure.scale,
    )
    before, after = (buffer_index(values) * measure.scale for values, _ in sides)
    verdict = _verdict(change, measure, volumes and matched.may_claim_gain)
    return Outcome(corridor, measure, period, before, after, change, None, (), None, verdict)


def buffer_index(values: Floats) -> float:
    """(95th percentile - mean) / mean of the values."""
    place = int(np.ceil(0.95 * values.size - 1e-9)) - 1
    return float(np.sort(values)[place] / values.mean() - 1.0)


def adjusted(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The same with p values adjusted for how many corridors were looked at (Benjamini and Hochberg)."""
    tested = [one for one in outcomes if one.change.p_value is not None]
    if not tested:
        return list(outcomes)
    values = iter(benjamini_hochberg([one.change.p_value or 0.0 for one in tested]).tolist())
    return [one if one.change.p_value is None else replace(one, adjusted_p=next(values)) for one in outcomes]


def scaled(effect: Effect, factor: float) -> Effect:
    """The effect in another unit; a negative factor turns the interval round."""
    ends = sorted((effect.low * factor, effect.high * factor))
    return replace(effect, estimate=effect.estimate * factor, low=ends[0], high=ends[1])


def unit_values(side: pl.DataFrame) -> Floats:
    """The ratio of each day or seed."""
    return np.asarray(side["numerator"].to_numpy() / side["denominator"].to_numpy(), dtype=np.float64)


def _ratio(side: pl.DataFrame) -> float:
    return float(side["numerator"].to_numpy().sum() / side["denominator"].to_numpy().sum())


def _relative(matched: Matched, how: Resampling) -> Effect | None:
    try:
        return matched.change(replace(how, relative=True))
    except InputError:  # a resample of zeros has no logarithm: the absolute change stands alone
        return None


def _volume(matched: Matched, how: Resampling) -> Effect | None:
    try:
        return matched.volume_change(how.seed)
    except InputError:  # volumes that do not vary have no interval: then none is shown
        return None


def _tests(matched: Matched, factor: float, confidence: float) -> tuple[Effect, ...]:
    before, after = unit_values(matched.before), unit_values(matched.after)
    tests: tuple[Callable[[Floats, Floats, float], Effect], ...] = (
        (paired_t, signed_rank) if matched.paired else (welch, mann_whitney)
    )
    found = []
    for test in tests:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", RuntimeWarning)
                found.append(scaled(test(before, after, confidence), factor))
        except (
            InputError,
            RuntimeWarning,
        ):  # too few for ranks, or alike to the last bit: the other tests stand
            continue
    return tuple(found)


def _verdict(change: Effect, measure: Measure, may_claim: bool) -> str:
    if not change.excludes_zero:
        return UNCLEAR
    if (change.estimate < 0.0) != measure.lower_is_better:
        return WORSE
    return BETTER if may_claim else UNCLAIMED
