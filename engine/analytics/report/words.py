"""The numbers of a report in words: one sentence, big figures with their change, and warnings."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from .runs import Arm, Run, mean_of, number

__all__ = [
    "MEASURES",
    "Change",
    "Measure",
    "change_of",
    "clock",
    "figure",
    "headline",
    "warnings_of",
    "weighed",
]

SAME_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Measure:
    """A summary value as people read it. ``counts``: its change is a difference, not a share."""

    key: str
    name: str
    unit: str
    digits: int
    lower_is_better: bool = True
    counts: bool = False


MEASURES = (
    Measure("corrected_delay_s", "corrected delay", "s per vehicle", 1),
    Measure("speed_kmh", "speed", "km/h", 1, lower_is_better=False),
    Measure("stops", "stops", "per vehicle", 2),
    Measure("arrived", "arrived", "vehicles", 0, lower_is_better=False),
    Measure("never_departed", "never departed", "vehicles", 0, counts=True),
)


@dataclass(frozen=True, slots=True)
class Change:
    """A change against the baseline: in words, and whether it is for the better."""

    text: str
    verdict: Literal["better", "worse", "same"]


def figure(value: float | None, digits: int) -> str:
    """A number with thousands separators, or a dash where there is none."""
    return "–" if value is None else f"{value:,.{digits}f}".replace("-", "−")


def weighed(value: float | None) -> str:
    """A value of a controller, of whatever size: three digits where that says enough, or a dash."""
    if value is None or not math.isfinite(value):
        return "–"
    size = abs(value)
    return figure(value, 0 if size >= 100 else 1 if size >= 10 else 2)


def clock(time_s: float) -> str:
    """Seconds as h:mm:ss of the simulated day."""
    whole = round(time_s)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def change_of(measure: Measure, value: float | None, base: float | None) -> Change | None:
    """How ``value`` differs from the baseline's; None where one is missing or the share is of zero."""
    if value is None or base is None or (base == 0 and not measure.counts):
        return None
    difference = value - base
    if measure.counts:
        text, same = _signed(difference, measure.digits), abs(difference) < 0.5
    else:
        text, same = f"{_signed(difference / base * 100, 0)} %", abs(difference / base) < SAME_SHARE
    if same:
        return Change("no change" if difference == 0 else "about the same", "same")
    return Change(text, "better" if (difference < 0) == measure.lower_is_better else "worse")


def _signed(value: float, digits: int) -> str:
    return f"{value:+,.{digits}f}".replace("-", "−")


def headline(scenario: str, arms: Sequence[Arm]) -> str:
    """One sentence that says what happened, or what changed against the baseline."""
    if len(arms) == 1:
        return _told_alone(scenario, arms[0])
    known = [
        (arm, delay_s) for arm in arms if (delay_s := mean_of(arm.runs, "corrected_delay_s")) is not None
    ]
    challengers = [pair for pair in known if not pair[0].is_baseline]
    baseline = next((pair for pair in known if pair[0].is_baseline), None)
    if baseline and challengers:
        return _told_against(scenario, baseline, min(challengers, key=lambda pair: pair[1]))
    if len(known) < 2:
        return f"On {scenario}, the runs give too few corrected delays to compare controllers."
    return _told_among(scenario, known)


def _told_alone(scenario: str, arm: Arm) -> str:
    arrived, scheduled = mean_of(arm.runs, "arrived"), mean_of(arm.runs, "scheduled")
    delay = figure(mean_of(arm.runs, "corrected_delay_s"), 1)
    stops = figure(mean_of(arm.runs, "stops"), 2)
    return (
        f"On {scenario}, {figure(arrived, 0)} of {figure(scheduled, 0)} vehicles arrived under {arm.label}; "
        f"a vehicle lost {delay} s and stopped {stops} times on average{_seeds(arm)}."
    )


def _told_against(scenario: str, baseline: tuple[Arm, float], best: tuple[Arm, float]) -> str:
    (base, base_s), (arm, delay_s) = baseline, best
    numbers = f"{delay_s:.1f} s instead of {base_s:.1f} s per vehicle{_seeds(arm)}{_tally(base, arm)}"
    share = (delay_s - base_s) / base_s if base_s else 0.0
    if abs(share) < SAME_SHARE:
        return f"On {scenario}, {arm.label} did about as well as {base.label}: {numbers}."
    if share < 0:
        cut = f"cut the corrected delay by {-share * 100:.0f} % against {base.label}"
        return f"On {scenario}, {arm.label} {cut}: {numbers}."
    more = f"{arm.label}, the next, lost {share * 100:.0f} % more"
    return f"On {scenario}, nothing did better than {base.label}; {more}: {numbers}."


def _told_among(scenario: str, known: Sequence[tuple[Arm, float]]) -> str:
    (best, best_s), (worst, worst_s) = (pick(known, key=lambda pair: pair[1]) for pick in (min, max))
    return (
        f"On {scenario}, vehicles lost least under {best.label}: {best_s:.1f} s on average{_seeds(best)}, "
        f"and most under {worst.label}: {worst_s:.1f} s."
    )


def _seeds(arm: Arm) -> str:
    return f" (mean of {len(arm.runs)} runs)" if len(arm.runs) > 1 else ""


def _tally(base: Arm, arm: Arm) -> str:
    ours, theirs = _delay_by_seed(arm.runs), _delay_by_seed(base.runs)
    shared = ours.keys() & theirs.keys()
    better = sum(ours[seed] < theirs[seed] for seed in shared)
    return f", better in {better} of {len(shared)} seeds" if len(shared) > 1 else ""


def _delay_by_seed(runs: Sequence[Run]) -> dict[tuple[object, object], float]:
    return {
        (run.seed, run.meta.get("demand_seed")): delay_s
        for run in runs
        if (delay_s := number(run.summary.get("corrected_delay_s"))) is not None
    }


def warnings_of(arms: Sequence[Arm]) -> list[str]:
    """What a reader must know before trusting the numbers, one sentence each."""
    runs = [run for arm in arms for run in arm.runs]
    periods = {(run.begin_s, run.end_s) for run in runs}
    seeds = {frozenset((run.seed, run.meta.get("demand_seed")) for run in arm.runs) for arm in arms}
    found = [*_broken_runs(arms), *_counts(arms)]
    if len(periods) > 1:
        found.append("The runs cover different periods: totals and means are not comparable as they stand.")
    if len(seeds) > 1:
        found.append(
            "The controllers were run with different seeds: part of a difference may be demand, not control."
        )
    return found


def _broken_runs(arms: Sequence[Arm]) -> list[str]:
    questions: tuple[tuple[str, Callable[[Run], bool]], ...] = (
        ("cut short before the end", lambda run: bool(run.meta.get("partial"))),
        ("not finished", lambda run: run.meta.get("complete") is False and not run.meta.get("partial")),
        ("gridlock", lambda run: bool(run.summary.get("gridlock"))),
    )
    found = []
    for what, asked in questions:
        hits = [(arm, sum(map(asked, arm.runs))) for arm in arms]
        told = [f"{arm.label} ({count} of {_runs(arm)})" for arm, count in hits if count]
        found += [f"{what.capitalize()}: {', '.join(told)}."] if told else []
    return found


def _counts(arms: Sequence[Arm]) -> list[str]:
    found = []
    for key, what in (("collisions", "Collisions"), ("interlock_refusals", "Interlock refusals")):
        counts = [(arm, sum(number(run.summary.get(key)) or 0 for run in arm.runs)) for arm in arms]
        if any(count for _, count in counts):
            told = (f"{arm.label} {count:.0f} in {_runs(arm)}" for arm, count in counts)
            found.append(f"{what}: {', '.join(told)}.")
    return found


def _runs(arm: Arm) -> str:
    return f"{len(arm.runs)} run{'s' * (len(arm.runs) != 1)}"
