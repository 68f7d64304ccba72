"""Renders run directories as one self-contained HTML file.

Reads files only; knows nothing of the simulator.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = ["render_report"]


def render_report(
    run_dirs: Sequence[Path], out: Path, *, title: str | None = None, bundle_cache: Path
) -> None:
    """Writes the report of one run, or the comparison of several, as one HTML file that needs no network.

    Runs are grouped by controller and averaged over seeds; charts that need one run use the lowest seed.
    The chart library is kept in the folder ``bundle_cache``, one file per version. Sections whose files are
    missing say so. Raises InputError for what is not a run directory or for runs of several scenarios,
    OutputError where ``out`` cannot be written, WorkError where the chart library cannot be made.
    """
    from .page import write_report

    write_report(run_dirs, out, title, bundle_cache)
