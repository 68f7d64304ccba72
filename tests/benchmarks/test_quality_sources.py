"""A controller's hash moves with the code that decides its runs, and with no other."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from greensplit.benchmarks.quality.measure import CONFLICT_FREE
from greensplit.benchmarks.quality.sources import ROOT, Sources, code_hash, import_closure
from greensplit.controllers import catalogue
from greensplit.controllers.catalogue import Entry, find
from greensplit.controllers.lookahead.policy import Lookahead

FOLDERS = ("engine", "controllers", "scenarios", "sim", "benchmarks/quality")
NAMES = ("fixed", "actuated", "local", "greedy", "max-pressure", "lookahead", CONFLICT_FREE)
Moved = Callable[[str, str], set[str]]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources."""
    root = tmp_path_factory.mktemp("sources")
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            copied = root / path.relative_to(ROOT)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copied)
    return root


@pytest.fixture
def moved(copy: Path) -> Moved:
    """Edits a file of the copy for a moment; says whose hashes that moves."""
    sources = Sources(copy)

    def edit(name: str, text: str) -> set[str]:
        path = copy / name
        before = {name: code_hash(name, {}, sources) for name in NAMES}
        original = path.read_text()
        path.write_text(original + text)
        found = {name for name in NAMES if code_hash(name, {}, sources) != before[name]}
        path.write_text(original)
        return found

    return edit


def test_a_policy_moves_itself_alone(moved: Moved) -> None:
    """Nothing else imports the modules of `lookahead`."""
    assert moved("controllers/lookahead/board.py", "\n# more\n") == {"lookahead"}
    assert moved("controllers/urgency.py", "\n# more\n") == {"lookahead"}


def test_what_policies_share_moves_those_that_import_it(moved: Moved) -> None:
    """`choice` is imported by every policy that rates stages; modes of our own machine have no policy."""
    assert moved("controllers/choice.py", "\n# more\n") == {"greedy", "max-pressure", "lookahead"}


def test_the_engine_moves_what_it_decides(moved: Moved) -> None:
    """SUMO's own programs and the bound do not pass through it."""
    assert moved("engine/kernels/machine.py", "\n# more\n") == {
        "local",
        "greedy",
        "max-pressure",
        "lookahead",
    }


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


def test_a_maker_of_another_module_brings_that_module(moved: Moved, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry may name a policy's class itself; then its module counts, and the catalogue does not."""
    entry = Entry("lookahead", "", "detectors", "", Lookahead)  # type: ignore[arg-type]
    monkeypatch.setattr(catalogue, "find", lambda name: entry if name == "lookahead" else find(name))
    assert moved("controllers/urgency.py", "\n# more\n") == {"lookahead"}
    assert moved("controllers/catalogue.py", "\n# more\n") == set()


def test_a_maker_without_a_name_counts_as_the_whole_catalogue(
    moved: Moved, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Better one run too many than a row of other code."""
    for maker in (lambda profile: Lookahead(profile), partial(Lookahead)):
        entry = Entry("lookahead", "", "detectors", "", maker)
        monkeypatch.setattr(catalogue, "find", lambda name, e=entry: e if name == "lookahead" else find(name))
        assert moved("controllers/catalogue.py", "\n# more\n") == {"lookahead"}
        assert moved("controllers/max_pressure.py", "\n# more\n") == {"lookahead", "max-pressure"}


def test_a_program_that_sumo_does_not_bring_counts_with_the_engine(
    moved: Moved, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody makes it, by code that is not known here."""
    entry = Entry("lookahead", "", "detectors", "retimed")
    monkeypatch.setattr(catalogue, "find", lambda name: entry if name == "lookahead" else find(name))
    assert "lookahead" in moved("engine/kernels/machine.py", "\n# more\n")


def test_versions_move_everything() -> None:
    """Another SUMO gives other results."""
    for name in NAMES:
        assert code_hash(name, {"eclipse-sumo": "1.28.0"}) != code_hash(name, {"eclipse-sumo": "1.28.1"})


def test_imports_are_followed_in_all_their_forms(tmp_path: Path) -> None:
    """From a package, of a package, relative, inside a function, plain; not through what is cut or outside."""
    files = {
        "sim/__init__.py": "",
        "sim/a.py": "from . import b\nfrom .c import x\nfrom .p import q\ndef f():\n    import greensplit.sim.d\n",
        "sim/b.py": "from ..engine.e import y\nimport numpy\n",
        "sim/c.py": "from greensplit.engine import g\nfrom greensplit.engine.store import s\n",
        "sim/d.py": "from greensplit.engine.outside import z\n",
        "sim/lonely.py": "",
        "sim/p/__init__.py": "from .inner import q\n",
        "sim/p/inner.py": "",
        "engine/e.py": "",
        "engine/g.py": "from greensplit.sim import a\n",
        "engine/store.py": "from greensplit.sim import lonely\n",
        "other/o.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = import_closure(Sources(tmp_path), ["sim.a"], ("sim", "engine"))
    modules = {f"sim.{name}" for name in ("a", "b", "c", "d", "p", "p.inner")}
    modules |= {"engine.e", "engine.g", "engine.outside"}
    assert found - {"sim", "engine"} == modules
