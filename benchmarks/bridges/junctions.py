"""The junction that all protocols are measured at."""

from __future__ import annotations

from greensplit.engine.model.site import (
    GroupKind,
    Junction,
    Meeting,
    MeetingKind,
    Sequence,
    SignalGroup,
    Stage,
)

__all__ = ["eight_groups"]


def eight_groups(name: str) -> Junction:
    """Eight groups, four stages of two."""
    groups = tuple(
        SignalGroup(n, f"group {n}", GroupKind.VEHICLE, (n - 1,), Sequence(), 5000) for n in range(1, 9)
    )
    stages = tuple(Stage(f"S{s + 1}", (2 * s + 1, 2 * s + 2)) for s in range(4))
    meetings = tuple(
        Meeting(a, b, MeetingKind.CONFLICT, 5000, 5000)
        for a in range(1, 9)
        for b in range(a + 1, 9)
        if (a - 1) // 2 != (b - 1) // 2
    )
    return Junction(name, 1, 0.0, 0.0, "." * 8, groups, meetings, stages, (), (), ())
