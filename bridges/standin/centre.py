"""What a centre has said to a controller, which of it was taken, and for how long it counts.

Every accepted command restarts the backup timer; when it runs out, all that the centre said is forgotten.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from greensplit.engine.errors import BridgeError
from greensplit.engine.model.site import Junction

from ..field import (
    FLASH_PATTERN,
    NO_CONTROLS,
    FieldCommand,
    Masks,
    ModeRequest,
    PatternRequest,
    PreemptRequest,
    Remote,
    StageRequest,
    Verdict,
    check_command,
)

__all__ = ["Centre"]

EARLIEST_MS: Final = 2000  # a command from further ahead shows a wrong clock


class Centre:
    """The centre as one controller knows it. ``refusals`` outlast a loss of power, all else does not."""

    def __init__(self, junction: Junction) -> None:
        self.refusals: dict[Verdict, int] = {}
        self._junction = junction
        self.forget()

    def forget(self) -> None:
        """As after power: nobody has ever written."""
        self.controls = NO_CONTROLS
        self.has_fallen_back = False
        self._written_ms: int | None = None
        self._last_issued_ms: int | None = None
        self._last_key = 0

    @property
    def is_heard(self) -> bool:
        """Has anything been written since the timer last ran out?"""
        return self._written_ms is not None

    @property
    def wants_flash(self) -> bool:
        """Is flash among what it said?"""
        return self.controls.remote is Remote.FLASH or self.controls.pattern == FLASH_PATTERN

    def take(self, command: FieldCommand, now_ms: int) -> Verdict:
        """Obey a command that arrives at ``now_ms``, or say why not."""
        verdict = self._verdict(command, now_ms)
        if verdict is not Verdict.ACCEPTED:
            self.refusals[verdict] = self.refusals.get(verdict, 0) + 1
            return verdict
        self._last_issued_ms, self._last_key = command.issued_ms, command.key
        self.touch(now_ms)
        self._obey(command)
        return verdict

    def touch(self, now_ms: int) -> None:
        """Restart the backup timer."""
        self._written_ms = now_ms
        self.has_fallen_back = False

    def runs_out(self, now_ms: int, backup_ms: int) -> bool:
        """Let the backup timer run up to ``now_ms``; does it end now? ``backup_ms`` 0 never ends."""
        if self._written_ms is None or backup_ms <= 0 or now_ms - self._written_ms < backup_ms:
            return False
        self.controls = NO_CONTROLS
        self._written_ms = None
        self.has_fallen_back = True
        return True

    def end_force_offs(self, green: int) -> None:
        """A group that was forced off and is no longer in ``green`` has been: it may come back."""
        masks = self.controls.masks
        if masks.force_off & ~green:
            self.controls = replace(self.controls, masks=replace(masks, force_off=masks.force_off & green))

    def _verdict(self, command: FieldCommand, now_ms: int) -> Verdict:
        try:
            check_command(command, self._junction)
        except BridgeError:
            return Verdict.OUT_OF_RANGE
        if command.issued_ms > now_ms + EARLIEST_MS:
            return Verdict.EARLY
        if command.expires_ms < now_ms:
            return Verdict.LATE
        if self._last_issued_ms is not None:
            if command.key and (command.key, command.issued_ms) == (self._last_key, self._last_issued_ms):
                return Verdict.DUPLICATE
            if command.issued_ms < self._last_issued_ms:
                return Verdict.STALE
        return Verdict.ACCEPTED

    def _obey(self, command: FieldCommand) -> None:
        match command.order:
            case Masks() as masks:
                self.controls = replace(self.controls, masks=masks, stage=-1)
            case StageRequest(stage):
                self.controls = replace(self.controls, masks=Masks(), stage=stage)
            case PatternRequest(pattern):
                self.controls = replace(self.controls, pattern=pattern, stage=-1)
            case PreemptRequest(inputs):
                self.controls = replace(self.controls, preempt=inputs)
            case ModeRequest(Remote.LOCAL):
                self.controls = NO_CONTROLS
            case ModeRequest(remote):
                self.controls = replace(self.controls, remote=remote)
