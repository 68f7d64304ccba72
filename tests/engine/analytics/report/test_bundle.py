"""The chart library: made once, kept whole, and harmless inside a script element."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from greensplit.engine.analytics.report import bundle
from greensplit.engine.errors import WorkError


def answer(text: bytes) -> Any:
    """A stand-in for subprocess.run that counts its calls."""
    calls: list[Any] = []

    def run(command: Any, **_: Any) -> subprocess.CompletedProcess[bytes]:
        calls.append(command)
        return subprocess.CompletedProcess(command, 0, stdout=text, stderr=b"")

    return run, calls


def test_the_library_is_made_once_per_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second report reads the cache; another version makes its own."""
    run, calls = answer(b"window.vegaEmbed=1;")
    monkeypatch.setattr(subprocess, "run", run)
    assert bundle.javascript_bundle(tmp_path) == bundle.javascript_bundle(tmp_path) == b"window.vegaEmbed=1;"
    assert len(calls) == 1
    monkeypatch.setattr(bundle, "version", lambda _: "99")
    bundle.javascript_bundle(tmp_path)
    assert len(calls) == 2


def test_a_cache_that_cannot_be_written_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file where the folder should be means making the library each time, not failing."""
    (tmp_path / "cache").write_text("in the way", encoding="utf-8")
    run, calls = answer(b"window.vegaEmbed=1;")
    monkeypatch.setattr(subprocess, "run", run)
    for _ in range(2):
        assert bundle.javascript_bundle(tmp_path / "cache") == b"window.vegaEmbed=1;"
    assert len(calls) == 2


def test_a_damaged_cache_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty file of the right name is not the library."""
    run, _ = answer(b"window.vegaEmbed=1;")
    monkeypatch.setattr(subprocess, "run", run)
    bundle.javascript_bundle(tmp_path)
    (cached,) = tmp_path.iterdir()
    cached.write_bytes(b"")
    assert bundle.javascript_bundle(tmp_path) == b"window.vegaEmbed=1;"


def test_the_library_cannot_end_its_script_element(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An end tag inside a string of the library is written as an escape with the same meaning."""
    run, _ = answer(b"window.vegaEmbed='</SCRIPT><!-- <script>';")
    monkeypatch.setattr(subprocess, "run", run)
    assert bundle.javascript_bundle(tmp_path) == rb"window.vegaEmbed='\x3c/SCRIPT>\x3c!-- \x3cscript>';"


def test_a_failing_bundler_is_explained_in_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last line of its complaint is in the message."""

    def fail(command: Any, **_: Any) -> None:
        raise subprocess.CalledProcessError(1, command, stderr=b"Traceback\nImportError: no such library\n")

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(WorkError, match="found: ImportError: no such library"):
        bundle.javascript_bundle(tmp_path)
