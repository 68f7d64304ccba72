"""What a retiming says, as plain values: for machines, and for the table that people read."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..model.site import Junction, Plan
from .coordination import ArterialBands
from .retime import DayPart, Retiming
from .timing import Cost

__all__ = ["summarise_plans"]


def summarise_plans(retiming: Retiming) -> dict[str, Any]:
    """The day plan, and for each of its parts junctions, arterials and totals. Delays are s per vehicle."""
    junctions = {junction.id: junction for junction in retiming.site.junctions}
    return {
        "site": retiming.site.name,
        "day_plan": [{"start_s": start_s, "plan": name} for start_s, name in retiming.day_plan],
        "parts": [_part(part, junctions) for part in retiming.parts],
    }


def _part(part: DayPart, junctions: dict[str, Junction]) -> dict[str, Any]:
    vehicles = sum(float(flow.sum()) for flow in part.flows.values())
    return {
        "plan": part.name,
        "start_s": part.start_s,
        "end_s": part.end_s,
        "delay_before_s": _per_vehicle(sum(cost.delay for cost in part.before.values()), vehicles),
        "delay_after_s": _per_vehicle(sum(cost.delay for cost in part.after.values()), vehicles),
        "regions": [
            {"cycle_s": region.cycle_s, "offsets_from": region.origin, "junctions": sorted(region.timings)}
            for region in part.regions
        ],
        "arterials": [_arterial(bands) for region in part.regions for bands in region.bands],
        "junctions": [_junction(part, junction) for junction in junctions.values()],
    }


def _junction(part: DayPart, junction: Junction) -> dict[str, Any]:
    plan: Plan = part.plans[junction.id]
    vehicles = float(np.sum(part.flows[junction.id]))
    before = part.before.get(junction.id)
    deployed = next((p for p in reversed(junction.plans) if p.name not in (plan.name, part.name)), None)
    return {
        "junction": junction.id,
        "device_id": junction.device_id,
        "veh_per_h": round(vehicles, 1),
        "cycle_s": plan.cycle_ms / 1000,
        "cycle_before_s": None if deployed is None else deployed.cycle_ms / 1000,
        "offset_s": plan.offset_ms / 1000,
        "coordinated": plan.coordinated,
        "splits": [{"stage": step.stage, "green_s": step.green_ms / 1000} for step in plan.steps],
        "saturation_before": _worst(before),
        "saturation_after": _worst(part.after[junction.id]),
        "delay_before_s": None if before is None else _per_vehicle(before.delay, vehicles),
        "delay_after_s": _per_vehicle(part.after[junction.id].delay, vehicles),
    }


def _worst(cost: Cost | None) -> float | None:
    return None if cost is None else round(cost.worst, 3)


def _per_vehicle(delay: float, vehicles: float) -> float:
    return round(delay / vehicles, 2) if vehicles else 0.0


def _arterial(bands: ArterialBands) -> dict[str, Any]:
    return {
        "junctions": list(bands.arterial.junctions),
        "band_out_s": list(bands.out_s),
        "band_back_s": list(bands.back_s),
    }
