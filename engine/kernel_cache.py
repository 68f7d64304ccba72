"""Where compiled kernels are kept: a folder named by the hash of every source that can hold or call one.

numba notices a changed file, not a changed callee in another file; a new hash is a new folder, so no stale code runs.
The analytics are left out: their kernels call only kernels of their own file, and the control loop calls none of them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import Path

__all__ = ["cache_home", "is_compiled", "source_hash", "use_kernel_cache"]

FOLDERS = ("engine", "controllers")
APART = "engine/analytics"


def cache_home(environment: Mapping[str, str]) -> Path:
    """Folder for what greensplit keeps between runs: GREENSPLIT_CACHE, else the user's cache directory."""
    if environment.get("GREENSPLIT_CACHE"):
        return Path(environment["GREENSPLIT_CACHE"])
    base = environment.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "greensplit"


def source_hash(folders: Iterable[str] = FOLDERS) -> str:
    """First 16 hex digits of the SHA-256 over the sources of folders: those that hold kernels."""
    root = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            if not name.startswith(f"{APART}/"):
                digest.update(name.encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def is_compiled(environment: Mapping[str, str]) -> bool:
    """Are there compiled kernels already, in the folder that ``environment`` names?"""
    return any(Path(environment.get("NUMBA_CACHE_DIR", "")).glob("**/*.nbi"))


def use_kernel_cache(environment: MutableMapping[str, str]) -> None:
    """Set NUMBA_CACHE_DIR in ``environment`` unless the user has; call before numba is imported."""
    if "NUMBA_CACHE_DIR" not in environment:
        environment["NUMBA_CACHE_DIR"] = str(cache_home(os.environ) / "kernels" / source_hash())
