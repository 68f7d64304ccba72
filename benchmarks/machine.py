"""What every benchmark says beside its figures: the versions and the machine that produced them."""

from __future__ import annotations

import os
import sys
from typing import Any

__all__ = ["machine", "versions"]


def versions() -> dict[str, str]:
    """Versions of greensplit, SUMO and the libraries."""
    from greensplit.sim.record import versions as installed

    return installed()


def machine() -> dict[str, Any]:
    """Cores, memory and Python of this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cores": os.cpu_count(), "memory_gb": round(memory / 2**30, 1), "python": sys.version.split()[0]}
