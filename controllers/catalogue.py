"""The controllers by name. A controller is a policy of ours, or a kind of program that the other side runs itself."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, replace

from greensplit.engine.errors import InputError
from greensplit.engine.kernels.local.state import ACTUATED, ADAPTIVE, COORDINATED
from greensplit.engine.loop import Controller
from greensplit.engine.model.site import Site

from . import clearing_rate, greedy, max_pressure, pressure_capacity, scats, scoot
from .lookahead import policy
from .profile import R1, R1_ARTERIAL, Profile

__all__ = ["DEFAULT", "Entry", "catalogue", "find"]

DEFAULT = "lookahead"


@dataclass(frozen=True, slots=True)
class Entry:
    """A name, and who decides under it.

    ``make`` builds the policy for a profile and a site. Without it local control decides in ``mode``, or, where
    ``program`` is named, the simulator's own program of that kind. ``retimes``: on a plan made for the scenario's own
    demand, not on the deployed one. ``vision`` is what it works with; where it ``sees_either`` a run may give it
    perfect vision too.
    """

    name: str
    summary: str
    vision: str
    program: str
    make: Callable[[Profile, Site], Controller] | None = None
    mode: int = ADAPTIVE
    retimes: bool = False
    sees_either: bool = False


def catalogue() -> tuple[Entry, ...]:
    """All controllers, ours last."""
    return (
        Entry("fixed", "the deployed program, untouched", "detectors", "deployed"),
        Entry("actuated", "SUMO's gap-based actuation, 5 to 50 s", "detectors", "actuated"),
        Entry("delay-based", "SUMO's delay-based actuation, 5 to 50 s", "detectors", "delay_based"),
        Entry("plan", "the model's last plan, run by our own machine", "detectors", "", mode=COORDINATED),
        Entry(
            "retimed",
            "splits, cycles and offsets for the true demand",
            "detectors",
            "",
            mode=COORDINATED,
            retimes=True,
        ),
        Entry("local", "gap-based actuation by our own machine", "detectors", "", mode=ACTUATED),
        Entry("scoot", "split, offset and cycle by small steps (SCOOT-like)", "detectors", "", _scoot),
        Entry("scats", "saturation at the stop line, votes, gaps (SCATS-like)", "detectors", "", _scats),
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
        Entry(
            "lookahead",
            "least delay over the next minute, from loops",
            "detectors",
            "",
            _lookahead,
            sees_either=True,
        ),
    )


def find(name: str) -> Entry:
    """The controller of that name; InputError with near names otherwise."""
    entries = {entry.name: entry for entry in catalogue()}
    if name in entries:
        return entries[name]
    near = difflib.get_close_matches(name, entries, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise InputError(f"controller: expected one of {', '.join(entries)}, found {name}{hint}")


def _greedy(profile: Profile, _site: Site) -> Controller:
    published = profile in (R1, R1_ARTERIAL)
    return greedy.Greedy(
        greedy.Config(
            profile.period_ms, profile.min_green_ms, 50.0 if published else 60.0, keep_on_tie=not published
        )
    )


def _max_pressure(profile: Profile, _site: Site) -> Controller:
    published = profile in (R1, R1_ARTERIAL)
    return max_pressure.MaxPressure(
        max_pressure.Config(profile.period_ms, profile.min_green_ms, keep_on_tie=not published)
    )


def _greedy_tuned(profile: Profile, _site: Site) -> Controller:
    return greedy.Greedy(
        replace(greedy.TUNED, period_ms=profile.period_ms, min_green_ms=profile.min_green_ms)
    )


def _max_pressure_tuned(profile: Profile, _site: Site) -> Controller:
    return max_pressure.MaxPressure(
        replace(max_pressure.TUNED, period_ms=profile.period_ms, min_green_ms=profile.min_green_ms)
    )


def _pressure_capacity(profile: Profile, site: Site) -> Controller:
    return pressure_capacity.PressureCapacity(
        pressure_capacity.Config(profile.period_ms, profile.min_green_ms), site
    )


def _clearing_rate(profile: Profile, _site: Site) -> Controller:
    return clearing_rate.ClearingRate(clearing_rate.Config(profile.period_ms, profile.min_green_ms))


def _scoot(profile: Profile, site: Site) -> Controller:
    return scoot.Scoot(scoot.Config(profile.period_ms, profile.min_green_ms), site)


def _scats(profile: Profile, site: Site) -> Controller:
    return scats.Scats(scats.Config(profile.period_ms, profile.min_green_ms), site)


def _lookahead(profile: Profile, _site: Site) -> Controller:
    return policy.Lookahead(policy.Config(profile.period_ms, profile.min_green_ms))
