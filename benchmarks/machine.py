"""What every benchmark says beside its figures: the versions and the machine that produced them."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

__all__ = ["machine", "tell_figures", "versions"]


def versions() -> dict[str, str]:
    """Versions of greensplit, SUMO and the libraries."""
    from greensplit.sim.record import versions as installed

    return installed()


def machine() -> dict[str, Any]:
    """Cores, memory and Python of this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cores": os.cpu_count(), "memory_gb": round(memory / 2**30, 1), "python": sys.version.split()[0]}


def tell_figures(figures: dict[str, Any], *, as_json: bool) -> None:
    """Print the figures: one JSON object with versions and machine, or a line each."""
    if as_json:
        result = {"figures": figures, "versions": versions(), "machine": machine()}
        sys.stdout.write(json.dumps(result, indent=1) + "\n")
    else:
        for name, value in figures.items():
            sys.stdout.write(f"{name:28s} {value}\n")
