"""The page in a real browser: every chart is drawn, from the file alone. CI installs Chromium where it can."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from greensplit.engine.analytics.report import render_report

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.mark.skipif(
    BROWSER is None and "CI" not in os.environ,
    reason="no Chromium on this machine (apt-get install chromium)",
)
def test_every_chart_is_drawn(make_run: Callable[..., Path], bundle_cache: Path, tmp_path: Path) -> None:
    """Each chart's place holds a drawing with marks in it; a chart that fails puts words in its place."""
    assert BROWSER is not None
    out = tmp_path / "report.html"
    runs = [make_run("a", "fixed", delay_s=60.0), make_run("b", "greensplit", delay_s=45.0)]
    render_report(runs, out, bundle_cache=bundle_cache)
    command = [BROWSER, *QUIET, f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=8000"]
    done = subprocess.run(
        [*command, "--dump-dom", out.as_uri()], capture_output=True, text=True, timeout=120, check=False
    )
    places = re.findall(r'<div[^>]* class="chart[^"]*"[^>]*>', done.stdout)
    drawn = [place for place in places if 'role="graphics-document"' in place]
    assert len(places) >= 7
    assert len(drawn) == len(places)
    assert done.stdout.count('class="mark-') > len(places)
