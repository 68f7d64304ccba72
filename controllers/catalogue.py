"""The controllers by name. A controller is a policy of ours, or a kind of program that the other side runs itself."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, replace

from greensplit.engine.errors import InputError
from greensplit.engine.kernels.local.state import ACTUATED, ADAPTIVE, COORDINATED
from greensplit.engine.loop import Controller

from . import clearing, clearing_rate, greedy, max_pressure, pressure_capacity
from .profile import R1, R1_ARTERIAL, Profile

__all__ = ["DEFAULT", "Entry", "catalogue", "find"]

DEFAULT = "clearing"


@dataclass(frozen=True, slots=True)
class Entry:
    """A name, and who decides under it.

    ``make`` builds the policy for a profile. Without it local control decides in ``mode``, or, where ``program`` is
    named, the simulator's own program of that kind.
    """

    name: str
    summary: str
    vision: str
    program: str
    make: Callable[[Profile], Controller] | None = None
    mode: int = ADAPTIVE


def catalogue() -> tuple[Entry, ...]:
    """All controllers, ours last."""
    return (
        Entry("fixed", "the deployed program, untouched", "detectors", "deployed"),
        Entry("actuated", "SUMO's gap-based actuation, 5 to 50 s", "detectors", "actuated"),
        Entry("delay-based", "SUMO's delay-based actuation, 5 to 50 s", "detectors", "delay_based"),
        Entry("plan", "the model's last plan, run by our own machine", "detectors", "", mode=COORDINATED),
        Entry("local", "gap-based actuation by our own machine", "detectors", "", mode=ACTUATED),
        Entry("greedy", "most vehicles within range (RESCO MAXWAVE)", "perfect", "", _greedy),
        Entry("max-pressure", "queue before less queue behind (RESCO)", "perfect", "", _max_pressure),
        Entry("greedy-tuned", "greedy that counts what a change costs", "perfect", "", _greedy_tuned),
        Entry(
            "max-pressure-tuned",
            "max pressure that counts what a change costs",
            "perfect",
            "",
            _max_pressure_tuned,
        ),
        Entry("pressure-capacity", "pressure by place on the link (PWBP)", "perfect", "", _pressure_capacity),
        Entry("clearing-rate", "most vehicles cleared per second", "perfect", "", _clearing_rate),
        Entry("clearing", "most vehicles cleared per second, from loops", "detectors", "", _clearing),
    )


def find(name: str) -> Entry:
    """The controller of that name; InputError with near names otherwise."""
    entries = {entry.name: entry for entry in catalogue()}
    if name in entries:
        return entries[name]
    near = difflib.get_close_matches(name, entries, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise InputError(f"controller: expected one of {', '.join(entries)}, found {name}{hint}")


def _greedy(profile: Profile) -> Controller:
    published = profile in (R1, R1_ARTERIAL)
    return greedy.Greedy(
        greedy.Config(
            profile.period_ms, profile.min_green_ms, 50.0 if published else 60.0, keep_on_tie=not published
        )
    )


def _max_pressure(profile: Profile) -> Controller:
    published = profile in (R1, R1_ARTERIAL)
    return max_pressure.MaxPressure(
        max_pressure.Config(profile.period_ms, profile.min_green_ms, keep_on_tie=not published)
    )


def _greedy_tuned(profile: Profile) -> Controller:
    return greedy.Greedy(
        replace(greedy.TUNED, period_ms=profile.period_ms, min_green_ms=profile.min_green_ms)
    )


def _max_pressure_tuned(profile: Profile) -> Controller:
    return max_pressure.MaxPressure(
        replace(max_pressure.TUNED, period_ms=profile.period_ms, min_green_ms=profile.min_green_ms)
    )


def _pressure_capacity(profile: Profile) -> Controller:
    return pressure_capacity.PressureCapacity(
        pressure_capacity.Config(profile.period_ms, profile.min_green_ms)
    )


def _clearing_rate(profile: Profile) -> Controller:
    return clearing_rate.ClearingRate(clearing_rate.Config(profile.period_ms, profile.min_green_ms))


def _clearing(profile: Profile) -> Controller:
    return clearing.Clearing(clearing.Config(profile.period_ms, profile.min_green_ms))
