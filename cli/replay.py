"""``greensplit replay``: what a controller would have done with a recorded log."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import AsJson
from .progress import progress_bar, say_when_compiling

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from greensplit.bridges.replaying import Replay, Wish
    from greensplit.engine.model.site import Site

__all__ = ["replay"]


def replay(
    log: Annotated[Path, typer.Argument(help="A run directory, a Parquet file or a folder of them.")],
    model: Annotated[
        Path | None, typer.Option(help="The site (TOML). Of a run directory: its own model.")
    ] = None,
    controller: Annotated[str, typer.Option(help="Who decides; see `greensplit scenarios`.")] = "",
    speed: Annotated[float, typer.Option(help="Seconds of the log per second; 0: as fast as it goes.")] = 0.0,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write all decisions as Parquet to this file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Play LOG to a controller that only looks on; print every change that it would have made."""
    from greensplit.bridges.replaying import Replay, read_recording
    from greensplit.controllers.catalogue import DEFAULT, find
    from greensplit.controllers.profile import R2
    from greensplit.engine.errors import InputError

    if not 0.0 <= speed <= 10_000.0:
        raise InputError(f"--speed: expected 0 to 10000, found {speed:g}")
    entry = find(controller or DEFAULT)
    if entry.make is None or entry.vision != "detectors":
        raise InputError(
            f"--controller: expected one that decides from loops, such as {DEFAULT}, found {entry.name}"
        )
    site = _site(log, model)
    recording = read_recording(log)
    say_when_compiling(os.environ)
    played = Replay(site, recording, entry.make(R2, site))
    counts = [0] * len(site.junctions)
    with progress_bar(f"replay {entry.name}") as progress:
        for wish in played.run(_pace(speed, time.monotonic, time.sleep) if speed else None):
            counts[wish.junction] += 1
            progress(min(1.0, wish.t_ms / max(played.end_ms, 1)))
            if not as_json:
                sys.stdout.write(_line(wish, site, recording.begin))
    if out is not None:
        _write(played, site, recording.begin, out)
    summary = _summary(played, site, entry.name, counts)
    sys.stdout.write(json.dumps(summary) + "\n" if as_json else _told(summary, out))


def _site(log: Path, model: Path | None) -> Site:
    from greensplit.engine.errors import InputError
    from greensplit.engine.model.toml import read_site
    from greensplit.engine.model.validate import check

    where = model or log / "model.toml"
    if not log.exists():
        raise InputError(f"{log}: expected a run directory or a Parquet file, found nothing of that name")
    if model is None and not where.is_file():
        raise InputError(f"{log}: expected --model or a run directory with its model.toml, found neither")
    site = read_site(where)
    check(site)
    return site


def _pace(speed: float, clock: Callable[[], float], sleep: Callable[[float], None]) -> Callable[[int], None]:
    """Waits until it is time for a moment of the log; a late tick is caught up with."""
    begin_s = clock()

    def wait(t_ms: int) -> None:
        sleep(max(0.0, begin_s + t_ms / 1000 / speed - clock()))

    return wait


def _line(wish: Wish, site: Site, begin: datetime) -> str:
    from datetime import timedelta

    junction = site.junctions[wish.junction]
    at = begin + timedelta(milliseconds=wish.t_ms)
    before, after = junction.stages[wish.from_stage].name, junction.stages[wish.to_stage].name
    return f"{at:%H:%M:%S}  {junction.id}  {before} -> {after}  {wish.reason}\n"


def _write(played: Replay, site: Site, begin: datetime, out: Path) -> None:
    import polars as pl

    from greensplit.engine.files import atomic_path
    from greensplit.engine.store.decisions import decision_frame
    from greensplit.engine.store.tables import write_table

    choosers = [(junction.device_id, [s.name for s in junction.stages]) for junction in site.junctions]
    frames = [decision_frame(decisions, choosers, begin) for decisions in played.told]
    with atomic_path(out) as partial:
        write_table(pl.concat(frames), partial)


def _summary(played: Replay, site: Site, name: str, counts: list[int]) -> dict[str, Any]:
    return {
        "controller": name,
        "seconds": played.end_ms / 1000,
        "lamps": "of the log" if played.has_lamps else "of the engine's own machine",
        "decisions": sum(len(decisions.rows) for decisions in played.told),
        "changes": {junction.id: count for junction, count in zip(site.junctions, counts, strict=True)},
        "unknown_rows": played.unknown,
        "decide_s": played.loop.decide_s,
    }


def _told(summary: dict[str, Any], out: Path | None) -> str:
    lines = [
        f"{summary['seconds']:.0f} s of log, {summary['decisions']} decisions by {summary['controller']} upon lamps "
        f"{summary['lamps']}, {sum(summary['changes'].values())} changes"
    ]
    if summary["unknown_rows"]:
        lines.append(
            f"{summary['unknown_rows']} rows are of devices, detectors or groups that the model lacks"
        )
    if out is not None:
        lines.append(f"{out}: all decisions")
    return "\n".join(lines) + "\n"
