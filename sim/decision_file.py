"""Carries decisions from the process of the simulation to that of the evaluation: one file of arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from greensplit.engine.decisions import Decisions, Weighing
from greensplit.engine.files import atomic_path
from greensplit.engine.model.site import Site

__all__ = ["load_decisions", "save_decisions"]


def save_decisions(decisions: Decisions, site: Site, path: Path) -> None:
    """Write decisions with the names of the site's devices and stages. Raises StorageError when the disk is full."""
    weighing = decisions.weighing
    with atomic_path(path) as partial, partial.open("wb") as stream:
        np.savez(
            stream,
            rows=decisions.rows,
            value=decisions.value,
            reasons=np.array(decisions.reasons, np.str_),
            measure=np.array(weighing.measure),
            lower_is_better=np.array(weighing.lower_is_better),
            modes=np.array(weighing.modes, np.str_),
            device_id=np.array([junction.device_id for junction in site.junctions], np.uint32),
            stages=np.array([len(junction.stages) for junction in site.junctions], np.int64),
            stage=np.array([stage.name for junction in site.junctions for stage in junction.stages], np.str_),
        )


def load_decisions(path: Path) -> tuple[Decisions, list[tuple[int, list[str]]]]:
    """What ``save_decisions`` wrote: the decisions; and of every junction the device id and the names of its stages."""
    with np.load(path, allow_pickle=False) as found:
        weighing = Weighing(
            str(found["measure"]), bool(found["lower_is_better"]), tuple(found["modes"].tolist())
        )
        decisions = Decisions(found["rows"], found["value"], tuple(found["reasons"].tolist()), weighing)
        names = np.split(found["stage"], np.cumsum(found["stages"])[:-1])
        choosers = [
            (device_id, part.tolist())
            for device_id, part in zip(found["device_id"].tolist(), names, strict=True)
        ]
    return decisions, choosers
