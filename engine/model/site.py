"""The words of the model. Times are integer milliseconds, distances metres, group numbers start at 1.

A *junction* is one controller. Its *signal groups* are lamps that always show the same on one approach. Two groups
that meet are related in one of three ways, and each ordered pair has an intergreen (end of green to start of green):

- *conflict*: never green together;
- *permissive*: green together, the yielding one shown permissive;
- *shared*: green together as the deployed program already shows it, allowed as that pair only; an intergreen
  of 0 says that one may start while the other ends.

A *stage* is a set of groups that are green together. A *sequence* says what a group passes through on its way to
green and back to red. *Rings* say in which order a junction that runs by itself serves its groups: a stage-based
junction has one ring of stages, a NEMA junction two rings of phases between common barriers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

__all__ = [
    "ApproachLane",
    "Detector",
    "DetectorKind",
    "GroupKind",
    "Junction",
    "Link",
    "Meeting",
    "MeetingKind",
    "Plan",
    "PlanStep",
    "Preempt",
    "Recall",
    "Ring",
    "RingStep",
    "Sequence",
    "SignalGroup",
    "Site",
    "Stage",
    "Step",
]


class _Strict:
    """Files may not hold keys that the model does not know."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}


class GroupKind(StrEnum):
    """Who obeys the lamps."""

    VEHICLE = "vehicle"
    PEDESTRIAN = "pedestrian"
    TRAM = "tram"
    CYCLE = "cycle"


class MeetingKind(StrEnum):
    """How two groups that meet may be green."""

    CONFLICT = "conflict"
    PERMISSIVE = "permissive"
    SHARED = "shared"


class Recall(StrEnum):
    """What calls a group when no detector does: nothing, its minimum green, or its maximum green."""

    NONE = "none"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"


class DetectorKind(StrEnum):
    """Where a detector stands on the approach."""

    STOP_BAR = "stop_bar"
    ADVANCE = "advance"
    EXIT = "exit"
    PEDESTRIAN = "pedestrian"


@dataclass(frozen=True, slots=True)
class Step(_Strict):
    """One aspect of a sequence and the least time it is shown, ms."""

    aspect: str
    ms: int


@dataclass(frozen=True, slots=True)
class Sequence(_Strict):
    """Aspects between red and green (``start``) and between green and red (``stop``)."""

    start: tuple[Step, ...] = ()
    stop: tuple[Step, ...] = (Step("yellow", 3000),)

    @property
    def stop_ms(self) -> int:
        """Time from the end of green to red, ms."""
        return sum(step.ms for step in self.stop)


@dataclass(frozen=True, slots=True)
class SignalGroup(_Strict):
    """Lamps that always show the same on one approach.

    ``lamps`` are positions in the junction's lamp string. ``turn_on_red`` groups may turn, after a stop, at red.
    ``commit_ms`` is the time for which a shown end of green is not changed (0: no countdown is shown). Under local
    control a called green ends after a gap of ``passage_ms``, at the latest ``max_green_ms`` after a conflicting
    call; the minimum green of a pedestrian group is its walk.

    ``phase`` is the NEMA number, 1 to 16, unique but for pedestrian groups, which have that of the vehicles they
    walk with. A group may have instead the number of an ``overlap``, 1 (A) to 16 (P): it is green with any of its
    ``parents``, the numbers of groups that have a phase. 0 and () where there is none.
    """

    number: int
    name: str
    kind: GroupKind
    lamps: tuple[int, ...]
    sequence: Sequence
    min_green_ms: int
    turn_on_red: bool = False
    commit_ms: int = 0
    max_green_ms: int = 60_000
    passage_ms: int = 3000
    recall: Recall = Recall.NONE
    phase: int = 0
    overlap: int = 0
    parents: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Meeting(_Strict):
    """Two groups whose movements cross or merge.

    ``first`` yields to ``second`` where the kind is permissive. ``intergreen_ms`` runs from the end of green of
    ``first`` to the start of green of ``second``, ``reverse_ms`` the other way. ``left_turn`` marks a yielding
    left turn against opposing traffic: ending it alone would be a yellow trap.
    """

    first: int
    second: int
    kind: MeetingKind
    intergreen_ms: int
    reverse_ms: int
    left_turn: bool = False


@dataclass(frozen=True, slots=True)
class Stage(_Strict):
    """Groups green together; ``permissive`` is the part that yields. ``deployed``: taken from a program."""

    name: str
    green: tuple[int, ...]
    permissive: tuple[int, ...] = ()
    deployed: bool = True


@dataclass(frozen=True, slots=True)
class PlanStep(_Strict):
    """A stage and the time it is held green, ms."""

    stage: str
    green_ms: int


@dataclass(frozen=True, slots=True)
class Plan(_Strict):
    """A timing plan: what runs when nothing adaptive does.

    The steps of a junction with ``rings`` name ring steps, all of the first ring first; those of others name stages.
    Each ring fills the cycle: the greens of its steps and the changes between them. ``offset_ms`` is the start of
    green of the ``coordinated`` step ('' the first) within the cycle.
    """

    name: str
    cycle_ms: int
    offset_ms: int
    steps: tuple[PlanStep, ...]
    coordinated: str = ""


@dataclass(frozen=True, slots=True)
class RingStep(_Strict):
    """What a ring serves at once: the name and groups of a stage, or a NEMA phase with its pedestrian group.

    ``barrier`` is the side of the barriers that the step is on, numbered from 1 in the order of service. Overlaps and
    groups that are only permissive in a step are not in ``groups``: they follow from the stage.
    """

    name: str
    groups: tuple[int, ...]
    barrier: int = 1


@dataclass(frozen=True, slots=True)
class Ring(_Strict):
    """The order of service; steps that nobody calls are skipped, after the last comes the first.

    All rings of a junction are on the same side of the barriers at any time, and cross a barrier together. On a side
    where it has steps, a ring is always on one of them (dual entry); on a side where it has none, it rests in red.
    What is shown is the stage that holds all groups of the rings' current steps and their overlaps, and of several
    such stages the one with the fewest green groups, the first of equals. Every combination that can come up has such
    a stage. Within a side the rings change on their own: the next stage keeps what the other rings show.
    """

    steps: tuple[RingStep, ...]


@dataclass(frozen=True, slots=True)
class Preempt(_Strict):
    """Stages for an emergency vehicle or a train.

    After ``delay_ms`` the ``track`` stage ('' none) clears for ``track_ms``, then ``dwell`` stands for ``dwell_ms``
    and as long as the request lasts, then ``exit`` ('' the neediest stage) follows. Of several, the lowest number
    wins. Clearances are never shortened.
    """

    number: int
    dwell: str
    dwell_ms: int
    delay_ms: int = 0
    track: str = ""
    track_ms: int = 0
    exit: str = ""


@dataclass(frozen=True, slots=True)
class Detector(_Strict):
    """A detector on one lane, ``channel`` in logs.

    ``distance_m`` is from its downstream end to the stop line (for exits: from the junction). ``groups`` are the
    movements that share it; more than one junction lane in ``lanes`` means that it stands upstream of a widening.
    """

    id: str
    channel: int
    kind: DetectorKind
    lane: str
    position_m: float
    length_m: float
    distance_m: float
    groups: tuple[int, ...]
    lanes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApproachLane(_Strict):
    """A lane that ends at the junction's stop line.

    ``storage_m`` is the length up to the next junction upstream, ``speed_mps`` the speed limit.
    """

    id: str
    approach: str
    groups: tuple[int, ...]
    storage_m: float
    speed_mps: float


@dataclass(frozen=True, slots=True)
class Junction(_Strict):
    """One signalised intersection, one controller. ``device_id`` names it in logs.

    ``idle_lamps`` are the letters of lamps that belong to no group ('.' where a group shows). Without ``rings`` the
    deployed stages, in order, are its only ring. ``start_red_ms`` is shown after power-up and after flash.
    """

    id: str
    device_id: int
    x_m: float
    y_m: float
    idle_lamps: str
    groups: tuple[SignalGroup, ...]
    meetings: tuple[Meeting, ...]
    stages: tuple[Stage, ...]
    plans: tuple[Plan, ...]
    lanes: tuple[ApproachLane, ...]
    detectors: tuple[Detector, ...]
    rings: tuple[Ring, ...] = ()
    preempts: tuple[Preempt, ...] = ()
    start_red_ms: int = 0


@dataclass(frozen=True, slots=True)
class Link(_Strict):
    """A way from one junction to the next: which group feeds which lane, how far and how long at free flow."""

    from_junction: str
    from_group: int
    to_junction: str
    to_lane: str
    length_m: float
    travel_ms: int
    storage_veh: float


@dataclass(frozen=True, slots=True)
class Site(_Strict):
    """A city. ``assumptions`` say in words what could not be derived and what was taken instead."""

    name: str
    junctions: tuple[Junction, ...]
    links: tuple[Link, ...] = ()
    timezone: str = "UTC"
    red_revert_ms: int = 2000
    assumptions: tuple[str, ...] = field(default_factory=tuple)
