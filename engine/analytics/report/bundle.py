"""The chart library as one JavaScript text, made once per version of vl_convert and kept in a folder."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ...errors import OutputError, StorageError, WorkError
from ...files import write_atomically

__all__ = ["javascript_bundle"]

# Bundling takes seconds and 150 MB, hence a process of its own; -P keeps the current folder off the path.
BUNDLER = "import sys, vl_convert; sys.stdout.buffer.write(vl_convert.javascript_bundle().encode())"
ENTRY_POINT = b"window.vegaEmbed="
ENDS_A_SCRIPT = re.compile(rb"<(?=/script|!--|script)", re.IGNORECASE)
TIMEOUT_S = 120


def javascript_bundle(cache: Path) -> bytes:
    """Vega, Vega-Lite and vega-embed as one UTF-8 text that may stand inside a ``<script>`` element.

    ``cache`` holds one file per vl_convert version. Where it cannot be written, the text is made afresh.
    Raises WorkError where vl_convert is missing or fails.
    """
    path = cache / f"vega-{_converter_version()}.js"
    with contextlib.suppress(OSError):
        text = path.read_bytes()
        if ENTRY_POINT in text:
            return text
    text = ENDS_A_SCRIPT.sub(rb"\\x3c", _bundle())
    with contextlib.suppress(OSError, OutputError, StorageError):
        write_atomically(path, text)
    return text


def _converter_version() -> str:
    try:
        return version("vl-convert-python")
    except PackageNotFoundError as error:
        raise WorkError(
            "expected the package vl-convert-python for the charts, found none installed"
        ) from error


def _bundle() -> bytes:
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", BUNDLER], capture_output=True, check=True, timeout=TIMEOUT_S
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise WorkError(f"expected vl_convert to bundle the chart library, found: {_cause(error)}") from error
    if ENTRY_POINT not in done.stdout:
        raise WorkError(
            f"expected {ENTRY_POINT!r} in the chart library, found {len(done.stdout)} bytes without it"
        )
    return done.stdout


def _cause(error: Exception) -> str:
    stderr = error.stderr if isinstance(error, subprocess.CalledProcessError) else b""
    lines = (stderr or b"").decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else str(error)
