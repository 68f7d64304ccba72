"""A controller's hash moves with the code that decides its runs, and with no other."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from greensplit.benchmarks.quality.measure import CONFLICT_FREE
from greensplit.benchmarks.quality.sources import ROOT, Sources, code_hash, import_closure

FOLDERS = ("engine", "controllers", "scenarios", "sim", "benchmarks/quality")
NAMES = ("fixed", "actuated", "local", "greedy", "max-pressure", "clearing", CONFLICT_FREE)
Moved = Callable[[str, str], set[str]]


@pytest.fixture
def moved(tmp_path: Path) -> Moved:
    """Edits a file of a copy of the sources; says whose hashes that moves."""
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            copy = tmp_path / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    sources = Sources(tmp_path)

    def edit(name: str, text: str) -> set[str]:
        before = {name: code_hash(name, {}, sources) for name in NAMES}
        path = tmp_path / name
        path.write_text(path.read_text() + text)
        return {name for name in NAMES if code_hash(name, {}, sources) != before[name]}

    return edit


def test_a_policy_moves_itself_alone(moved: Moved) -> None:
    """Nothing else imports the modules of `clearing`."""
    assert moved("controllers/clearing.py", "\n# more\n") == {"clearing"}
    assert moved("controllers/urgency.py", "\n# more\n") == {"clearing"}


def test_what_policies_share_moves_those_that_import_it(moved: Moved) -> None:
    """`choice` is imported by every policy that rates stages; modes of our own machine have no policy."""
    assert moved("controllers/choice.py", "\n# more\n") == {"greedy", "max-pressure", "clearing"}


def test_the_engine_moves_what_it_decides(moved: Moved) -> None:
    """SUMO's own programs and the bound do not pass through it."""
    assert moved("engine/kernels/machine.py", "\n# more\n") == {"local", "greedy", "max-pressure", "clearing"}


def test_the_closed_loop_moves_everything(moved: Moved) -> None:
    """Every run goes through it."""
    assert moved("sim/prepare.py", "\n# more\n") == set(NAMES)


def test_reports_move_nothing(moved: Moved) -> None:
    """They are made after a run."""
    assert moved("engine/analytics/report/page.py", "\n# more\n") == set()


def test_the_bound_has_a_module_of_its_own(moved: Moved) -> None:
    """And the calls that it does not measure move all others."""
    assert moved("benchmarks/quality/bound.py", "\n# more\n") == {CONFLICT_FREE}
    assert moved("benchmarks/quality/calls.py", "\n# more\n") == set(NAMES) - {CONFLICT_FREE}


def test_another_entry_of_the_catalogue_moves_nobody(moved: Moved) -> None:
    """The catalogue imports all policies; only a controller's own lines in it count."""
    assert moved("controllers/catalogue.py", "\ndef _unrelated() -> int:\n    return 1\n") == set()
    changed = "\ndef _greedy(profile: Profile) -> Controller:\n    return greedy.Greedy(greedy.Config(range_m=1.0))\n"
    assert moved("controllers/catalogue.py", changed) == {"greedy"}


def test_versions_move_everything() -> None:
    """Another SUMO gives other results."""
    for name in NAMES:
        assert code_hash(name, {"eclipse-sumo": "1.28.0"}) != code_hash(name, {"eclipse-sumo": "1.28.1"})


def test_imports_are_followed_in_all_their_forms(tmp_path: Path) -> None:
    """From a package, of a package, relative, inside a function, plain; not through what is cut or outside."""
    files = {
        "sim/__init__.py": "",
        "sim/a.py": "from . import b\nfrom .c import x\ndef f():\n    import greensplit.sim.d\n",
        "sim/b.py": "from ..engine.e import y\nimport numpy\n",
        "sim/c.py": "from greensplit.engine import g\nfrom greensplit.engine.store import s\n",
        "sim/d.py": "from greensplit.engine.outside import z\n",
        "sim/lonely.py": "",
        "engine/e.py": "",
        "engine/g.py": "from greensplit.sim import a\n",
        "engine/store.py": "from greensplit.sim import lonely\n",
        "other/o.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = import_closure(Sources(tmp_path), ["sim.a"], ("sim", "engine"))
    modules = {"sim.a", "sim.b", "sim.c", "sim.d", "engine.e", "engine.g", "engine.outside"}
    assert found - {"sim", "engine"} == modules
