"""Compiled kernels survive the process, never go stale, and importing the engine is quick and compiles nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

CODE_A_GREEN = """
import os, sys
from greensplit.engine.kernel_cache import use_kernel_cache
use_kernel_cache(os.environ)
import numpy as np
from greensplit.engine.events import EVENT_DTYPE
from greensplit.engine.kernels.coding import code_lamps
from greensplit.engine.kernels.state import new_lamps
from greensplit.engine.model.compiled import compile_signals
sys.path.insert(0, {root!r})
from tests.engine.kernels.sites import crossroads
before, lamps, clearing = np.zeros(2, np.uint8), new_lamps(2), np.zeros(2, np.uint8)
lamps.aspect[0] = 2
by_junction, out = np.zeros(1, np.uint8), np.zeros(10, EVENT_DTYPE)
code_lamps(compile_signals(crossroads()), before, lamps, clearing, by_junction, by_junction.copy(), 0, out)
stats = code_lamps.stats
print(out["event"][1], sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""

ENGINE = "greensplit.engine.loop, greensplit.engine.model.toml, greensplit.engine.store.logfile"


def test_the_tests_use_the_folder_of_their_sources() -> None:
    """Else a test runs yesterday's callee: numba must not be imported before the folder is set."""
    import numba

    assert os.environ["NUMBA_CACHE_DIR"] == numba.config.CACHE_DIR


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
    """The first process misses, the second hits; where begin of green has another number, that one is coded."""
    package, cache = copied(tmp_path / "package"), tmp_path / "cache"
    code = CODE_A_GREEN.format(root=str(ROOT))
    assert run(code, cache, package).split() == ["1", "0", "1"]
    assert run(code, cache, package).split() == ["1", "1", "0"]
    events = package / "greensplit/engine/events.py"
    text = events.read_text()
    assert "\nBEGIN_GREEN: Final = 1\n" in text
    events.write_text(text.replace("\nBEGIN_GREEN: Final = 1\n", "\nBEGIN_GREEN: Final = 99\n"))
    assert run(code, cache, package).split() == ["99", "0", "1"]
    assert len(list((cache / "kernels").iterdir())) == 2


def test_importing_the_engine_is_quick_and_compiles_nothing(tmp_path: Path) -> None:
    """At most 0.25 s more than numba and polars; the best of five, and no kernel in the cache."""
    timed = "import time; t = time.perf_counter(); import numba, polars; u = time.perf_counter()\n"
    timed += f"import {ENGINE}; print(time.perf_counter() - u)"
    assert min(float(run(timed, tmp_path)) for _ in range(5)) <= 0.25
    assert not list(tmp_path.rglob("*.nb?"))
