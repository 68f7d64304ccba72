"""The engine behind a broker: one connection for all junctions, status as it is pushed, commands that are answered.

Controllers push their status; a look asks (``fetch``) only those whose last one is older than ``age_ms``. In lockstep
with a simulation that age is 0: every look then crosses the broker and back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from time import monotonic
from typing import Final

from greensplit.bridges.base import DEFAULT_SETTINGS, Bridge, BridgeSettings, Spoken
from greensplit.bridges.field import FieldCommand, FieldStatus, FieldTables, Verdict
from greensplit.engine.errors import BridgeError, InputError
from greensplit.engine.model.site import Junction

from .gate import read_signing_key, sign
from .messages import DetectorEntry, FetchMessage, PresenceMessage, ResultMessage, decode, encode
from .options import MqttOptions, read_options
from .own_broker import between
from .peer import Peer
from .session import Envelope, Received, Session, Will
from .topics import DETECTOR, LIVE, STATUS, TABLES, Kind, Topic, node_of, parse_topic
from .translation import message_of

__all__ = ["MqttBridge", "between", "make"]

EVERYTHING: Final = FetchMessage(first=0, last=0)
MOST_NOISE: Final = 100


class MqttBridge(Bridge):
    """Junctions below one prefix of one broker. ``noise`` are the last messages that could not be understood."""

    spoken = (Spoken.STAGE, Spoken.MASKS)

    def __init__(
        self, junctions: Sequence[Junction], options: MqttOptions, settings: BridgeSettings = DEFAULT_SETTINGS
    ) -> None:
        """``options.broker`` says where the broker is; nothing is opened yet. Raises BridgeError for its files."""
        super().__init__(junctions, settings)
        self.options = options
        self.noise: deque[str] = deque(maxlen=MOST_NOISE)
        self._issuer = options.broker.client_id
        self._nodes = tuple(node_of(junction.id, options.prefix) for junction in self.junctions)
        self._device_of = {node: d for d, node in enumerate(self._nodes)}
        self._peers = [Peer() for _ in self.junctions]
        self._results: dict[tuple[int, int], ResultMessage] = {}
        self._awaited: dict[tuple[int, int], int] = {}
        self._last_key = 0
        self._connections = 0
        self._look = 0
        key = options.broker.signing_key
        self._signing_key = None if key is None else read_signing_key(key)
        self._session = Session(options.broker, self._subscriptions(), self._presence("offline"))
        self._is_started = False

    def _subscriptions(self) -> list[tuple[str, int]]:
        prefix, supervisor = self.options.prefix, self.options.supervisor
        streams = [(f"{prefix}/+/{kind}/#", 1) for kind in (Kind.STATUS, Kind.ALARM)]
        answers = [(f"{supervisor}/{kind}/#", 1) for kind in (Kind.RESULT, Kind.HISTORY)]
        return [(f"{prefix}/{Kind.PRESENCE}", 1), (f"{prefix}/+/{Kind.PRESENCE}", 1), *streams, *answers]

    def _presence(self, state: str) -> Will:
        message = PresenceMessage.model_validate({"state": state, "ts": self.options.epoch_ms})
        return Will(str(Topic(self.options.supervisor, Kind.PRESENCE)), encode(message))

    def open_device(self, device: int) -> FieldTables:
        """Wait for the connection, then for the controller's own word of what it is."""
        ((_, answer),) = self.open_devices([device], self.settings.timeout_ms)
        if isinstance(answer, BridgeError):
            raise answer
        return answer

    def open_devices(
        self, devices: Sequence[int], patience_ms: int
    ) -> Iterator[tuple[int, FieldTables | BridgeError]]:
        """Ask all for their own word of what they are, and wait for all; a word that comes later counts next time."""
        deadline = monotonic() + min(patience_ms, self.settings.timeout_ms) / 1000
        try:
            self._start()
            for d in devices:
                if self._peers[d].tables is None:
                    self._fetch(d, TABLES)
        except BridgeError as err:
            yield from ((d, err) for d in devices)
            return
        self._wait(lambda: all(self._peers[d].tables is not None for d in devices), deadline)
        for d in devices:
            yield d, self._tables(d)

    def _tables(self, device: int) -> FieldTables | BridgeError:
        peer = self._peers[device]
        if peer.tables is not None:
            tables, peer.tables = peer.tables, None
            return tables
        found = peer.trouble or (f"presence {peer.presence}" if peer.presence else "silence")
        return BridgeError(
            f"{self._nodes[device]}: expected what the controller says of itself, found {found}"
        )

    def _start(self) -> None:
        """Connect at the first call; later the connection comes back by itself, and nobody waits for it."""
        if not self._is_started:
            self._is_started = True
            self._session.start()
            self._session.wait_ready(self.settings.timeout_ms / 1000)
        self._drain()

    def close_device(self, device: int) -> None:
        """What the controller said is no longer believed."""
        self._peers[device] = Peer()

    def close(self) -> None:
        """Let go of all controllers, and of the broker."""
        super().close()
        if self._is_started:
            self._session.stop(self._presence("shutdown"))

    def poll_devices(
        self, devices: Sequence[int], now_ms: int
    ) -> Iterator[tuple[int, FieldStatus | BridgeError]]:
        """The last status of each that is young enough; those whose status is not are asked, all at once."""
        self._drain()
        oldest_ms = now_ms + self.options.epoch_ms - self.options.age_ms
        self._look += 1
        waiting = [d for d in devices if not self._is_young(d, oldest_ms)]
        try:
            for d in waiting:
                self._fetch(d, STATUS)
        except BridgeError as err:
            yield from ((d, err) for d in devices)
            return
        self._wait(lambda: all(self._is_young(d, oldest_ms) for d in waiting), self._deadline())
        for d in devices:
            answer = self._answer(d, now_ms, oldest_ms)
            if answer is not None:
                yield d, answer

    def _is_young(self, device: int, oldest_ms: int) -> bool:
        """Is there an answer? In lockstep only one that was asked for in this look: time stands still meanwhile."""
        peer = self._peers[device]
        if peer.trouble is not None:
            return True
        if self.options.age_ms == 0:
            return peer.status is not None and peer.answered == str(self._look).encode()
        return peer.status is not None and peer.status.t_ms >= oldest_ms

    def _answer(self, device: int, now_ms: int, oldest_ms: int) -> FieldStatus | BridgeError | None:
        peer = self._peers[device]
        if peer.trouble is not None:
            trouble, peer.trouble = peer.trouble, None
            return trouble
        if peer.status is None or not self._is_young(device, oldest_ms):
            return None
        ahead_ms = peer.status.t_ms - self.options.epoch_ms - now_ms
        if ahead_ms > self.settings.fresh_ms:
            return BridgeError(f"{self._nodes[device]}: expected our clock, found one {ahead_ms} ms ahead")
        return _shifted(peer.status, -self.options.epoch_ms)

    def changes(self, device: int) -> list[DetectorEntry]:
        """Detector changes since the last call, by their time; where some are missing they are asked for."""
        self._drain()
        peer = self._peers[device]
        while peer.missing:
            first, last = peer.missing.popleft()
            self._fetch(device, DETECTOR, FetchMessage(first=first, last=last))
        found = sorted(peer.changes, key=lambda entry: (entry.ts, entry.seq))
        peer.changes.clear()
        return found

    def lost_changes(self, device: int) -> int:
        """How many detector changes never came, before any was fetched."""
        return self._peers[device].detectors.lost

    def send_commands(
        self, commands: Sequence[tuple[int, FieldCommand]], now_ms: int
    ) -> Iterator[tuple[int, BridgeError | None]]:
        """Send all, then wait for the answers; silence is an error."""
        sent = []
        for d, command in commands:
            if command.expires_ms < now_ms:
                yield (
                    d,
                    BridgeError(
                        f"{self._nodes[d]}: expected a command for now, found {now_ms - command.expires_ms} ms late"
                    ),
                )
                continue
            try:
                sent.append(self._send(d, command))
            except BridgeError as err:
                yield d, err
        self._wait(lambda: all(ticket in self._results for ticket in sent), self._deadline())
        for ticket in sent:
            self._awaited.pop(ticket, None)
            yield ticket[0], self._judge(ticket)

    def _judge(self, ticket: tuple[int, int]) -> BridgeError | None:
        result = self._results.pop(ticket, None)
        if result is None:
            return BridgeError(
                f"{self._nodes[ticket[0]]}: command {ticket[1]}: expected an answer, found none"
            )
        if result.verdict is Verdict.ACCEPTED:
            return None
        return BridgeError(
            f"{self._nodes[ticket[0]]}: command {ticket[1]}: {result.verdict}: {result.reason}"
        )

    def _send(self, device: int, command: FieldCommand) -> tuple[int, int]:
        """Keys rise with the clock, so that they go on rising after the engine has started anew."""
        epoch_ms = self.options.epoch_ms
        self._last_key = max(self._last_key + 1, command.issued_ms + epoch_ms)
        told = FieldCommand(
            command.issued_ms + epoch_ms, command.expires_ms + epoch_ms, command.order, self._last_key
        )
        code, message = message_of(told, self._issuer)
        topic, payload = str(Topic(self._nodes[device], Kind.COMMAND, code)), encode(message)
        envelope = Envelope(
            expiry_s=max(1, -(-(told.expires_ms - told.issued_ms) // 1000)),
            response_topic=str(Topic(self.options.supervisor, Kind.RESULT, code)),
            correlation=f"{device}:{told.key}".encode(),
            signature=None if self._signing_key is None else sign(self._signing_key, topic, payload),
        )
        ticket = (device, told.key)
        self._awaited[ticket] = told.key
        self._session.publish(topic, payload, 1, envelope=envelope)
        return ticket

    def _fetch(self, device: int, code: str, what: FetchMessage = EVERYTHING) -> None:
        topic = Topic(self._nodes[device], Kind.FETCH, code, LIVE)
        answer = Topic(self.options.supervisor, Kind.HISTORY, code, LIVE)
        ticket = self._look if code == STATUS else device
        envelope = Envelope(expiry_s=2, response_topic=str(answer), correlation=str(ticket).encode())
        self._session.publish(str(topic), encode(what), 0, envelope=envelope)

    def _deadline(self) -> float:
        return monotonic() + self.settings.timeout_ms / 1000

    def _wait(self, is_done: Callable[[], bool], deadline: float) -> None:
        """Take messages until it is done or time is up."""
        self._drain()
        while not is_done():
            left_s = deadline - monotonic()
            if left_s <= 0 or not self._session.is_ready or not self._session.wait_message(left_s):
                return
            self._drain()

    def _drain(self) -> None:
        """Take all that came; after a new connection say that we are there."""
        connections = self._session.connections
        if connections != self._connections:
            with suppress(BridgeError):
                self._session.publish(*self._presence("online"), 1, retain=True)
                self._connections = connections
        for received in self._session.take():
            self._sort(received)

    def _sort(self, received: Received) -> None:
        try:
            topic = parse_topic(received.topic)
            if topic.kind is Kind.RESULT:
                self._take_result(received)
            elif topic.kind is Kind.HISTORY:
                self._take_history(topic, received)
            elif topic.node == self.options.prefix:
                self._take_gateway(topic, received)
            elif (device := self._device_of.get(topic.node)) is not None:
                self._peers[device].take(topic, received)
        except BridgeError as err:
            self.noise.append(str(err))

    def _take_gateway(self, topic: Topic, received: Received) -> None:
        """Who stands for several junctions is there, or not: so are they."""
        for peer in self._peers:
            peer.take(topic, received)

    def _take_result(self, received: Received) -> None:
        message = decode(ResultMessage, received.payload, received.topic)
        ticket = self._ticket(received)
        if ticket in self._awaited:
            self._results[ticket] = message

    def _ticket(self, received: Received) -> tuple[int, int]:
        correlation = received.envelope.correlation or b""
        try:
            device, key = correlation[:40].split(b":")
            return int(device), int(key)
        except ValueError as err:
            raise BridgeError(
                f"mqtt: {received.topic}: expected our correlation, found {correlation[:40]!r}"
            ) from err

    def _take_history(self, topic: Topic, received: Received) -> None:
        correlation = received.envelope.correlation or b""
        if correlation.isdigit() and len(correlation) < 9 and int(correlation) < len(self._peers):
            self._peers[int(correlation)].take(topic, received)


def _shifted(status: FieldStatus, by_ms: int) -> FieldStatus:
    return status if by_ms == 0 else replace(status, t_ms=status.t_ms + by_ms)


def make(
    junctions: Sequence[Junction],
    addresses: Mapping[str, str],
    options: Mapping[str, str],
    settings: BridgeSettings = DEFAULT_SETTINGS,
) -> MqttBridge:
    """The bridge to junctions at ``HOST:PORT/NODE``, all behind one broker. Raises InputError."""
    places = {_broker(junction.id, addresses) for junction in junctions}
    if len(places) > 1:
        raise InputError(f"mqtt: addresses: expected one broker, found {', '.join(sorted(places))}")
    words = dict(options)
    for place in places:
        words["host"], _, words["port"] = place.rpartition(":")
    read = read_options(words, words.pop("client_id", "greensplit"))
    for junction in junctions:
        node, found = node_of(junction.id, read.prefix), addresses[junction.id].partition("/")[2]
        if found != node:
            raise InputError(f"mqtt: junction {junction.id}: expected the node {node}, found {found}")
    return MqttBridge(junctions, read, settings)


def _broker(junction: str, addresses: Mapping[str, str]) -> str:
    if junction not in addresses:
        raise InputError(f"mqtt: junction {junction}: expected an address HOST:PORT/NODE, found none")
    return addresses[junction].partition("/")[0]
