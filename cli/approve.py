"""``greensplit approve``: a named engineer answers for the models that may be driven on the street."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from .options import parse_params

__all__ = ["approve"]


def approve(
    model: Annotated[Path, typer.Option("--model", help="The site (TOML).")],
    bridge: Annotated[str, typer.Option(help="What the controllers speak: ntcip, mqtt, gbt20999.")],
    address: Annotated[
        list[str], typer.Option(metavar="JUNCTION=ADDRESS", help="Where a controller is (repeatable).")
    ],
    option: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="An option of the protocol (repeatable)."),
    ] = None,
    by: Annotated[str, typer.Option(help="Who answers for it; without a name it is only shown.")] = "",
    out: Annotated[Path, typer.Option("--out", "-o", help="The file of approvals.")] = Path("approvals.toml"),
    patience: Annotated[float, typer.Option(help="Seconds to wait for the controllers.")] = 10.0,
) -> None:
    """Ask controllers what they are and, where that is what the model says, approve them by name."""
    from greensplit.bridges.approval import Approval, write_approvals
    from greensplit.bridges.approving import look
    from greensplit.bridges.base import BridgeSettings
    from greensplit.bridges.registry import find_bridge
    from greensplit.engine.errors import InputError
    from greensplit.engine.model.naming import find_junction
    from greensplit.engine.model.toml import read_site
    from greensplit.engine.model.validate import check

    if by and not by.strip():
        raise InputError(f"--by: expected the name of an engineer, found {by!r}")
    site = read_site(model)
    check(site)
    found = [(find_junction(site, name), where) for name, where in parse_params(address, "--address")]
    addresses = {junction.id: where for junction, where in found}
    junctions = [junction for junction in site.junctions if junction.id in addresses]
    make = find_bridge(bridge)
    with closing(make(junctions, addresses, dict(parse_params(option, "--set")), BridgeSettings())) as made:
        findings = look(made, patience)
    approved = {f.junction: Approval(f.hash, by.strip()) for f in findings if f.hash}
    if by and approved:
        write_approvals(out, approved)
    done = f"approved by {by.strip()} in {out}" if by else "as the model says; --by NAME approves it"
    for finding in findings:
        told = f"{finding.hash[:12]}  {done}" if finding.hash else f"not approved: {finding.why}"
        sys.stdout.write(f"{finding.junction}  {told}\n")
    if len(approved) < len(findings):
        raise typer.Exit(1)
