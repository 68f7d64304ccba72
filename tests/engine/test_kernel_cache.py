"""Compiled kernels survive the process, never go stale, and importing the engine is quick and compiles nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

ADD_UP = """
import os, sys
from greensplit.engine.kernel_cache import use_kernel_cache
use_kernel_cache(os.environ)
import numpy as np
from greensplit.controllers.choice import stage_sums
from greensplit.engine.model.compiled import compile_signals
sys.path.insert(0, {root!r})
from tests.engine.kernels.sites import crossroads
sums = np.zeros(2)
stage_sums(compile_signals(crossroads()), np.array([3.0, 4.0]), sums)
print(int(sums[0]), sum(stage_sums.stats.cache_hits.values()), sum(stage_sums.stats.cache_misses.values()))
"""

ENGINE = "greensplit.engine.loop, greensplit.engine.model.toml, greensplit.engine.store.logfile"


def run(code: str, cache: Path, package: Path | None = None) -> str:
    """Standard output of a fresh process; ``package`` comes before the installed one."""
    environment = {**os.environ, "GREENSPLIT_CACHE": str(cache)}
    environment.pop("NUMBA_CACHE_DIR", None)
    environment.pop("NUMBA_DISABLE_JIT", None)
    if package is not None:
        environment["PYTHONPATH"] = str(package)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def copied(folder: Path) -> Path:
    """The engine and the controllers in a package of their own."""
    for name in ("engine", "controllers"):
        shutil.copytree(ROOT / name, folder / "greensplit" / name)
    return folder


def test_a_second_process_compiles_nothing_and_a_changed_callee_is_compiled_anew(tmp_path: Path) -> None:
    """The first process misses, the second hits; where another number means red, other groups are added up."""
    package, cache = copied(tmp_path / "package"), tmp_path / "cache"
    code = ADD_UP.format(root=str(ROOT))
    assert run(code, cache, package).split() == ["3", "0", "1"]
    assert run(code, cache, package).split() == ["3", "1", "0"]
    aspects = package / "greensplit/engine/model/aspects.py"
    text = aspects.read_text()
    assert "\nRED: Final = 0" in text
    aspects.write_text(text.replace("\nRED: Final = 0", "\nRED: Final = 9"))
    assert run(code, cache, package).split() == ["7", "0", "1"]
    assert len(list((cache / "kernels").iterdir())) == 2


def test_importing_the_engine_is_quick_and_compiles_nothing(tmp_path: Path) -> None:
    """At most 0.25 s more than numba and polars; the best of five, and no kernel in the cache."""
    timed = "import time; t = time.perf_counter(); import numba, polars; u = time.perf_counter()\n"
    timed += f"import {ENGINE}; print(time.perf_counter() - u)"
    assert min(float(run(timed, tmp_path)) for _ in range(5)) <= 0.25
    assert not list(tmp_path.rglob("*.nb?"))
