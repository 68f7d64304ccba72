"""Built scenarios, kept by the hash of everything that went into them."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from greensplit.engine.errors import OutputError

__all__ = ["built", "file_sha256"]


def built(cache_dir: Path, name: str, inputs: Mapping[str, object], build: Callable[[Path], None]) -> Path:
    """Folder ``cache_dir/name-KEY`` filled by ``build``, which runs only if no folder with that key is there.

    ``inputs`` is hashed as JSON. The folder appears whole or not at all, even if two processes build it at
    once. Raises OutputError when the cache cannot be written.
    """
    folder = cache_dir / f"{name}-{_key(inputs)}"
    if folder.is_dir():
        return folder
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=cache_dir))
    except OSError as error:
        raise OutputError(f"{cache_dir}: expected a writable cache directory, found: {error}") from error
    try:
        build(temporary)
        _publish(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def file_sha256(path: Path) -> str:
    """Hash of a file's bytes, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _key(inputs: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(inputs, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _publish(temporary: Path, folder: Path) -> None:
    temporary.chmod(0o755)
    try:
        temporary.rename(folder)
    except OSError as error:
        if not folder.is_dir():
            raise OutputError(f"{folder}: could not be written: {error}") from error
