"""What can go wrong on the way to a controller, each told in one line."""

from __future__ import annotations

from greensplit.engine.errors import BridgeError

__all__ = ["FrameError", "NoAnswerError", "RefusedError", "ValueRefusedError"]


class FrameError(BridgeError):
    """Bytes that are not a frame or not a value. The only error that decoding raises."""


class NoAnswerError(BridgeError):
    """The controller did not answer in time."""


class RefusedError(BridgeError):
    """The controller answered with an error, or did not do what it had acknowledged."""


class ValueRefusedError(BridgeError):
    """A value or an object that this host does not send."""
