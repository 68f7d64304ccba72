"""From SUMO's trip output to one row per scheduled vehicle, and from those rows to the summary of a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from .outputs import scan_output

__all__ = ["TRIP_COLUMNS", "read_tripinfo", "summarise", "trip_table"]

TRIP_COLUMNS = {
    "vehicle_id": pl.String,
    "kind": pl.String,
    "depart_s": pl.Float64,
    "arrival_s": pl.Float64,
    "depart_delay_s": pl.Float64,
    "time_loss_s": pl.Float64,
    "waiting_s": pl.Float64,
    "stops": pl.Int64,
    "route_length_m": pl.Float64,
    "duration_s": pl.Float64,
    "fuel_mg": pl.Float64,
    "co2_mg": pl.Float64,
}
_PETROL_KG_PER_L = 0.742
_DIESEL_KG_PER_L = 0.836
"""Densities at 15 degrees C, as SUMO's HBEFA4 helper takes them."""


def read_tripinfo(path: Path) -> pl.DataFrame:
    """Vehicles that entered the network, finished or not, columns as in ``TRIP_COLUMNS``; arrival null if under way."""
    rows: list[dict[str, Any]] = []

    def on_start(tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "tripinfo":
            rows.append(_trip(attributes))
        elif tag == "emissions" and rows:
            rows[-1]["fuel_mg"] = float(attributes.get("fuel_abs", "0"))
            rows[-1]["co2_mg"] = float(attributes.get("CO2_abs", "0"))

    scan_output(path, on_start)
    return pl.DataFrame(rows, schema=TRIP_COLUMNS).filter(pl.col("depart_s") >= 0.0)


def _trip(attributes: Mapping[str, str]) -> dict[str, Any]:
    arrival_s = float(attributes["arrival"])
    return {
        "vehicle_id": attributes["id"],
        "kind": attributes["vType"],
        "depart_s": float(attributes["depart"]),
        "arrival_s": arrival_s if arrival_s >= 0.0 else None,
        "depart_delay_s": float(attributes["departDelay"]),
        "time_loss_s": float(attributes["timeLoss"]),
        "waiting_s": float(attributes["waitingTime"]),
        "stops": int(attributes["waitingCount"]),
        "route_length_m": float(attributes["routeLength"]),
        "duration_s": float(attributes["duration"]),
        "fuel_mg": 0.0,
        "co2_mg": 0.0,
    }


def trip_table(
    scheduled: pl.DataFrame, trips: pl.DataFrame, end_s: float, emission_classes: Mapping[str, str]
) -> pl.DataFrame:
    """One row per scheduled vehicle; those that never entered are charged from their planned departure to ``end_s``.

    ``scheduled`` has vehicle_id, kind, depart_s; ``emission_classes`` maps a vehicle type to its class, from which
    the density of its fuel follows (an electric vehicle burns none).
    """
    plan = scheduled.select("vehicle_id", pl.col("depart_s").alias("scheduled_depart_s"))
    density = {kind: _fuel_l_per_mg(name) for kind, name in emission_classes.items()}
    never = pl.col("depart_s").is_null()
    table = plan.join(trips, on="vehicle_id", how="left", maintain_order="left")
    kinds = dict(scheduled.select("vehicle_id", "kind").iter_rows())
    return table.with_columns(
        kind=pl.coalesce(
            "kind", pl.col("vehicle_id").replace_strict(kinds, default="", return_dtype=pl.String)
        ),
        corrected_delay_s=pl.when(never)
        .then(end_s - pl.col("scheduled_depart_s"))
        .otherwise(pl.col("time_loss_s") + pl.col("depart_delay_s")),
        fuel_l=pl.col("fuel_mg").fill_null(0.0)
        * pl.col("kind").fill_null("").replace_strict(density, default=0.0, return_dtype=pl.Float64),
        co2_kg=pl.col("co2_mg").fill_null(0.0) / 1e6,
    ).drop("fuel_mg", "co2_mg")


def _fuel_l_per_mg(emission_class: str) -> float:
    name = emission_class.lower()
    if "_bev" in name or name.startswith(("energy", "mmpevem", "zero")) or "electric" in name:
        return 0.0
    diesel = (
        "diesel" in name or "_d_" in name or any(part in name for part in ("/hdv", "/bus", "/coach", "/ubus"))
    )
    return 1e-6 / (_DIESEL_KG_PER_L if diesel else _PETROL_KG_PER_L)


def summarise(table: pl.DataFrame, end_s: float) -> dict[str, Any]:
    """The trip figures of a run over all rows of ``trip_table``.

    Mean speed is the distance driven over all time since the planned departures, so that keeping vehicles out never
    helps; trip time, waiting and stops are means over the vehicles that entered.
    """
    entered = table.filter(pl.col("depart_s").is_not_null())
    never = table.filter(pl.col("depart_s").is_null())
    arrived = entered.filter(pl.col("arrival_s").is_not_null()).height
    time_s = (
        _total(entered, "duration_s")
        + _total(entered, "depart_delay_s")
        + _total(never.with_columns(wait_s=end_s - pl.col("scheduled_depart_s")), "wait_s")
    )
    return {
        "scheduled": table.height,
        "departed": entered.height,
        "arrived": arrived,
        "never_departed": never.height,
        "corrected_delay_s": _ratio(_total(table, "corrected_delay_s"), table.height),
        "trip_time_s": _ratio(_total(entered, "duration_s"), entered.height),
        "waiting_s": _ratio(_total(entered, "waiting_s"), entered.height),
        "stops": _ratio(_total(entered, "stops"), entered.height),
        "speed_kmh": 3.6 * _ratio(_total(entered, "route_length_m"), time_s),
        "fuel_l": round(_total(table, "fuel_l"), 4),
        "co2_kg": round(_total(table, "co2_kg"), 4),
    }


def _total(frame: pl.DataFrame, column: str) -> float:
    return float(frame[column].sum() or 0.0)


def _ratio(total: float, count: float) -> float:
    return round(total / count, 4) if count else 0.0
