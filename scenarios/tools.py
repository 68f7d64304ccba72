"""SUMO's own programs, found in the installed package and run with an argument list."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from greensplit.engine.errors import SimulatorError

__all__ = ["package_dir", "run_netconvert", "run_tool", "sumo_binary", "sumo_environment", "sumo_version"]

TOOL_TIMEOUT_S = 600
# The comment at the top of SUMO's files holds the date and the paths of this machine.
WRITTEN_BY = re.compile(rb"<!-- generated on .*?-->\s*", re.DOTALL)


def package_dir(name: str) -> Path | None:
    """Folder of an installed package, found without executing its code; None when it is not installed."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def sumo_binary(name: str) -> Path:
    """Path of SUMO's program ``name`` (``sumo``, ``netconvert`` ...) inside the package eclipse-sumo.

    Raises SimulatorError when the package or the program is missing.
    """
    home = package_dir("sumo")
    if home is None:
        raise SimulatorError(f"{name}: expected the package eclipse-sumo, found none installed")
    for path in (home / "bin" / name, home / "bin" / f"{name}.exe"):
        if path.is_file():
            return path
    raise SimulatorError(f"{name}: expected the program in {home / 'bin'}, found none of that name")


def sumo_environment() -> dict[str, str]:
    """This process's environment with SUMO_HOME and PROJ at the installed package, to run its programs."""
    home = sumo_binary("sumo").parent.parent
    proj = str(home / "data" / "proj")
    return dict(os.environ) | {"SUMO_HOME": str(home), "PROJ_LIB": proj, "PROJ_DATA": proj}


def sumo_version() -> str:
    """Version of the installed eclipse-sumo; SimulatorError when there is none."""
    try:
        return importlib.metadata.version("eclipse-sumo")
    except importlib.metadata.PackageNotFoundError as error:
        raise SimulatorError("expected the package eclipse-sumo, found none installed") from error


def run_netconvert(arguments: Sequence[str], output: Path) -> None:
    """Run netconvert into the network ``output``, whose bytes depend on input, options and version alone.

    Raises SimulatorError as ``run_tool`` does.
    """
    run_tool("netconvert", [*arguments, f"--output-file={output}"])
    output.write_bytes(WRITTEN_BY.sub(b"", output.read_bytes(), count=1))


def run_tool(name: str, arguments: Sequence[str]) -> None:
    """Run a program of SUMO to its end.

    Raises SimulatorError with its first error line when it fails or takes over ten minutes.
    """
    try:
        done = subprocess.run(
            [str(sumo_binary(name)), *arguments],
            env=sumo_environment(),
            capture_output=True,
            text=True,
            timeout=TOOL_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SimulatorError(f"{name} did not finish: {error}") from error
    if done.returncode != 0:
        raise SimulatorError(f"{name} failed with code {done.returncode}: {_first_error(done.stderr)}")


def _first_error(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return next((line for line in lines if line.startswith("Error")), lines[0] if lines else "no message")
