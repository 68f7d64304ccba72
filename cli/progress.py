"""A progress bar on the error stream, where that is a terminal and the work takes longer than two seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from greensplit.engine.kernel_cache import is_compiled

__all__ = ["progress_bar", "say_when_compiling"]

QUIET_S = 2.0


def say_when_compiling(environment: Mapping[str, str]) -> None:
    """One line before a wait that only the first run of a version has."""
    if not is_compiled(environment):
        sys.stderr.write("compiling kernels, once for this version: about half a minute\n")


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[float], None]]:
    """Yields a function that takes the share done, 0 to 1."""
    if not sys.stderr.isatty():
        yield lambda _share: None
        return
    from rich.console import Console
    from rich.progress import Progress

    started = time.monotonic()
    bar = Progress(console=Console(stderr=True), transient=True)
    task = bar.add_task(title, total=1.0)

    def show(share: float) -> None:
        if not bar.live.is_started and time.monotonic() - started > QUIET_S:
            bar.start()
        bar.update(task, completed=share)

    try:
        yield show
    finally:
        bar.stop()
