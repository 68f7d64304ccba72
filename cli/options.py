"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from greensplit.sim.derive.loops import LoopPositions

__all__ = [
    "Additional",
    "AsJson",
    "Net",
    "Params",
    "Profile",
    "Routes",
    "Scale",
    "parse_loops",
    "parse_params",
]

AsJson = Annotated[bool, typer.Option("--json", help="Print machine-readable output.")]
Net = Annotated[Path | None, typer.Option("--net", help="A SUMO network of your own.")]
Routes = Annotated[list[Path] | None, typer.Option("--routes", help="Its route files (repeatable).")]
Additional = Annotated[
    list[Path] | None, typer.Option("--additional", help="Its additional files (repeatable).")
]
Params = Annotated[
    list[str] | None,
    typer.Option("--param", "-p", help="NAME=VALUE of a generated scenario (repeatable)."),
]
Profile = Annotated[
    str, typer.Option(help="R2: own clearances, 1 s decisions. R1: the published RESCO rules.")
]
Scale = Annotated[float, typer.Option(help="Factor on the traffic volumes, resampled.")]


def parse_params(values: list[str] | None, option: str = "--param") -> tuple[tuple[str, str], ...]:
    """NAME=VALUE pairs; InputError for anything else."""
    from greensplit.engine.errors import InputError

    pairs = []
    for value in values or []:
        name, sign, content = value.partition("=")
        if not sign or not name:
            raise InputError(f"{option}: expected NAME=VALUE, found {value}")
        pairs.append((name, content))
    return tuple(pairs)


def parse_loops(values: list[str] | None) -> LoopPositions:
    """NAME=METRES pairs as loop positions; InputError for another name or no length."""
    from dataclasses import fields, replace

    from greensplit.engine.errors import InputError
    from greensplit.sim.derive.loops import LoopPositions

    positions = LoopPositions()
    names = [field.name for field in fields(positions)]
    for name, content in parse_params(values, "--loop"):
        try:
            metres = float(content)
        except ValueError:
            metres = -1.0
        if name not in names or not 0.0 < metres < 1000.0:
            raise InputError(f"--loop: expected {', '.join(names)} =0 to 1000 m, found {name}={content}")
        positions = replace(positions, **{name: metres})
    return positions
