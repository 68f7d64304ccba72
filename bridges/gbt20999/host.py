"""The host's side of the dialogue with one controller: ask, set, read back, heartbeat, reports.

An answer is matched by its type and its addresses first, and by its serial number as the device's profile says. What
is missing is asked for again. A set that was acknowledged has not happened until it is read back.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from .catalogue import Value, check_write, find
from .codes import ERRORS
from .errors import NoAnswerError, RefusedError, ValueRefusedError
from .frame import Address, Frame, Item, Type, items_of
from .link import Link
from .profile import Profile, Serials

__all__ = ["Host", "Refusal"]

MOST_REPORTS: Final = 1000
REPLIES: Final = {
    Type.QUERY: (Type.QUERY_REPLY, Type.QUERY_ERROR),
    Type.SET: (Type.SET_REPLY, Type.SET_ERROR),
}
HEARTBEAT_REPLIES: Final = (Type.HEARTBEAT_REPLY, Type.HEARTBEAT_REPLY_71)
FRAME_BYTES: Final = 17
ITEM_BYTES: Final = 6
LONGEST_ANSWER: Final = 64
"""Bytes of the longest list that is asked for often; texts and day plans are asked for by themselves."""


class Refusal(int):
    """The code with which a controller refused one address."""

    def __str__(self) -> str:
        return ERRORS.get(self, f"unknown code {int(self):02X}")


Raw = dict[Address, bytes | Refusal]


class Host:
    """One controller, over one link. ``reports`` are items that it sent by itself, the oldest first.

    Each call takes at most ``timeout_s``; an answer is waited for ``timeout_s / tries`` before it is asked for again.
    """

    def __init__(self, link: Link, profile: Profile, timeout_s: float = 1.0, tries: int = 8) -> None:
        self.link = link
        self.profile = profile
        self.timeout_s = timeout_s
        self.tries = tries
        self.reports: deque[Item] = deque(maxlen=MOST_REPORTS)
        self.heartbeat_reply: Type | None = None
        self.last_serials = (0, 0)
        self._serial = 0

    def get(self, addresses: Sequence[Address]) -> dict[Address, Value]:
        """Values of all addresses. RefusedError names the first that is refused, NoAnswerError the first missing."""
        raw = self.ask(addresses)
        values = {}
        for address in addresses:
            answer = raw[address]
            if isinstance(answer, Refusal):
                raise RefusedError(f"{address}: expected a value, found: {answer}")
            values[address] = find(address).decode(answer, self.profile.highest_first is not False)
        return values

    def number(self, *address: int) -> int:
        """One number."""
        place = Address(*address)
        value = self.get([place])[place]
        if not isinstance(value, int):
            raise ValueRefusedError(f"{place}: expected an object that is a number, found {value!r}")
        return value

    def ask(self, addresses: Sequence[Address]) -> Raw:
        """Bytes or refusals of all addresses. NoAnswerError where one stays without an answer."""
        return self._exchange(Type.QUERY, [(address, b"") for address in addresses])

    def set(self, values: Mapping[Address, Value]) -> None:
        """Set values; return when they were acknowledged. What may not be written is refused before it is sent."""
        pairs = []
        for address, value in values.items():
            encoded = check_write(address).encode(value, self.profile.highest_first is not False)
            pairs.append((address, encoded))
        for address, answer in self._exchange(Type.SET, pairs).items():
            if isinstance(answer, Refusal):
                raise RefusedError(f"{address}: could not be set: {answer}")

    def set_and_confirm(self, values: Mapping[Address, Value]) -> None:
        """Set values and read them back. RefusedError where the controller holds something else."""
        self.set(values)
        for address, found in self.get(list(values)).items():
            if found != values[address]:
                raise RefusedError(f"{address}: expected {values[address]!r} to be held, found {found!r}")

    def heartbeat(self) -> None:
        """One heartbeat. NoAnswerError without an answer of either published type."""
        deadline_s = time.monotonic() + self.timeout_s
        for attempt_s in self._attempts(deadline_s):
            sent = self._send(Type.HEARTBEAT, () if self.profile.counts_heartbeats else None)
            while (frame := self._receive(attempt_s)) is not None:
                if frame.type in HEARTBEAT_REPLIES and self._is_ours(frame, sent):
                    self.heartbeat_reply = frame.type
                    return
                self._keep(frame)
        raise NoAnswerError(f"expected an answer to a heartbeat within {self.timeout_s:g} s, found none")

    def _exchange(self, kind: Type, pairs: Sequence[tuple[Address, bytes]]) -> Raw:
        answers: Raw = {}
        deadline_s = time.monotonic() + self.timeout_s
        for frame in self.link.drain():
            self._keep(frame)
        for batch in self._batches(pairs):
            self._exchange_batch(kind, batch, answers, deadline_s)
        return answers

    def _exchange_batch(
        self, kind: Type, batch: list[tuple[Address, bytes]], answers: Raw, deadline_s: float
    ) -> None:
        missing = dict(batch)
        for attempt_s in self._attempts(deadline_s):
            sent = self._send(kind, items_of(missing.items()))
            while missing and (frame := self._receive(attempt_s)) is not None:
                if frame.type in REPLIES[kind] and self._is_ours(frame, sent):
                    self.last_serials = (sent.serial, frame.serial)
                    self._take(frame, missing, answers)
                else:
                    self._keep(frame)
            if not missing:
                return
        address = next(iter(missing))
        raise NoAnswerError(f"{address}: expected an answer within {self.timeout_s:g} s, found none")

    def _take(self, frame: Frame, missing: dict[Address, bytes], answers: Raw) -> None:
        is_error = frame.type in (Type.QUERY_ERROR, Type.SET_ERROR)
        if frame.type is Type.SET_REPLY and not frame.items:  # one maker acknowledges without items
            answers.update(dict.fromkeys(missing, b""))
            missing.clear()
        for item in frame.items or ():
            if item.address not in missing:
                continue
            del missing[item.address]
            answers[item.address] = item.value
            if is_error:
                answers[item.address] = Refusal(item.value[0] if len(item.value) == 1 else 0)
            elif frame.type is Type.SET_REPLY and item.value not in (b"", b"\0"):
                answers[item.address] = Refusal(item.value[0])

    def _batches(self, pairs: Iterable[tuple[Address, bytes]]) -> Iterator[list[tuple[Address, bytes]]]:
        """Parts of a request that fit the buffers of small controllers, and their expected answers too."""
        batch: list[tuple[Address, bytes]] = []
        size = FRAME_BYTES
        for address, value in pairs:
            more = ITEM_BYTES + max(len(value), _expected_bytes(address))
            if batch and (size + more > self.profile.batch_bytes or len(batch) == 255):
                yield batch
                batch, size = [], FRAME_BYTES
            batch.append((address, value))
            size += more
        if batch:
            yield batch

    def _attempts(self, deadline_s: float) -> Iterator[float]:
        """When to stop waiting and to ask again."""
        tries = self.tries if self.link.repeats else 1
        for _ in range(tries):
            now_s = time.monotonic()
            if now_s >= deadline_s:
                return
            yield min(deadline_s, now_s + self.timeout_s / tries)

    def _send(self, kind: Type, items: tuple[Item, ...] | None) -> Frame:
        self._serial = self._serial % 255 + 1  # one published controller stumbles over 0
        frame = Frame(
            kind,
            items,
            version=self.profile.version,
            host=self.profile.host,
            controller=self.profile.controller,
            junction=self.profile.junction or 0,
            serial=self._serial,
        )
        self.link.send(frame)
        return frame

    def _receive(self, deadline_s: float) -> Frame | None:
        """The next frame; None after the deadline also from a device that never stops talking."""
        return None if time.monotonic() >= deadline_s else self.link.receive(deadline_s)

    def _is_ours(self, frame: Frame, sent: Frame) -> bool:
        if frame.host != sent.host or frame.junction != sent.junction:
            return False
        match self.profile.serials:
            case Serials.ECHO:
                return frame.serial == sent.serial
            case Serials.NEXT:
                return frame.serial in (sent.serial + 1 & 0xFF, sent.serial % 255 + 1)
        return True

    def _keep(self, frame: Frame) -> None:
        if frame.type is Type.REPORT:
            self.reports.extend(frame.items or ())


def _expected_bytes(address: Address) -> int:
    try:
        return find(address).most_bytes
    except ValueRefusedError:
        return LONGEST_ANSWER
