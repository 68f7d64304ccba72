"""Finished runs, one small JSON file each, found again by what was run and the hash of the code that decided it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from greensplit.engine.files import write_atomically
from greensplit.engine.kernel_cache import cache_home
from greensplit.sim.experiments.plan import scenario_folder
from greensplit.sim.record import versions
from greensplit.sim.spec import RunSpec

from .sources import code_hash

__all__ = ["Row", "Store", "default_root", "open_store"]

Row = dict[str, Any]


def default_root(environment: Mapping[str, str] = os.environ) -> Path:
    """Beside compiled kernels and built scenarios, outside the repository."""
    return cache_home(environment) / "quality"


def open_store(root: Path, controllers: Iterable[str]) -> Store:
    """The store for the sources and versions as they are now. InputError for a controller that does not exist."""
    others = {name: version for name, version in versions().items() if name != "greensplit"}
    return Store(root, {controller: code_hash(controller, others) for controller in controllers})


@dataclass(frozen=True, slots=True)
class Store:
    """Rows below ``root``; ``hashes`` gives the code hash of every controller that is asked for."""

    root: Path
    hashes: Mapping[str, str]

    def path(self, spec: RunSpec) -> Path:
        """``root/scenario/controller/KEY.json``."""
        digest = hashlib.sha256(json.dumps(self.key(spec), sort_keys=True).encode()).hexdigest()[:16]
        return self.root / scenario_folder(spec.scenario) / spec.controller / f"{digest}.json"

    def key(self, spec: RunSpec) -> dict[str, Any]:
        """All that decides a run: the specification (scenario, scale, seeds, dead loops ...) and the code's hash."""
        return {**spec.plain(), "code": self.hashes[spec.controller]}

    def load(self, spec: RunSpec) -> Row | None:
        """The row of a run that was done before; None for another run, and for a file that is not whole."""
        try:
            found = json.loads(self.path(spec).read_bytes())
        except (OSError, ValueError):
            return None
        return found["row"] if found.get("key") == self.key(spec) else None

    def save(self, spec: RunSpec, row: Row) -> None:
        """Keep a row, whole or not at all. Raises StorageError and OutputError."""
        text = json.dumps({"key": self.key(spec), "row": row}, indent=1) + "\n"
        write_atomically(self.path(spec), text.encode())
