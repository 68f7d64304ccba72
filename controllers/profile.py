"""The rules under which controllers are compared: how often they decide, and which clearances hold.

R1 is the protocol of the RESCO benchmark (Ault and Sharon 2021): a decision every 10 s, 3 s of yellow for what
closes, no all-red, no guard against yellow traps (arterial4x4: 5 s and 2 s). R2 is engineering practice: a decision
every second, minimum green 5 s, every junction's own yellow and all-red.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from greensplit.engine.errors import InputError
from greensplit.engine.model.site import GroupKind, Junction, Meeting, MeetingKind, SignalGroup, Site, Step

__all__ = ["R1", "R1_ARTERIAL", "R2", "Profile", "apply_profile", "profile_for"]


@dataclass(frozen=True, slots=True)
class Profile:
    """``yellow_ms`` 0 keeps each junction's own clearances."""

    name: str
    period_ms: int
    min_green_ms: int
    yellow_ms: int = 0


R1 = Profile("R1", 10_000, 7_000, 3_000)
R1_ARTERIAL = Profile("R1", 5_000, 3_000, 2_000)
R2 = Profile("R2", 1_000, 5_000)


def profile_for(name: str, scenario: str) -> Profile:
    """The profile of that name for a scenario; InputError for another name."""
    if name == "R1":
        return R1_ARTERIAL if scenario == "arterial4x4" else R1
    if name == "R2":
        return R2
    raise InputError(f"profile: expected R1 or R2, found {name}")


def apply_profile(site: Site, profile: Profile) -> Site:
    """The site under the profile's clearances; unchanged where it keeps each junction's own."""
    if not profile.yellow_ms:
        return site
    note = (
        f"profile {profile.name}: every clearance is {profile.yellow_ms / 1000:g} s of yellow, minimum green "
        f"{profile.min_green_ms / 1000:g} s, yellow traps are not guarded against"
    )
    return replace(
        site,
        junctions=tuple(_under(junction, profile) for junction in site.junctions),
        assumptions=(*site.assumptions, note),
    )


def _under(junction: Junction, profile: Profile) -> Junction:
    return replace(
        junction,
        groups=tuple(_group(group, profile) for group in junction.groups),
        meetings=tuple(_meeting(junction, meeting, profile) for meeting in junction.meetings),
    )


def _group(group: SignalGroup, profile: Profile) -> SignalGroup:
    if group.kind is GroupKind.PEDESTRIAN:
        return group
    sequence = replace(group.sequence, start=(), stop=(Step("yellow", profile.yellow_ms),))
    return replace(group, sequence=sequence, min_green_ms=profile.min_green_ms)


def _meeting(junction: Junction, meeting: Meeting, profile: Profile) -> Meeting:
    def after(number: int) -> int:
        group = junction.groups[number - 1]
        return group.sequence.stop_ms if group.kind is GroupKind.PEDESTRIAN else profile.yellow_ms

    if meeting.kind is MeetingKind.SHARED:
        return replace(meeting, left_turn=False)
    return replace(
        meeting, intergreen_ms=after(meeting.first), reverse_ms=after(meeting.second), left_turn=False
    )
