"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Additional", "AsJson", "Net", "Params", "Profile", "Routes", "Scale", "parse_params"]

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


def parse_params(values: list[str] | None) -> tuple[tuple[str, str], ...]:
    """NAME=VALUE pairs; InputError for anything else."""
    from greensplit.engine.errors import InputError

    pairs = []
    for value in values or []:
        name, sign, content = value.partition("=")
        if not sign or not name:
            raise InputError(f"--param: expected NAME=VALUE, found {value}")
        pairs.append((name, content))
    return tuple(pairs)
