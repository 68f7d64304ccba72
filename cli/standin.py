"""``greensplit standin``: simulated field controllers that speak a protocol on real sockets."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from .options import AsJson, parse_params

__all__ = ["standin"]


def standin(
    protocol: Annotated[str, typer.Argument(help="What they speak: virtual, ntcip, mqtt, gbt20999.")],
    model: Annotated[Path, typer.Option("--model", help="The site (TOML); a controller for each junction.")],
    junction: Annotated[list[str] | None, typer.Option(help="Only these junctions (repeatable).")] = None,
    backup: Annotated[float, typer.Option(help="Backup time, s; 0: never falls back.")] = 10.0,
    option: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="An option of the protocol (repeatable)."),
    ] = None,
    seconds: Annotated[float | None, typer.Option("--for", help="End after so many seconds.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run stand-ins until Ctrl-C, by the wall clock; tells where each can be reached."""
    from greensplit.bridges.registry import find_front
    from greensplit.bridges.standin.controller import StandIn, StandInConfig
    from greensplit.bridges.standin.real_time import RealTime
    from greensplit.engine.errors import InputError
    from greensplit.engine.model.naming import find_junction
    from greensplit.engine.model.toml import read_site
    from greensplit.engine.model.validate import check

    if not 0.0 <= backup <= 65_535.0:
        raise InputError(f"--backup: expected 0 to 65535 s, found {backup:g}")
    site = read_site(model)
    check(site)
    chosen = [find_junction(site, name) for name in junction] if junction else list(site.junctions)
    config = StandInConfig(
        backup_ms=round(backup * 1000), red_revert_ms=site.red_revert_ms, epoch_s=int(time.time())
    )
    make_front = find_front(protocol)
    stand_ins = [StandIn(each, config) for each in chosen]
    host = RealTime(stand_ins, lambda: time.monotonic_ns() // 1_000_000, lambda ms: time.sleep(ms / 1000))
    front = make_front(stand_ins, dict(parse_params(option, "--set")), lambda: host.now_ms)
    addresses = front.open()
    try:
        _tell(dict(addresses), as_json)
        host.run(front, None if seconds is None else round(seconds * 1000))
    finally:
        front.close()


def _tell(addresses: dict[str, str], as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(addresses) + "\n")
    else:
        sys.stdout.write("".join(f"{junction}  {address}\n" for junction, address in addresses.items()))
    sys.stdout.flush()
