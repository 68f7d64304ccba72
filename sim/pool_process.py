"""Stand-ins in a process of their own: what the engine learns of them, it learns over the wire.

The pipe to that process is what cables are at a junction: loops in, lamps out, and the time.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any, Final

from greensplit.engine import errors
from greensplit.engine.errors import GreensplitError, SimulatorError
from greensplit.engine.loop import DetectorEvents

from .stand_ins import Aspects, LocalPool, PoolSpec

__all__ = ["RemotePool"]

ANSWER_S: Final = 120.0
"""The first answer waits for compiled kernels."""


class RemotePool:
    """A ``LocalPool`` in a child process. Raises what the child raised; SimulatorError when it is gone."""

    def __init__(self, spec: PoolSpec) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._child = context.Process(target=_serve, args=(theirs, spec), daemon=True)
        self._child.start()
        theirs.close()
        try:
            self.addresses: dict[str, str] = self._answer()
        except GreensplitError:
            self.close()
            raise

    def sense(self, now_ms: int, seen: Sequence[DetectorEvents]) -> None:
        """Detector changes up to ``now_ms``, per junction."""
        self._ask("sense", now_ms, [tuple(events) for events in seen])

    def act(self, now_ms: int) -> list[Aspects]:
        """Advance, and tell the lamps of every junction."""
        lamps: list[Aspects] = self._ask("act", now_ms)
        return lamps

    def close(self) -> None:
        """End the child."""
        self._pipe.close()
        self._child.join(5.0)
        if self._child.is_alive():
            self._child.kill()
            self._child.join()

    def _ask(self, *request: Any) -> Any:
        try:
            self._pipe.send(request)
        except OSError as err:
            raise SimulatorError(f"the stand-ins' process: expected it to listen, found: {err}") from err
        return self._answer()

    def _answer(self) -> Any:
        try:
            if not self._pipe.poll(ANSWER_S):
                raise SimulatorError(f"the stand-ins' process: expected an answer within {ANSWER_S:g} s")
            kind, value = self._pipe.recv()
        except (EOFError, OSError) as err:
            raise SimulatorError("the stand-ins' process: expected an answer, found its end") from err
        if kind:
            raise getattr(errors, kind, GreensplitError)(value)
        return value


def _serve(pipe: Connection, spec: PoolSpec) -> None:
    """What the child does, until the pipe is closed."""
    try:
        pool = LocalPool(spec)
    except GreensplitError as err:
        pipe.send((type(err).__name__, str(err)))
        return
    try:
        pipe.send(("", pool.addresses))
        while True:
            what, now_ms, *rest = pipe.recv()
            if what == "act":
                pipe.send(("", pool.act(now_ms)))
            else:
                pool.sense(now_ms, [DetectorEvents(*row) for row in rest[0]])
                pipe.send(("", None))
    except (EOFError, OSError, KeyboardInterrupt):
        return
    finally:
        pool.close()
