"""``greensplit report``: the HTML report of one or several run directories."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["report"]


def report(
    runs: Annotated[list[Path], typer.Argument(help="Run directories of one scenario.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The HTML file to write.")] = Path("report.html"),
    title: Annotated[str | None, typer.Option(help="Heading of the report.")] = None,
) -> None:
    """Render run directories as one self-contained HTML file."""
    from greensplit.engine.analytics.report import render_report
    from greensplit.engine.kernel_cache import cache_home

    render_report(runs, out, title=title, bundle_cache=cache_home(os.environ) / "charts")
    sys.stdout.write(f"{out}\n")
