"""Writes down what a closed loop left: events, decisions, model and drawing as files, the rest as a ``Record``."""

from __future__ import annotations

import hashlib
import resource
from collections.abc import Iterable
from typing import Any

import numpy as np

from greensplit.engine.files import atomic_path
from greensplit.engine.model.site import Detector, Junction
from greensplit.engine.model.toml import write_site

from .closed_loop import Outcome
from .decision_file import save_decisions
from .geometry import network_drawing
from .incidents import read_truth
from .prepare import Prepared
from .record import Record, versions, write_csv, write_json
from .spec import utc_instant

__all__ = ["record_run"]

MAX_REFUSALS = 1000
_FUNCTIONS = {"stop_bar": "Presence", "advance": "Advance"}


def record_run(prepared: Prepared, outcome: Outcome) -> Record:
    """Write events, decisions, model and drawing into the run's folder, and tell the rest."""
    folder = prepared.folder
    with atomic_path(folder / "events.npy") as path, path.open("wb") as stream:
        np.save(stream, outcome.loop.events.rows(), allow_pickle=False)
    save_decisions(outcome.loop.decisions.gathered(), prepared.site, folder / "decisions.npz")
    write_site(prepared.site, folder / "model.toml")
    write_json(folder / "network.json", network_drawing(prepared.network, prepared.site, prepared.corridor))
    names = ("DeviceId", "Phase", "Parameter", "Function", "Lane", "DistanceM", "Groups")
    write_csv(folder / "detectors.csv", names, _detectors(prepared))
    return Record(
        manifest=_manifest(prepared, outcome),
        figures=_figures(outcome),
        corridor=prepared.corridor,
        emission_classes=outcome.emission_classes,
        measured_from_s=prepared.scenario.begin_s + prepared.spec.warmup_s,
        truth=_truth(prepared, outcome) if prepared.spec.incidents else None,
    )


def _truth(prepared: Prepared, outcome: Outcome) -> list[dict[str, Any]]:
    return read_truth(
        prepared.network,
        prepared.site,
        prepared.incidents,
        prepared.folder,
        prepared.scenario.begin_s,
        outcome.end_s,
    )


def _figures(outcome: Outcome) -> dict[str, Any]:
    loop = outcome.loop
    drives = loop.port.drives_lamps
    return {
        "interlock_refusals": loop.interlock_findings if drives else 0,
        "would_refuse": 0 if drives else loop.interlock_findings,
        "switches": loop.decisions.switches if drives else None,
        "simulator_s": round(outcome.inside_s, 3),
        "decide_s": round(outcome.decide_s, 3),
        "outside_s": round(outcome.outside_s, 3),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def _manifest(prepared: Prepared, outcome: Outcome) -> dict[str, Any]:
    spec, scenario = prepared.spec, prepared.scenario
    return {
        "scenario": scenario.name,
        "controller": prepared.entry.name,
        "vision": prepared.vision,
        "profile": spec.profile,
        "seed": spec.seed,
        "demand_seed": spec.demand_seed,
        "scale": spec.scale,
        "begin_s": scenario.begin_s,
        "end_s": outcome.end_s,
        "epoch": utc_instant(spec.epoch).isoformat(),
        "partial": outcome.partial,
        "complete": not outcome.partial,
        "source": scenario.source,
        "licence": scenario.licence,
        "assumptions": list(prepared.site.assumptions),
        "refusals": [refusal._asdict() for refusal in outcome.loop.refusals[:MAX_REFUSALS]],
        "configuration": spec.plain(),
        "weighing": outcome.loop.decisions.weighing._asdict(),
        "scenario_hash": _scenario_hash(prepared),
        "versions": versions(),
    }


def _scenario_hash(prepared: Prepared) -> str:
    """SHA-256 over the scenario's network and demand files."""
    digest = hashlib.sha256()
    scenario = prepared.scenario
    for path in (scenario.net_file, *scenario.route_files, *scenario.additional_files):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _detectors(prepared: Prepared) -> Iterable[tuple[Any, ...]]:
    """Detector configuration as analysts' tools expect it: a detector has one phase, and all its groups beside it."""
    for junction in prepared.site.junctions:
        for detector in junction.detectors:
            if detector.kind in _FUNCTIONS:
                yield (
                    junction.device_id,
                    _phase(junction, detector),
                    detector.channel,
                    _FUNCTIONS[detector.kind],
                    detector.lane,
                    detector.distance_m,
                    " ".join(map(str, detector.groups)),
                )


def _phase(junction: Junction, detector: Detector) -> int:
    """The group that goes straight on, as lanes are assigned in the field; else the first."""
    straight = (g for g in detector.groups if "straight" in junction.groups[g - 1].name)
    return next(straight, detector.groups[0])
