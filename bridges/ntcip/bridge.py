"""The bridge to NTCIP 1202 controllers: bytes by SNMP, behaviour by the base.

Options: ``profile`` (of ``profiles``), ``community`` (one that may write), ``version`` (1, 2c, 3), ``user``, ``auth``,
``priv``, ``hash`` (v3, sha256). An address is ``host`` or ``host:port``.

A stage is asked for by whole masks: hold and call its groups, omit all others, force off greens that are not in it.

Detection is what ``reconstruct`` makes of active bits, which ``sample_devices`` asks for some times a second, and of
volume and occupancy, which are read when their sequence number has changed. Lost are the moment of a change within two
polls where occupancy does not settle it, the moment and length of each of several pulses that no poll saw, and what
was counted in a period whose report never came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

from greensplit.engine.errors import BridgeError, InputError
from greensplit.engine.model.aspects import GREEN
from greensplit.engine.model.site import Junction

from ..base import DEFAULT_SETTINGS, Bridge, BridgeSettings, DetectorBits
from ..field import (
    FLASH_PATTERN,
    STANDBY_PATTERN,
    FieldCommand,
    FieldStatus,
    FieldTables,
    Masks,
    ModeRequest,
    Order,
    PatternRequest,
    Periods,
    PreemptRequest,
    Remote,
    StageRequest,
)
from .layout import CONTROLS, layout_of, to_octets
from .manager import Device, Manager, Values
from .objects import Instance, Value, instance
from .options import chosen_options
from .profiles import PROFILES
from .status import Reader
from .transport import Community, Peer, SnmpTransport, User

__all__ = ["NtcipBridge", "make"]

NO_MASKS: Final = Masks()
SEQUENCE: Final = "volumeOccupancySequence"


@dataclass(slots=True)
class _Line:
    """One controller: where it is, what its objects mean, what it was told and said last."""

    device: Device
    reader: Reader
    told: Masks = NO_MASKS
    green: int = 0
    periods: Periods | None = None
    cycles_s: tuple[int, ...] = ()
    config_id: int | None = None
    drifts: int = 0
    missed_periods: int = 0


class NtcipBridge(Bridge):
    """Controllers at ``devices``, in the order of the junctions."""

    def __init__(
        self,
        junctions: Sequence[Junction],
        devices: Sequence[Device],
        transport: SnmpTransport,
        settings: BridgeSettings = DEFAULT_SETTINGS,
    ) -> None:
        """ModelError for junctions whose groups cannot be numbered."""
        super().__init__(junctions, settings)
        self.manager = Manager(transport)
        self.lines = tuple(
            _Line(device, Reader(layout_of(junction)))
            for junction, device in zip(self.junctions, devices, strict=True)
        )

    def open_device(self, device: int) -> FieldTables:
        """Read limits, timings, concurrency, cycle times and the backup time."""
        ((_, answer),) = self.open_devices([device], self.settings.timeout_ms)
        if isinstance(answer, BridgeError):
            raise answer
        return answer

    def open_devices(
        self, devices: Sequence[int], _patience_ms: int
    ) -> Iterator[tuple[int, FieldTables | BridgeError]]:
        """Ask all at the same time: those who do not answer cost one time-out together."""
        wanted = {}
        for d in devices:
            reader = self.lines[d].reader
            wanted[d] = (self.lines[d].device, reader.table_objects + reader.cycle_objects)
        for d, values in self.manager.read(wanted, self.settings.timeout_ms).items():
            yield d, values if isinstance(values, BridgeError) else self._tables(self.lines[d], values)

    def _tables(self, line: _Line, values: Values) -> FieldTables | BridgeError:
        line.cycles_s = tuple(cast(int, values[what]) for what in line.reader.cycle_objects)
        line.told, line.periods, line.config_id = NO_MASKS, None, None
        try:
            return line.reader.tables(values)
        except BridgeError as err:
            return BridgeError(f"{line.device.label}: {err}")

    def close_device(self, device: int) -> None:
        """Nothing is kept open with a device."""

    def close(self) -> None:
        """Let go of all, and of the sockets."""
        super().close()
        self.manager.transport.close()

    def poll_devices(
        self, devices: Sequence[int], now_ms: int
    ) -> Iterator[tuple[int, FieldStatus | BridgeError]]:
        """Their status, and where a period has ended, its volumes and occupancies."""
        wanted = {d: (self.lines[d].device, self.lines[d].reader.status_objects) for d in devices}
        found = self.manager.read(wanted, self.settings.timeout_ms)
        self._read_periods(found)
        for d, values in found.items():
            if isinstance(values, BridgeError):
                yield d, values
            else:
                yield d, self._status(d, values, now_ms)

    def _status(self, d: int, values: Values, now_ms: int) -> FieldStatus | BridgeError:
        line = self.lines[d]
        try:
            status = line.reader.status(values, now_ms, line.periods, line.cycles_s, line.told)
        except BridgeError as err:
            return BridgeError(f"{line.device.label}: {err}")
        line.green = sum((aspect == GREEN) << g for g, aspect in enumerate(status.aspects))
        if line.config_id is not None and status.config_id != line.config_id:
            line.drifts += 1
        line.config_id = status.config_id
        return status

    def _read_periods(self, found: Mapping[int, Values | BridgeError]) -> None:
        """Where the sequence number is new."""
        wanted: dict[int, tuple[Device, Sequence[Instance]]] = {}
        for d, values in found.items():
            line = self.lines[d]
            if isinstance(values, BridgeError) or not line.reader.layout.vehicle_detectors:
                continue
            if line.periods is None or values[instance(SEQUENCE)] != line.periods.sequence:
                wanted[d] = (line.device, line.reader.period_objects)
        for d, answer in self.manager.read(wanted, self.settings.timeout_ms).items():
            values = found[d]
            if not isinstance(answer, BridgeError) and not isinstance(values, BridgeError):
                self._take_periods(self.lines[d], answer, cast(int, answer[instance(SEQUENCE)]))

    def _take_periods(self, line: _Line, answer: Values, sequence: int) -> None:
        periods = line.reader.periods(answer, sequence)
        if periods is not None:
            if line.periods is not None:
                line.missed_periods += (sequence - line.periods.sequence - 1) % 256
            line.periods = periods

    def sample_devices(
        self, devices: Sequence[int], now_ms: int
    ) -> Iterator[tuple[int, DetectorBits | BridgeError]]:
        """Active bits only."""
        wanted = {d: (self.lines[d].device, self.lines[d].reader.detector_objects) for d in devices}
        for d, values in self.manager.read(wanted, self.settings.timeout_ms).items():
            if isinstance(values, BridgeError):
                yield d, values
            else:
                yield d, DetectorBits(now_ms, *self.lines[d].reader.detectors(values))

    def send_commands(
        self, commands: Sequence[tuple[int, FieldCommand]], now_ms: int
    ) -> Iterator[tuple[int, BridgeError | None]]:
        """Whole masks, pattern and offset, preempts. Expired commands are not sent."""
        wanted: dict[int, tuple[Device, Sequence[tuple[Instance, Value]]]] = {}
        for d, command in commands:
            if command.expires_ms < now_ms:
                yield d, BridgeError(f"expected to send before {command.expires_ms} ms, it is {now_ms} ms")
                continue
            try:
                wanted[d] = (self.lines[d].device, self._objects(self.lines[d], command.order))
            except BridgeError as err:
                yield d, err
        for d, answer in self.manager.write(wanted, self.settings.timeout_ms).items():
            yield d, answer if isinstance(answer, BridgeError) else None

    def _objects(self, line: _Line, order: Order) -> list[tuple[Instance, Value]]:
        """What a command writes. Raises BridgeError for what the protocol has no object for."""
        match order:
            case Masks():
                return self._mask_objects(line, order)
            case StageRequest(stage):
                return self._mask_objects(line, line.reader.layout.stage_masks(stage, line.green))
            case PatternRequest(pattern, sync_s):
                return _pattern_objects(pattern, sync_s)
            case PreemptRequest(inputs):
                return _preempt_objects(line.reader.junction, inputs)
            case ModeRequest(Remote.FLASH):
                return _pattern_objects(FLASH_PATTERN, 255)
            case ModeRequest(Remote.LOCAL):
                return [
                    *self._mask_objects(line, NO_MASKS),
                    *_preempt_objects(line.reader.junction, 0),
                    (instance("systemPatternControl"), STANDBY_PATTERN),
                ]
            case _:
                raise BridgeError("NTCIP 1202 has no object to ask for all red")

    def _mask_objects(self, line: _Line, masks: Masks) -> list[tuple[Instance, Value]]:
        line.told = masks
        layout = line.reader.layout
        words = layout.controls(masks)
        return [
            (instance(name, row), octet)
            for name in CONTROLS
            for row, octet in enumerate(to_octets(words[name], layout.phase_rows), start=1)
        ]


def _pattern_objects(pattern: int, sync_s: int) -> list[tuple[Instance, Value]]:
    return [(instance("systemPatternControl"), pattern), (instance("systemSyncControl"), sync_s)]


def _preempt_objects(junction: Junction, inputs: int) -> list[tuple[Instance, Value]]:
    numbers = (preempt.number for preempt in junction.preempts)
    return [(instance("preemptControlState", number), inputs >> number - 1 & 1) for number in numbers]


def make(
    junctions: Sequence[Junction],
    addresses: Mapping[str, str],
    options: Mapping[str, str],
    settings: BridgeSettings = DEFAULT_SETTINGS,
) -> NtcipBridge:
    """The entry point ``ntcip`` of ``greensplit.bridges``. InputError for options or addresses that are wrong."""
    from .snmp_library import SnmpLibrary

    chosen = chosen_options(options, "bridge ntcip")
    devices = [_device(junction.id, addresses, chosen) for junction in junctions]
    return NtcipBridge(junctions, devices, SnmpLibrary(), settings)


def _device(name: str, addresses: Mapping[str, str], chosen: Mapping[str, str]) -> Device:
    if name not in addresses:
        raise InputError(f"bridge ntcip: junction {name}: expected an address, found none")
    profile = PROFILES[chosen["profile"]]
    host, _, port = addresses[name].partition(":")
    if port and not (port.isdecimal() and 1 <= int(port) <= 65535):
        raise InputError(f"bridge ntcip: junction {name}: expected host:port, found {addresses[name]}")
    return Device(Peer(host, int(port) if port else profile.port, _access(chosen)), profile)


def _access(chosen: Mapping[str, str]) -> Community | User:
    if chosen["version"] == "3":
        return User(chosen["user"], chosen["auth"], chosen["priv"], cast("Literal['sha256']", chosen["hash"]))
    return Community(chosen["community"], cast("Literal['1', '2c']", chosen["version"]))
