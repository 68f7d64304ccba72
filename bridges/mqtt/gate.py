"""What stands between a command's topic and a controller: who may, how old, how often. Every refusal is one line.

The broker's permissions are the first lock; this is the second, and does not trust the first. With a signing key only
who has it is obeyed (HMAC-SHA256 over topic and payload: time and key are in the payload, so a recorded command is of
no use later, nor at another junction). One master at a time: another one is heard when the first has been silent for
as long as the controller's backup timer runs.
"""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Final

from greensplit.engine.errors import BridgeError

from .messages import COMMANDS, CommandMessage, decode
from .session import Received
from .topics import Topic

__all__ = ["Gate", "RefusedError", "read_signing_key", "sign"]

LONGEST_LIFE_MS: Final = 5000
REPLAY_MS: Final = 10_000
"""A command lives for 5 s and may come 2 s early: one that was obeyed longer ago cannot be sent again."""
SHORTEST_KEY: Final = 16


class RefusedError(BridgeError):
    """A command that is not passed on. ``key`` is its number, 0 where it could not be read."""

    def __init__(self, reason: str, key: int = 0) -> None:
        super().__init__(reason)
        self.key = key


def sign(signing_key: bytes, topic: str, payload: bytes) -> str:
    """The signature of a command."""
    return hmac.digest(signing_key, topic.encode() + b"\0" + payload, "sha256").hex()


def read_signing_key(file: Path) -> bytes:
    """The secret in a file. Raises BridgeError where it cannot be read or is too short to be one."""
    try:
        secret = file.read_bytes().strip()
    except OSError as err:
        raise BridgeError(f"{file}: expected a signing key, found {err}") from err
    if len(secret) < SHORTEST_KEY:
        raise BridgeError(
            f"{file}: expected a signing key of at least {SHORTEST_KEY} bytes, found {len(secret)}"
        )
    return secret


class Gate:
    """The gate of one junction."""

    def __init__(self, signing_key: bytes | None = None) -> None:
        self._signing_key = signing_key
        self._issuer = ""
        self._last_key = 0
        self._obeyed_ms = 0

    def admit(self, topic: Topic, received: Received, now_ms: int, backup_ms: int) -> CommandMessage:
        """The command that came at ``now_ms``, if it may be passed on. Raises RefusedError, and nothing else.

        ``backup_ms``: how long its master may be silent before another one is heard; 0: for ever.
        """
        where = str(topic)
        if received.retained:
            raise RefusedError(f"{where}: expected a command meant for now, found a retained one")
        if received.envelope.expiry_s is None:
            raise RefusedError(f"{where}: expected a command that expires at the broker, found no expiry")
        self._check_signature(where, received)
        message = self._read(topic, received.payload)
        self._check_life(where, message)
        self._check_master(where, message, now_ms, backup_ms)
        return message

    def _check_signature(self, where: str, received: Received) -> None:
        if self._signing_key is None:
            return
        found = received.envelope.signature
        if found is None:
            raise RefusedError(f"{where}: expected a signature, found none")
        wanted = sign(self._signing_key, received.topic, received.payload)
        if not hmac.compare_digest(wanted.encode(), found.encode("utf-8", "replace")):
            raise RefusedError(f"{where}: expected the signature of our engine, found another")

    def _read(self, topic: Topic, payload: bytes) -> CommandMessage:
        model = COMMANDS.get(topic.code)
        if model is None:
            raise RefusedError(f"{topic}: expected one of {', '.join(sorted(COMMANDS))}, found {topic.code}")
        try:
            return decode(model, payload, str(topic))
        except BridgeError as err:
            raise RefusedError(str(err)) from err

    def _check_life(self, where: str, message: CommandMessage) -> None:
        life_ms = message.expires_ms - message.issued_ms
        if not 0 <= life_ms <= LONGEST_LIFE_MS:
            raise RefusedError(
                f"{where}: expected a life of 0 to {LONGEST_LIFE_MS} ms, found {life_ms}", message.key
            )

    def _check_master(self, where: str, message: CommandMessage, now_ms: int, backup_ms: int) -> None:
        if not self._issuer:
            return
        if message.issuer == self._issuer:
            if message.key <= self._last_key and now_ms - self._obeyed_ms < REPLAY_MS:
                raise RefusedError(
                    f"{where}: duplicate: expected a key above {self._last_key}, found {message.key}",
                    message.key,
                )
        elif backup_ms <= 0 or now_ms - self._obeyed_ms < backup_ms:
            raise RefusedError(
                f"{where}: expected {self._issuer}, who is master, found {message.issuer}", message.key
            )

    def obeyed(self, message: CommandMessage, now_ms: int) -> None:
        """The controller accepted this command: its sender is master from now on."""
        self._issuer, self._last_key, self._obeyed_ms = message.issuer, message.key, now_ms
