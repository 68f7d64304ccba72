"""Read and write objects of many devices at once, each after its profile; every value that comes in is checked.

A request that a device finds too big is halved, and the device remembered as one that takes no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Final, Literal

from greensplit.engine.errors import BridgeError

from .objects import Instance, Syntax, Value, check_value, type_at
from .profiles import PROFILES, Profile
from .transport import Failure, Peer, Request, SnmpTransport, Typed

__all__ = ["Device", "Manager", "Values"]

Values = dict[Instance, Value]
TOO_BIG: Final = "tooBig"


@dataclass(slots=True)
class Device:
    """An agent, its peculiarities, and what it was found to take."""

    peer: Peer
    profile: Profile = PROFILES["standard"]
    max_varbinds: int = 0

    def __post_init__(self) -> None:
        """Begin with what the profile promises."""
        self.max_varbinds = self.max_varbinds or self.profile.max_varbinds

    @property
    def label(self) -> str:
        """For messages."""
        return f"{self.peer.host}:{self.peer.port}"


@dataclass(slots=True)
class _Part:
    """Objects that go into one request."""

    key: int
    device: Device
    items: Sequence[tuple[Instance, Value | None]]


class Manager:
    """Asks and tells through a transport. To be used by one thread at a time."""

    def __init__(self, transport: SnmpTransport) -> None:
        self.transport = transport

    def read(
        self, wanted: Mapping[int, tuple[Device, Sequence[Instance]]], timeout_ms: int
    ) -> dict[int, Values | BridgeError]:
        """The objects of each device, by the keys of ``wanted``; one error per device that gave not all of them."""
        items = {key: (device, [(what, None) for what in whats]) for key, (device, whats) in wanted.items()}
        return self._run("get", items, timeout_ms)

    def write(
        self, wanted: Mapping[int, tuple[Device, Sequence[tuple[Instance, Value]]]], timeout_ms: int
    ) -> dict[int, Values | BridgeError]:
        """Set objects in their order; in one request, all or none, where the device takes as many."""
        for _, items in wanted.values():
            for what, value in items:
                check_value(what, value)
        return self._run("set", wanted, timeout_ms)

    def _run(
        self,
        verb: Literal["get", "set"],
        wanted: Mapping[int, tuple[Device, Sequence[tuple[Instance, Value | None]]]],
        timeout_ms: int,
    ) -> dict[int, Values | BridgeError]:
        found: dict[int, Values | BridgeError] = {key: {} for key in wanted}
        waiting = [part for key, (device, items) in wanted.items() for part in _parts(key, device, items)]
        ends_s = monotonic() + timeout_ms / 1000
        while waiting:
            left_ms = int(1000 * (ends_s - monotonic()))
            now, waiting = (waiting, []) if verb == "get" else _first_of_each(waiting)
            if left_ms <= 0:
                _fail(now, found, Failure("timeout"))
                continue
            answers = self.transport.exchange([_request(verb, part) for part in now], left_ms)
            for part, answer in zip(now, answers, strict=True):
                waiting = self._settle(part, answer, found) + waiting
            waiting = [part for part in waiting if not isinstance(found[part.key], BridgeError)]
        return found

    def _settle(
        self, part: _Part, answer: tuple[Typed, ...] | Failure, found: dict[int, Values | BridgeError]
    ) -> list[_Part]:
        """Take an answer; what is left to ask."""
        values = found[part.key]
        if isinstance(values, BridgeError):
            return []
        if isinstance(answer, Failure):
            if answer.status == TOO_BIG and len(part.items) > 1:
                part.device.max_varbinds = min(part.device.max_varbinds, len(part.items) // 2)
                return _parts(part.key, part.device, part.items)
            _fail([part], found, answer)
            return []
        try:
            values.update(_values(part, answer))
        except BridgeError as err:
            found[part.key] = err
        return []

    def walk(
        self, device: Device, root: tuple[int, ...], timeout_ms: int
    ) -> Iterable[tuple[Instance, Value]]:
        """All instances below an identifier that the table knows, in the device's order. Raises BridgeError."""
        oid = root
        while True:
            request = Request(device.peer, "next", (Typed(oid, "", None),))
            (answer,) = self.transport.exchange([request], timeout_ms)
            if isinstance(answer, Failure):
                if answer.status == "noSuchName":
                    return
                raise BridgeError(f"{device.label}: after {_dotted(oid)}: {answer.status}")
            found = answer[0]
            if not found.syntax or found.oid[: len(root)] != root:
                return
            if found.oid <= oid:
                raise BridgeError(
                    f"{device.label}: after {_dotted(oid)}: expected a later object, found {_dotted(found.oid)}"
                )
            oid = found.oid
            what = type_at(_standard(oid, device))
            if what is not None and found.value is not None:
                yield what, _checked(device, what, found)


def _parts(key: int, device: Device, items: Sequence[tuple[Instance, Value | None]]) -> list[_Part]:
    step = device.max_varbinds
    return [_Part(key, device, items[first : first + step]) for first in range(0, len(items), step)]


def _first_of_each(parts: list[_Part]) -> tuple[list[_Part], list[_Part]]:
    """What may be under way at once without overtaking, and the rest."""
    seen: set[int] = set()
    now: list[_Part] = []
    later: list[_Part] = []
    for part in parts:
        (later if part.key in seen else now).append(part)
        seen.add(part.key)
    return now, later


def _request(verb: Literal["get", "set"], part: _Part) -> Request:
    varbinds = (Typed(_oid(what, part.device), what.kind.syntax, value) for what, value in part.items)
    return Request(part.device.peer, verb, tuple(varbinds))


def _oid(what: Instance, device: Device) -> tuple[int, ...]:
    return what.kind.oid + (what.row or (device.profile.scalar_suffix,))


def _standard(oid: tuple[int, ...], device: Device) -> tuple[int, ...]:
    """The identifier as a device of no peculiarity would have it."""
    if device.profile.scalar_suffix and oid[-1] == device.profile.scalar_suffix:
        plain = (*oid[:-1], 0)
        if type_at(plain) is not None:
            return plain
    return oid


def _values(part: _Part, answer: tuple[Typed, ...]) -> Values:
    if len(answer) != len(part.items):
        raise BridgeError(f"{part.device.label}: expected {len(part.items)} objects, found {len(answer)}")
    values: Values = {}
    for (what, _), found in zip(part.items, answer, strict=True):
        if found.oid != _oid(what, part.device):
            raise BridgeError(f"{part.device.label}: {what.label}: found the object {_dotted(found.oid)}")
        values[what] = _checked(part.device, what, found)
    return values


def _checked(device: Device, what: Instance, found: Typed) -> Value:
    wanted = what.kind.syntax
    if not found.syntax:
        raise BridgeError(f"{device.label}: {what.label}: there is no such object")
    if found.syntax != wanted and not (wanted is Syntax.COUNTER and found.syntax == Syntax.INTEGER):
        raise BridgeError(f"{device.label}: {what.label}: expected {wanted}, found {found.syntax}")
    try:
        return check_value(what, found.value)
    except BridgeError as err:
        raise BridgeError(f"{device.label}: {err}") from err


def _fail(parts: Iterable[_Part], found: dict[int, Values | BridgeError], failure: Failure) -> None:
    for part in parts:
        if not isinstance(found[part.key], BridgeError):
            at = min(max(failure.position, 1), len(part.items)) - 1
            found[part.key] = BridgeError(f"{part.device.label}: {part.items[at][0].label}: {failure.status}")


def _dotted(oid: tuple[int, ...]) -> str:
    return ".".join(map(str, oid))
