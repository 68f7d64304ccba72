"""The bridge over GB/T 20999-2017: orders as stage, plan and mode of the central control table.

A stage is held by mode 0x15 and 17.1.2; a plan by 17.1.3; flash and all red go down the command pipe. Group masks,
preempts by the centre and a cycle position have no words in the protocol: such an order is refused here, in one line.
A heartbeat goes out with each command, and with no other tick: it may keep a controller from falling back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Final, TypeVar

from greensplit.bridges.base import DEFAULT_SETTINGS, Bridge, BridgeSettings, DetectorBits, Spoken
from greensplit.bridges.field import (
    FREE_PATTERN,
    STANDBY_PATTERN,
    FieldCommand,
    FieldStatus,
    FieldTables,
    ModeRequest,
    Order,
    PatternRequest,
    Remote,
    StageRequest,
)
from greensplit.engine.errors import BridgeError, InputError
from greensplit.engine.model.site import Junction

from .catalogue import Value
from .codes import Command, RunMode
from .errors import NoAnswerError, ValueRefusedError
from .frame import Address
from .host import Host
from .link import open_link
from .probe import probe
from .profile import Profile, profile_from
from .status import MOST_ROWS, Told, detector_addresses, detector_mask, read_status, read_tables

__all__ = ["GbtBridge", "make"]

MOST_THREADS: Final = 64
MOST_OPENERS: Final = 16
PIPE: Final = Address(18, 1)
MOST_PLANS: Final = 128
COMMAND_OF: Final = {Remote.FLASH: Command.FLASH, Remote.ALL_RED: Command.ALL_RED}

Answer = TypeVar("Answer")


class GbtBridge(Bridge):
    """One link per junction, to ``udp:HOST:PORT`` or ``tcp:HOST:PORT``; waits for all devices at once."""

    spoken = (Spoken.STAGE,)

    def __init__(
        self,
        junctions: Sequence[Junction],
        addresses: Mapping[str, str],
        profile: Profile,
        settings: BridgeSettings = DEFAULT_SETTINGS,
    ) -> None:
        super().__init__(junctions, settings)
        missing = [junction.id for junction in junctions if junction.id not in addresses]
        if missing:
            raise InputError(f"addresses: expected one for junction {missing[0]}, found none")
        self._addresses = [addresses[junction.id] for junction in junctions]
        self._profile = profile
        self._hosts: list[Host | None] = [None] * len(self.junctions)
        self._told = [Told() for _ in self.junctions]
        self._threads = ThreadPoolExecutor(min(MOST_THREADS, max(1, len(self.junctions))), "gbt20999")
        self._openers = ThreadPoolExecutor(min(MOST_OPENERS, max(1, len(self.junctions))), "gbt20999-open")
        self._opening: dict[int, Future[FieldTables]] = {}

    def close(self) -> None:
        """See ``Bridge``. Those on their way are awaited, and let go of."""
        super().close()
        self._threads.shutdown()
        self._openers.shutdown(cancel_futures=True)
        for device in range(len(self.junctions)):
            self.close_device(device)

    def open_devices(
        self, devices: Sequence[int], patience_ms: int
    ) -> Iterator[tuple[int, FieldTables | BridgeError]]:
        """See ``Bridge``: each in a thread, so that one that answers slowly or never delays no other."""
        for d in devices:
            if d not in self._opening:
                self._opening[d] = self._openers.submit(self.open_device, d)
        wait([self._opening[d] for d in devices], patience_ms / 1000)
        for d in devices:
            if self._opening[d].done():
                yield d, _result(self._opening.pop(d))

    def open_device(self, device: int) -> FieldTables:
        """See ``Bridge``: find out what kind of device answers, and read its tables; a link that is open ends."""
        self.close_device(device)
        timeout_s = self.settings.timeout_ms / 1000
        host = Host(open_link(self._addresses[device], timeout_s), self._profile, timeout_s)
        try:
            probe(host)
            tables = read_tables(host, self.junctions[device])
        except BridgeError:
            host.link.close()
            raise
        self._hosts[device] = host
        return tables

    def close_device(self, device: int) -> None:
        """See ``Bridge``."""
        host, self._hosts[device] = self._hosts[device], None
        if host is not None:
            host.link.close()

    def host(self, device: int) -> Host:
        """The dialogue with one controller, for what the bridge does not do by itself: plans, alarms, the clock."""
        host = self._hosts[device]
        if host is None:
            raise NoAnswerError("not connected")
        return host

    def poll_devices(
        self, devices: Sequence[int], now_ms: int
    ) -> Iterator[tuple[int, FieldStatus | BridgeError]]:
        """See ``Bridge``."""
        return self._all(
            devices, lambda d: read_status(self.host(d), self.junctions[d], self._told[d], now_ms)
        )

    def sample_devices(
        self, devices: Sequence[int], now_ms: int
    ) -> Iterator[tuple[int, DetectorBits | BridgeError]]:
        """See ``Bridge``: one bitmap of who is occupied, one of who is at fault."""
        return self._all(devices, lambda d: self._sample(d, now_ms))

    def send_commands(
        self, commands: Sequence[tuple[int, FieldCommand]], now_ms: int
    ) -> Iterator[tuple[int, BridgeError | None]]:
        """See ``Bridge``."""
        orders = {d: command.order for d, command in commands if command.expires_ms >= now_ms}
        return self._all(list(orders), lambda d: self._send(d, orders[d]))

    def _sample(self, device: int, now_ms: int) -> DetectorBits:
        junction = self.junctions[device]
        values = self.host(device).get(detector_addresses(junction))
        return DetectorBits(now_ms, *detector_mask(values, junction))

    def _send(self, device: int, order: Order) -> None:
        host, told = self.host(device), self._told[device]
        host.set(central_values(order, host.profile))
        released = order == ModeRequest(Remote.LOCAL)
        told.is_controlled = not released
        if isinstance(order, ModeRequest):
            told.remote = order.remote
        if not released:
            host.heartbeat()

    def _all(
        self, devices: Sequence[int], ask: Callable[[int], Answer]
    ) -> Iterator[tuple[int, Answer | BridgeError]]:
        """Answers of all devices, asked at the same time."""

        def attempt(device: int) -> Answer | BridgeError:
            try:
                return ask(device)
            except BridgeError as err:
                return err

        answers: Iterable[Answer | BridgeError]
        answers = map(attempt, devices) if len(devices) < 2 else self._threads.map(attempt, devices)
        return zip(devices, answers, strict=True)


def _result(opened: Future[FieldTables]) -> FieldTables | BridgeError:
    try:
        return opened.result()
    except BridgeError as err:
        return err


def central_values(order: Order, profile: Profile) -> dict[Address, Value]:
    """What to set for an order. ValueRefusedError where the protocol has no words for it."""
    stage_at, plan_at, mode_at = (Address(17, 1, attribute, profile.row) for attribute in (2, 3, 4))
    match order:
        case StageRequest(stage) if stage < MOST_ROWS:
            return {stage_at: stage + 1, mode_at: int(RunMode.CENTRE_MANUAL)}
        case PatternRequest(pattern) if 1 <= pattern <= MOST_PLANS:
            return {plan_at: pattern, mode_at: profile.plan_mode}
        case PatternRequest(pattern) if pattern in (STANDBY_PATTERN, FREE_PATTERN):
            return {mode_at: profile.release_mode}
        case ModeRequest(Remote.LOCAL):
            return {mode_at: profile.release_mode, PIPE: _pipe(Command.CANCEL)}
        case ModeRequest(remote):
            return {PIPE: _pipe(COMMAND_OF[remote])}
    raise ValueRefusedError(
        f"GB/T 20999: expected a stage up to {MOST_ROWS}, a plan or a mode, found {order}"
    )


def _pipe(command: Command) -> tuple[int, ...]:
    return (int(command),) + (0,) * 15


def make(
    junctions: Sequence[Junction],
    addresses: Mapping[str, str],
    options: Mapping[str, str],
    settings: BridgeSettings,
) -> GbtBridge:
    """The bridge, for the entry point. Options: those of ``profile_from``."""
    return GbtBridge(junctions, addresses, profile_from(options), settings)
