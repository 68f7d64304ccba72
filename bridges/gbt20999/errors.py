"""What can go wrong on the way to a controller, each told in one line."""

from __future__ import annotations

from greensplit.engine.errors import InputError, WorkError

__all__ = ["FrameError", "NoAnswerError", "RefusedError", "ValueRefusedError"]


class FrameError(WorkError):
    """Bytes that are not a frame. The only error that decoding raises."""


class NoAnswerError(WorkError):
    """The controller did not answer in time, or answered something else."""


class RefusedError(WorkError):
    """The controller answered with an error, or did not do what it had acknowledged."""


class ValueRefusedError(InputError):
    """A value or an object that this host does not send."""
