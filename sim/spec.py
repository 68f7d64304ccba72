"""What to run: everything that decides a run's outcome, and nothing else."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from greensplit.engine.errors import InputError

from .derive.loops import LoopPositions

__all__ = ["EPOCH", "RunSpec", "utc_instant"]

EPOCH = "2024-01-01T00:00:00+00:00"
MAX_SCALE = 10.0


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One run. ``scenario`` is a catalogue name or a SUMO configuration; with ``net`` and ``routes`` it is only a name.

    ``demand_seed`` None keeps the scenario's own departures. ``begin_s``, ``end_s`` None keep its window; vehicles
    due in the first ``warmup_s`` run but are not measured. ``epoch`` is the UTC time of the first second.
    ``plan_scale`` is the factor on the traffic that ``retimed`` plans are made for, whatever ``scale`` is.
    ``controller`` empty is our best. ``vision`` empty takes what the controller needs. ``dead_share`` of the loops,
    drawn by the seed, and those of ``dead_loops`` stay off. ``bridge`` names the field protocol between the engine and
    the controllers, '' for none: the engine drives SUMO's lamps itself. ``spoken`` is how stages are said over it, ''
    as the protocol does it best. ``incidents`` is a list of what shall go wrong on the road.
    """

    scenario: str
    controller: str = ""
    seed: int = 0
    demand_seed: int | None = None
    scale: float = 1.0
    profile: str = "R2"
    vision: str = ""
    begin_s: int | None = None
    end_s: int | None = None
    warmup_s: int = 0
    epoch: str = EPOCH
    traci: bool = False
    gui: bool = False
    net: Path | None = None
    routes: tuple[Path, ...] = ()
    additional: tuple[Path, ...] = ()
    detectors: Path | None = None
    model: Path | None = None
    params: tuple[tuple[str, str], ...] = ()
    loops: LoopPositions = field(default_factory=LoopPositions)
    dead_share: float = 0.0
    dead_loops: tuple[str, ...] = ()
    plan_scale: float = 1.0
    bridge: str = ""
    bridge_options: tuple[tuple[str, str], ...] = ()
    spoken: str = ""
    incidents: Path | None = None

    def check(self) -> None:
        """InputError where a number is out of range."""
        if not 0 <= self.seed < 2**31:
            raise InputError(f"seed: expected 0 to 2147483647, found {self.seed}")
        if self.demand_seed is not None and not 0 <= self.demand_seed < 2**31:
            raise InputError(f"demand seed: expected 0 to 2147483647, found {self.demand_seed}")
        for what, scale in (("scale", self.scale), ("plan scale", self.plan_scale)):
            if not 0.0 < scale <= MAX_SCALE:
                raise InputError(f"{what}: expected above 0 and at most {MAX_SCALE:g}, found {scale:g}")
        if self.vision not in ("", "detectors", "perfect"):
            raise InputError(f"vision: expected detectors or perfect, found {self.vision}")
        if not 0.0 <= self.dead_share <= 1.0:
            raise InputError(f"dead loops: expected a share of 0 to 1, found {self.dead_share:g}")
        if self.spoken not in ("", "masks", "stage"):
            raise InputError(f"spoken: expected masks or stage, found {self.spoken}")
        if self.warmup_s < 0:
            raise InputError(f"warmup: expected 0 s or more, found {self.warmup_s}")
        utc_instant(self.epoch)

    def plain(self) -> dict[str, Any]:
        """The specification as JSON values."""
        return {key: _plain(value) for key, value in asdict(self).items()}

    @staticmethod
    def from_plain(values: dict[str, Any]) -> RunSpec:
        """The specification that ``plain`` told."""
        found = dict(values)
        for key in ("net", "detectors", "model", "incidents"):
            found[key] = None if found.get(key) is None else Path(found[key])
        for key in ("routes", "additional"):
            found[key] = tuple(Path(path) for path in found[key])
        for key in ("params", "bridge_options"):
            found[key] = tuple((name, value) for name, value in found[key])
        found["loops"] = LoopPositions(**found["loops"])
        found["dead_loops"] = tuple(found["dead_loops"])
        return RunSpec(**found)


def utc_instant(text: str) -> datetime:
    """A time in ISO 8601, UTC where it names no offset. Raises InputError for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as err:
        raise InputError(f"epoch: expected a time such as {EPOCH}, found {text}") from err
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
