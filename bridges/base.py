"""A bridge: how the engine stays with the controllers of a street. It owns behaviour, its subclass owns bytes.

Losing the engine must be safe without the engine acting. A controller falls back by its own timer, which only a
command renews; a command is only sent by a tick that has a fresh status, and nothing here runs beside the tick. A
success is what the next status confirms, not what an answer says. Under local authority the bridge is silent.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import ClassVar, Final, NamedTuple

from greensplit.engine.errors import BridgeError
from greensplit.engine.model.site import Junction

from .approval import objection
from .field import (
    NO_CONTROLS,
    Controls,
    FieldCommand,
    FieldStatus,
    FieldTables,
    ModeRequest,
    Order,
    Remote,
    check_command,
    check_status,
)
from .health import DEFAULT_SETTINGS, BridgeSettings, Device, Health, LinkState, Note
from .model_check import differences
from .standing import holds, is_local

__all__ = [
    "DEFAULT_SETTINGS",
    "Bridge",
    "BridgeSettings",
    "DetectorBits",
    "Health",
    "LinkState",
    "Note",
    "Spoken",
]

MOST_NOTES: Final = 1000
QUIET_MS: Final = 60_000
"""So long nobody else has written before another master is told of again."""


class Spoken(StrEnum):
    """How a stage is said to a controller."""

    STAGE = "stage"
    MASKS = "masks"


class DetectorBits(NamedTuple):
    """A fast look at the detectors of one controller: masks."""

    t_ms: int
    on: int
    alarm: int


class Bridge(ABC):
    """Connects, reads, writes, tells its health. Devices are positions in ``junctions``; the clock is handed in.

    Subclasses fill the five methods at the end; each blocks for at most ``settings.timeout_ms``. Where time goes on
    while a tick hangs, ``clock`` tells it: what was decided upon a status that has become old meanwhile is withheld.
    """

    spoken: ClassVar[tuple[Spoken, ...]] = (Spoken.MASKS,)
    """How the protocol can say a stage, the best first."""

    def __init__(self, junctions: Sequence[Junction], settings: BridgeSettings = DEFAULT_SETTINGS) -> None:
        self.junctions = tuple(junctions)
        self.settings = settings
        self.notes: deque[Note] = deque(maxlen=MOST_NOTES)
        self.clock: Callable[[], int] | None = None
        self._devices = [Device(Health()) for _ in self.junctions]
        self._key = 0

    def health(self, device: int) -> Health:
        """A copy of how it stands with one controller."""
        return replace(self._devices[device].health)

    def status(self, device: int, now_ms: int) -> FieldStatus | None:
        """The last status, unless it is too old to be acted upon."""
        known = self._devices[device]
        is_fresh = known.status is not None and now_ms - known.heard_ms < self.settings.fresh_ms
        return known.status if is_fresh else None

    def read(self, now_ms: int) -> None:
        """Connect to whom it is time to, and look at all who are connected."""
        self._connect(now_ms)
        connected = self._connected()
        for d, answer in self._answers(self.poll_devices(connected, now_ms), connected):
            self._take(d, answer, now_ms)
        for d in connected:
            silent_ms = now_ms - self._devices[d].heard_ms
            if silent_ms >= self.settings.fresh_ms:
                self._drop(d, now_ms, f"expected a status every {self.settings.fresh_ms} ms, found none")

    def sample(self, now_ms: int) -> list[tuple[int, DetectorBits]]:
        """A fast look at the detectors of all who are connected; of those who do not answer nothing."""
        connected = self._connected()
        found = []
        for d, bits in self._answers(self.sample_devices(connected, now_ms), connected):
            if isinstance(bits, DetectorBits) and not (bits.on | bits.alarm) >> len(
                self.junctions[d].detectors
            ):
                found.append((d, bits))
        return found

    def may_control(self, device: int, now_ms: int) -> bool:
        """Is the controller the one that the model describes, heard of lately, and under nobody's local authority?"""
        known, status = self._devices[device], self.status(device, now_ms)
        return known.health.state is LinkState.UP and status is not None and not is_local(status)

    def write(self, orders: Mapping[int, Order], now_ms: int) -> None:
        """Send what is due of a tick's orders; each renews the backup timer of its controller.

        The caller has decided upon a fresh status and has had every order checked. What must not be sent is withheld
        and counted: stale status, local authority, monitor only, an order that is not of this junction.
        """
        if self.clock is not None:
            now_ms = max(now_ms, self.clock())
        commands = []
        for d, order in orders.items():
            if not self.may_control(d, now_ms):
                self._devices[d].health.withheld += 1
            elif self._is_due(d, order, now_ms):
                commands.append((d, self._command(order, now_ms)))
        checked = [(d, command) for d, command in commands if self._is_sound(d, command, now_ms)]
        if not checked:
            return
        sent = dict(checked)
        unanswered = set(sent)
        for d, answer in self._answers(self.send_commands(checked, now_ms), sent):
            unanswered.discard(d)
            if isinstance(answer, BridgeError):
                self._fail(d, now_ms, str(answer))
                self._devices[d].sent = None
            elif answer is None:
                self._note_sent(d, sent[d], now_ms)
        for d in unanswered:
            self._devices[d].sent = None

    def release(self, now_ms: int) -> None:
        """Give every junction back. A courtesy: controllers that do not hear it fall back by their own timers."""
        self.write({d: ModeRequest(Remote.LOCAL) for d in self._connected()}, now_ms)

    def close(self) -> None:
        """Let go of all controllers."""
        for d in self._connected():
            self.close_device(d)
            self._devices[d] = Device(Health(why="closed"))

    def _connected(self) -> list[int]:
        return [d for d, device in enumerate(self._devices) if device.health.state is not LinkState.DOWN]

    def _answers(
        self, answers: Iterable[tuple[int, object]], asked: Iterable[int]
    ) -> Iterator[tuple[int, object]]:
        """Answers of devices that were asked, the first of each."""
        waiting = set(asked)
        for d, answer in answers:
            if d in waiting:
                waiting.discard(d)
                yield d, answer

    def _connect(self, now_ms: int) -> None:
        """All who are due at once. Those who were never reached are waited for; they hold nobody up later."""
        due = [
            d
            for d, device in enumerate(self._devices)
            if device.health.state is LinkState.DOWN and (device.is_opening or now_ms >= device.retry_ms)
        ]
        if not due:
            return
        for d, answer in self._answers(self.open_devices(due, self._patience_ms(due)), due):
            self._devices[d].is_opening = False
            if isinstance(answer, FieldTables):
                self._welcome(d, answer, now_ms)
            else:
                self._retry_later(self._devices[d], now_ms)
                self._tell(d, now_ms, f"could not connect: {answer}")

    def _patience_ms(self, due: Sequence[int]) -> int:
        """How long a tick waits for controllers that are to be reached; not again for those on their way."""
        new = [self._devices[d] for d in due if not self._devices[d].is_opening]
        for device in new:
            device.is_opening = True
        if not new:
            return 0
        is_first = any(device.backoff_ms == 0 for device in new)
        return self.settings.first_open_ms if is_first else self.settings.later_open_ms

    def _welcome(self, d: int, tables: FieldTables, now_ms: int) -> None:
        device, junction, approved = self._devices[d], self.junctions[d], self.settings.approved
        found = next(differences(tables, junction, self.settings.longest_backup_ms), "")
        if not found and approved is not None:
            found = objection(junction, tables, approved)
        device.health.state = LinkState.MONITOR_ONLY if found else LinkState.UP
        device.health.connections += 1
        device.heard_ms, device.status, device.sent = now_ms, None, None
        device.is_confirmed, device.orders = True, ()
        self._tell(d, now_ms, found)

    def _retry_later(self, device: Device, now_ms: int) -> None:
        """Double the wait with every failure; the first status ends the doubling."""
        longer_ms = 2 * device.backoff_ms or self.settings.first_retry_ms
        device.backoff_ms = min(longer_ms, self.settings.last_retry_ms)
        device.retry_ms = now_ms + device.backoff_ms

    def _take(self, d: int, answer: object, now_ms: int) -> None:
        """A status counts from its own time: one that is told again makes nothing fresh, an earlier one nothing."""
        device = self._devices[d]
        try:
            status = self._checked(d, answer, now_ms)
        except BridgeError as err:
            self._fail(d, now_ms, str(err))
            return
        device.health.polls += 1
        if device.status is not None and status.t_ms < device.status.t_ms:
            return
        if device.status is None or status.t_ms > device.status.t_ms:
            device.heard_ms = min(status.t_ms, now_ms)
            device.backoff_ms = 0
        device.status = status
        self._note_authority(d, status, now_ms)
        self._confirm(d, status, now_ms)

    def _checked(self, d: int, answer: object, now_ms: int) -> FieldStatus:
        if not isinstance(answer, FieldStatus):
            raise BridgeError(str(answer))
        status, fresh_ms = check_status(answer, self.junctions[d]), self.settings.fresh_ms
        if abs(now_ms - status.t_ms) >= fresh_ms:
            raise BridgeError(
                f"junction {self.junctions[d].id}: expected a status of the last {fresh_ms} ms, "
                f"found one of {status.t_ms} ms at {now_ms} ms"
            )
        return status

    def _fail(self, d: int, now_ms: int, why: str) -> None:
        self._devices[d].health.failures += 1
        self._note(d, now_ms, why)

    def _note(self, d: int, now_ms: int, text: str) -> None:
        self.notes.append(Note(now_ms, self.junctions[d].id, text))

    def _drop(self, d: int, now_ms: int, why: str) -> None:
        device = self._devices[d]
        self.close_device(d)
        device.health.state = LinkState.DOWN
        device.status = device.sent = None
        self._retry_later(device, now_ms)
        self._tell(d, now_ms, why)

    def _tell(self, d: int, now_ms: int, why: str) -> None:
        """Note a change of what is wrong, once."""
        health = self._devices[d].health
        if why != health.why:
            health.why = why
            self._note(d, now_ms, why or "connected")

    def _note_authority(self, d: int, status: FieldStatus, now_ms: int) -> None:
        """Withdraw under local authority, and begin anew after it."""
        device = self._devices[d]
        local = is_local(status)
        if local != device.was_local:
            device.was_local, device.sent = local, None
            self._note(d, now_ms, "local authority" if local else "local authority has ended")

    def _confirm(self, d: int, status: FieldStatus, now_ms: int) -> None:
        """Does the controller hold what it was told? Where it does not tell, nobody knows."""
        device, controls = self._devices[d], status.controls
        if device.sent is None or controls is None or status.t_ms < device.changed_ms:
            return
        if holds(controls, device.sent.order):
            device.is_confirmed = True
        elif device.is_confirmed or now_ms - device.changed_ms >= self.settings.confirm_ms:
            self._note_loss(d, device.sent.order, controls, now_ms)

    def _note_loss(self, d: int, order: Order, controls: Controls, now_ms: int) -> None:
        """It does not hold what it was told, and for long or no longer. What is wanted now is told anew, at once.

        It let go of all; or it kept to the order before; or somebody else writes.
        """
        device = self._devices[d]
        device.sent = None
        told = f"expected {order} to be held, found {controls}"
        if controls != NO_CONTROLS and not any(holds(controls, ours) for ours in device.orders):
            is_news = not device.health.overruled or now_ms - device.overruled_ms >= QUIET_MS
            device.health.overruled += 1
            device.overruled_ms = now_ms
            if is_news:
                self._note(d, now_ms, f"another master writes: {told}")
        elif not device.is_confirmed:
            device.health.unconfirmed += 1
            self._note(d, now_ms, told)

    def _is_due(self, d: int, order: Order, now_ms: int) -> bool:
        device = self._devices[d]
        if device.sent is None:
            return True
        if order != device.sent.order:
            return now_ms - device.changed_ms >= self.settings.gap_ms
        return now_ms - device.sent.issued_ms >= self.settings.renew_ms

    def _command(self, order: Order, now_ms: int) -> FieldCommand:
        self._key += 1
        return FieldCommand(now_ms, now_ms + self.settings.ttl_ms, order, self._key)

    def _is_sound(self, d: int, command: FieldCommand, now_ms: int) -> bool:
        try:
            check_command(command, self.junctions[d])
        except BridgeError as err:
            self._devices[d].health.withheld += 1
            self._fail(d, now_ms, str(err))
            return False
        return True

    def _note_sent(self, d: int, command: FieldCommand, now_ms: int) -> None:
        device = self._devices[d]
        if device.sent is None or device.sent.order != command.order:
            device.changed_ms = now_ms
            device.is_confirmed = False
        if device.orders[-1:] != (command.order,):
            device.orders = (*device.orders[-1:], command.order)
        device.sent = command
        device.health.commands += 1

    @abstractmethod
    def open_device(self, device: int) -> FieldTables:
        """Reach a controller and read what it says of itself. Raises BridgeError."""

    def open_devices(
        self, devices: Sequence[int], _patience_ms: int
    ) -> Iterable[tuple[int, FieldTables | BridgeError]]:
        """Reach controllers, one after the other; bridges that can reach all at once do so.

        One that has not been reached within ``_patience_ms`` may be missing from the answers: it is asked for again
        at the next tick, until it is among them.
        """
        for d in devices:
            try:
                yield d, self.open_device(d)
            except BridgeError as err:
                yield d, err

    @abstractmethod
    def close_device(self, device: int) -> None:
        """Let go of a controller. Never raises."""

    @abstractmethod
    def poll_devices(
        self, devices: Sequence[int], now_ms: int
    ) -> Iterable[tuple[int, FieldStatus | BridgeError]]:
        """Look at controllers, all at once; one that is missing from the answers was silent."""

    def sample_devices(
        self, devices: Sequence[int], now_ms: int
    ) -> Iterable[tuple[int, DetectorBits | BridgeError]]:
        """Look at their detectors only, as fast as the protocol can."""
        for d, answer in self.poll_devices(devices, now_ms):
            if isinstance(answer, FieldStatus):
                yield d, DetectorBits(answer.t_ms, answer.detector_on, answer.detector_alarm)
            else:
                yield d, answer

    @abstractmethod
    def send_commands(
        self, commands: Sequence[tuple[int, FieldCommand]], now_ms: int
    ) -> Iterable[tuple[int, BridgeError | None]]:
        """Send one command each, all at once; None for each that was answered with success."""
