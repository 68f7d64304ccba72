"""The wheel holds what it should, and imports without the checkout; nobody imports a folder by its bare name."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("engine", "controllers", "scenarios", "bridges", "sim", "cli")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    (found,) = out.glob("*.whl")
    return found


def test_the_wheel_holds_every_module_once_under_greensplit(wheel: Path) -> None:
    """Each tracked module of the six folders is in it, renamed, and nothing else is."""
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = {
        f"greensplit/{path.relative_to(ROOT).as_posix()}"
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert names == expected


def test_the_wheel_imports_in_a_clean_environment(wheel: Path, tmp_path: Path) -> None:
    """A new environment with the wheel, and the dependencies but not the checkout, runs the command."""
    place = tmp_path / "clean"
    venv.create(place, with_pip=True)
    python = place / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, capture_output=True, timeout=240)
    site = next((place / "lib").glob("python*/site-packages"))
    # A plain path line adds the dependencies without reading their own .pth files, the checkout's among them.
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    outside = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    told = "import greensplit.cli.__main__ as m, greensplit.sim.run; print(m.__file__)"
    done = subprocess.run(
        [str(python), "-c", told],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=outside,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(place)
    helped = subprocess.run(
        [str(place / "bin" / "greensplit"), "--help"],
        capture_output=True,
        text=True,
        env=outside,
        timeout=120,
        check=False,
    )
    assert helped.returncode == 0
    assert "compare" in helped.stdout


def test_nobody_imports_a_folder_by_its_bare_name() -> None:
    """``import engine`` would give one class two identities when a module runs from the checkout's top."""
    bare = set(FOLDERS) | {"benchmarks"}
    offenders = []
    for folder in (*FOLDERS, "benchmarks", "tests"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                offenders += [(path.name, name) for name in _top_names(node) if name in bare]
    assert offenders == []


def _top_names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        return [node.module.split(".")[0]]
    return []


def test_every_folder_says_what_lives_there() -> None:
    """Each package has a docstring of at most ten lines, and a marker for type checkers."""
    for folder in FOLDERS:
        for init in (ROOT / folder).rglob("__init__.py"):
            docstring = ast.get_docstring(ast.parse(init.read_text(encoding="utf-8")))
            assert docstring, init
            assert len(docstring.splitlines()) <= 10, init
        assert (ROOT / folder / "py.typed").exists()


def test_importing_the_engine_compiles_nothing_and_adds_little(tmp_path: Path) -> None:
    """No compiled kernel appears in an empty cache after the import alone."""
    done = subprocess.run(
        [sys.executable, "-c", "import greensplit.engine.loop"],
        env={"NUMBA_CACHE_DIR": str(tmp_path), "PATH": ""},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.rglob("*.nbc")) == []
