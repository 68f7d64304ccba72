"""The command as people start it: in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def greensplit(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(
        [sys.executable, "-m", "greensplit.cli", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=240,
        check=False,
    )
