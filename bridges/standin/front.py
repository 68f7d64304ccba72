"""What makes a simulated controller speak: a front owns sockets and bytes, its stand-ins own all behaviour."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from threading import RLock

from .controller import StandIn

__all__ = ["Front"]


class Front(ABC):
    """A protocol server around stand-ins, one or more.

    ``clock`` is the time, ms, to which the stand-ins have been brought. Whoever touches a stand-in, the front and the
    host that advances them, holds ``lock``. ``options`` are words from the command line: a front checks its own.
    """

    def __init__(
        self, stand_ins: Sequence[StandIn], options: Mapping[str, str], clock: Callable[[], int]
    ) -> None:
        self.stand_ins = tuple(stand_ins)
        self.options = dict(options)
        self.clock = clock
        self.lock = RLock()

    @abstractmethod
    def open(self) -> Mapping[str, str]:
        """Bind and serve, in threads of its own; where each junction's id can be reached. Raises BridgeError.

        After ``close`` it binds the same addresses again.
        """

    @abstractmethod
    def close(self) -> None:
        """Stop serving. Never raises, may be called twice."""
