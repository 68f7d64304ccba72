"""Findings as plain values and as tables: what ``--json`` prints and ``--format`` writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ...errors import InputError, WorkError
from ...files import atomic_path
from ...store.tables import write_table
from ..statistics import Effect
from .effects import Outcome
from .findings import Findings

__all__ = ["FORMATS", "as_json", "export", "tables_of"]

FORMATS = ("csv", "parquet", "xlsx")
EFFECT = ("estimate", "low", "high")


def as_json(found: Findings) -> dict[str, Any]:
    """All that was found: numbers in the unit of their measure, relative changes as shares."""
    return {
        "unit": found.sides.unit,
        "lead": found.lead.key,
        "units_before": [str(unit) for unit in found.matched.before["unit"].to_list()],
        "units_after": [str(unit) for unit in found.matched.after["unit"].to_list()],
        "saved_h": _effect(found.saved_h),
        "network": [_outcome(one) for one in found.network],
        "corridors": [_outcome(one) for one in found.corridors],
        "lacking": [
            {"corridor": one.corridor, "measure": one.measure, "period": one.period, "reason": one.reason}
            for one in found.lacking
        ],
        "exclusions": found.exclusions.to_dicts(),
        "notes": [{"note": key, **values} for key, values in found.notes],
        "days_needed": [{"share": one.share, "days": one.days} for one in found.days],
        "control": _effect(found.control),
        "series": None
        if found.series is None
        else {"level": _effect(found.series.level), "trend_per_day": _effect(found.series.trend_per_day)},
        "settings": {
            "timezone": found.question.timezone,
            "confidence": found.question.confidence,
            "replicates": found.question.replicates,
            "seed": found.question.seed,
            "least": found.question.least,
        },
        "sources": {
            side: [{"name": name, "sha256": digest} for name, digest in files]
            for side, files in found.sides.sources.items()
        },
    }


def tables_of(found: Findings) -> dict[str, pl.DataFrame]:
    """effects, corridors, units, bands, speeds, exclusions: a table each."""
    return {
        "effects": _rows(found.network),
        "corridors": _rows(found.corridors),
        "units": pl.concat(
            side.with_columns(pl.col("unit").cast(pl.String), side=pl.lit(name))
            for name, side in (("before", found.matched.before), ("after", found.matched.after))
        ).select("side", "unit", "numerator", "denominator", "volume_veh"),
        "bands": found.bands,
        "speeds": found.heat,
        "exclusions": found.exclusions,
    }


def export(found: Findings, kind: str, stem: Path) -> list[Path]:
    """Writes the tables beside ``stem``: a workbook with a sheet each, or a file each. Returns what was written.

    Raises InputError for another format, WorkError where the package for workbooks is missing.
    """
    if kind not in FORMATS:
        raise InputError(f"--format: expected {', '.join(FORMATS)}, found {kind}")
    tables = tables_of(found)
    if kind == "xlsx":
        path = stem.with_suffix(".xlsx")
        _write_workbook(tables, path)
        return [path]
    paths = [stem.with_name(f"{stem.stem}-{name}.{kind}") for name in tables]
    for path, table in zip(paths, tables.values(), strict=True):
        with atomic_path(path) as partial:
            if kind == "csv":
                table.write_csv(partial)
            else:
                write_table(table, partial)
    return paths


def _write_workbook(tables: Mapping[str, pl.DataFrame], path: Path) -> None:
    try:
        import xlsxwriter
    except ImportError as err:
        raise WorkError("--format xlsx: expected the package xlsxwriter (extra xlsx), found none") from err
    with atomic_path(path) as partial, xlsxwriter.Workbook(partial) as book:
        for name, table in tables.items():
            table.write_excel(book, worksheet=name, autofit=True)


def _rows(outcomes: Sequence[Outcome]) -> pl.DataFrame:
    schema: dict[str, Any] = {"corridor": pl.String, "measure": pl.String, "period": pl.String}
    schema |= dict.fromkeys(("before", "after"), pl.Float64)
    schema |= {f"change_{name}": pl.Float64 for name in EFFECT}
    schema |= {f"relative_{name}": pl.Float64 for name in EFFECT}
    schema |= {"p_value": pl.Float64, "adjusted_p": pl.Float64, "verdict": pl.String}
    schema |= dict.fromkeys(("units_before", "units_after"), pl.Int64)
    rows = [
        [
            one.corridor,
            one.measure.key,
            one.period,
            one.before,
            one.after,
            *(getattr(one.change, name) for name in EFFECT),
            *((None if one.relative is None else getattr(one.relative, name)) for name in EFFECT),
            one.change.p_value,
            one.adjusted_p,
            one.verdict,
            one.change.before,
            one.change.after,
        ]
        for one in outcomes
    ]
    return pl.DataFrame(rows, schema=schema, orient="row")


def _outcome(one: Outcome) -> dict[str, Any]:
    return {
        "corridor": one.corridor,
        "measure": one.measure.key,
        "period": one.period,
        "before": one.before,
        "after": one.after,
        "change": _effect(one.change),
        "relative": _effect(one.relative),
        "tests": [_effect(test) for test in one.tests],
        "volume": _effect(one.volume),
        "adjusted_p": one.adjusted_p,
        "verdict": one.verdict,
    }


def _effect(effect: Effect | None) -> dict[str, Any] | None:
    if effect is None:
        return None
    names = ("method", *EFFECT, "p_value", "before", "after", "relative", "confidence")
    return {name: getattr(effect, name) for name in names}
