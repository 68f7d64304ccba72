"""The front that speaks MQTT 5: stand-ins behind a broker, as controllers or a gateway of controllers would be.

One connection stands for all stand-ins; where there is more than one, its presence (and the broker's word when it
breaks) is at the prefix above them. Detector changes are seen when the front looks: what comes and goes between two
looks is in volume and occupancy only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Event, Thread
from time import monotonic
from typing import Final

from greensplit.bridges.field import Alarm, FieldStatus, Verdict
from greensplit.bridges.mqtt.gate import Gate, RefusedError, read_signing_key
from greensplit.bridges.mqtt.messages import (
    AlarmEntry,
    AlarmMessage,
    ChannelMessage,
    DetectorEntry,
    DetectorMessage,
    DetectorValues,
    FetchMessage,
    HistoryMessage,
    PresenceMessage,
    ResultMessage,
    StatusMessage,
    ThrottleMessage,
    decode,
    encode,
)
from greensplit.bridges.mqtt.options import read_options
from greensplit.bridges.mqtt.session import Envelope, Received, Session, Will
from greensplit.bridges.mqtt.topics import (
    ALARM,
    DETECTOR,
    LIVE,
    STATUS,
    TABLES,
    Kind,
    Topic,
    node_of,
    parse_topic,
)
from greensplit.bridges.mqtt.translation import command_of, entry_of, tables_message
from greensplit.engine.errors import BridgeError

from .controller import StandIn
from .front import Front

__all__ = ["MqttFront", "make"]

MOST_KEPT: Final = 2048
MOST_HISTORY: Final = 512
MOST_REFUSALS: Final = 1000
FULL_ALARMS_S: Final = 300.0
OPEN_S: Final = 5.0


@dataclass(slots=True)
class _Outlet:
    """What one stand-in has sent: numbers, the last of everything, and changes that may be fetched."""

    node: str
    stand_in: StandIn
    gate: Gate
    sequence: int = 0
    changes: int = 0
    alarms_sent: int = 0
    shown: FieldStatus | None = None
    detector_on: int = 0
    alarms: Alarm = Alarm.NONE
    config_id: int = -1
    beat_s: float = 0.0
    full_s: float = 0.0
    kept: deque[DetectorEntry] = field(default_factory=lambda: deque(maxlen=MOST_KEPT))
    stopped: set[str] = field(default_factory=set)


class MqttFront(Front):
    """Serves until closed. ``refusals`` are the last lines that say why a message was not obeyed."""

    def __init__(
        self, stand_ins: Sequence[StandIn], options: Mapping[str, str], clock: Callable[[], int]
    ) -> None:
        """``options`` are those of MqttOptions and of its broker. Raises InputError, or BridgeError for a file."""
        super().__init__(stand_ins, options, clock)
        words = dict(options)
        self._options = read_options(words, words.pop("client_id", "standin"))
        self.refusals: deque[str] = deque(maxlen=MOST_REFUSALS)
        broker = self._options.broker
        secret = None if broker.signing_key is None else read_signing_key(broker.signing_key)
        prefix = self._options.prefix
        self._outlets = [_Outlet(node_of(s.junction.id, prefix), s, Gate(secret)) for s in self.stand_ins]
        self._outlet_of = {outlet.node: outlet for outlet in self._outlets}
        self._own = self._outlets[0].node if len(self._outlets) == 1 else prefix
        self._session = self._new_session()
        self._connections = 0
        self._ends = Event()
        self._thread: Thread | None = None

    def _new_session(self) -> Session:
        return Session(self._options.broker, self._subscriptions(), self._presence(self._own, "offline"))

    def _subscriptions(self) -> list[tuple[str, int]]:
        kinds = (Kind.COMMAND, Kind.THROTTLE, Kind.FETCH)
        above = self._own if self._own in self._outlet_of else f"{self._own}/+"
        return [(f"{above}/{kind}/#", 1) for kind in kinds]

    def open(self) -> Mapping[str, str]:
        """Connect and serve; the address of a junction is ``HOST:PORT/NODE``. Raises BridgeError."""
        broker = self._options.broker
        self._session, self._connections = self._new_session(), 0
        self._session.start()
        try:
            self._session.wait_ready(OPEN_S)
        except BridgeError:
            self._session.stop()
            raise
        self._ends.clear()
        self._thread = Thread(target=self._serve, name="mqtt front", daemon=True)
        self._thread.start()
        return {o.stand_in.junction.id: f"{broker.host}:{broker.port}/{o.node}" for o in self._outlets}

    def close(self) -> None:
        """Say goodbye and stop."""
        if self._thread is None:
            return
        self._ends.set()
        self._thread.join()
        self._thread = None
        self._session.stop(self._presence(self._own, "shutdown"))

    def _serve(self) -> None:
        look_s = self._options.look_ms / 1000
        next_s = monotonic()
        while not self._ends.is_set():
            self._session.wait_message(max(0.0, next_s - monotonic()))
            try:
                self._greet()
                for received in self._session.take():
                    self._take(received)
                if monotonic() >= next_s:
                    next_s = monotonic() + look_s
                    self._look()
            except BridgeError as err:
                self.refusals.append(str(err))
                self._ends.wait(look_s)

    def _greet(self) -> None:
        """After every new connection: who we are, and which channels run."""
        connections = self._session.connections
        if connections == self._connections:
            return
        for node in {self._own, *self._outlet_of}:
            topic, payload = self._presence(node, "online")
            self._session.publish(topic, payload, 1, retain=True)
        for outlet in self._outlets:
            outlet.shown, outlet.config_id, outlet.full_s = None, -1, 0.0
            for code in (STATUS, DETECTOR):
                self._tell_channel(outlet, code)
        self._connections = connections

    def _presence(self, node: str, state: str) -> Will:
        message = PresenceMessage.model_validate({"state": state, "ts": self._wire_ms()})
        return Will(str(Topic(node, Kind.PRESENCE)), encode(message))

    def _wire_ms(self) -> int:
        return self.clock() + self._options.epoch_ms

    def _tell_channel(self, outlet: _Outlet, code: str) -> None:
        topic = Topic(outlet.node, Kind.CHANNEL, code, LIVE)
        state: dict[str, str] = {"state": "stopped" if code in outlet.stopped else "running"}
        self._session.publish(str(topic), encode(ChannelMessage.model_validate(state)), 1, retain=True)

    def _look(self) -> None:
        """Send what has changed since the last look, and a status at the latest after ``beat_ms``."""
        for outlet in self._outlets:
            with self.lock:
                status = outlet.stand_in.status()
            self._tell_changes(outlet, status)
            self._tell_alarms(outlet, status)
            if status.config_id != outlet.config_id:
                self._tell_tables(outlet)
            is_due = monotonic() - outlet.beat_s >= self._options.beat_ms / 1000
            if is_due or outlet.shown is None or _essence(status) != _essence(outlet.shown):
                self._tell_status(outlet, status)

    def _tell_status(self, outlet: _Outlet, status: FieldStatus, question: bytes | None = None) -> None:
        if STATUS in outlet.stopped:
            return
        wire = replace(status, t_ms=status.t_ms + self._options.epoch_ms)
        payload = encode(StatusMessage(entries=(entry_of(wire, outlet.sequence),)))
        topic, envelope = Topic(outlet.node, Kind.STATUS, STATUS, LIVE), Envelope(correlation=question)
        self._session.publish(str(topic), payload, 0, retain=True, envelope=envelope)
        outlet.sequence += 1
        outlet.shown, outlet.beat_s = status, monotonic()

    def _tell_changes(self, outlet: _Outlet, status: FieldStatus) -> None:
        """Entries are numbered and kept whether or not the channel runs: a gap can be fetched."""
        flipped = status.detector_on ^ outlet.detector_on
        outlet.detector_on = status.detector_on
        entries = []
        while flipped:
            d = (flipped & -flipped).bit_length() - 1
            flipped &= flipped - 1
            values = DetectorValues(detector=d, on=bool(status.detector_on >> d & 1))
            ts = status.t_ms + self._options.epoch_ms
            entries.append(DetectorEntry(ts=ts, seq=outlet.changes, values=values))
            outlet.changes += 1
        outlet.kept.extend(entries)
        if entries and DETECTOR not in outlet.stopped:
            topic = Topic(outlet.node, Kind.STATUS, DETECTOR, LIVE)
            self._session.publish(str(topic), encode(DetectorMessage(entries=tuple(entries))), 0)

    def _tell_alarms(self, outlet: _Outlet, status: FieldStatus) -> None:
        """What came or went, and every few minutes all that is: only that is retained."""
        changed, outlet.alarms = status.alarms ^ outlet.alarms, status.alarms
        if changed:
            self._send_alarms(outlet, status, changed, full=False)
        if changed or outlet.full_s == 0.0 or monotonic() - outlet.full_s >= FULL_ALARMS_S:
            self._send_alarms(outlet, status, status.alarms, full=True)
            outlet.full_s = monotonic()

    def _send_alarms(self, outlet: _Outlet, status: FieldStatus, flags: Alarm, *, full: bool) -> None:
        entries = []
        for flag in flags:
            entries.append(
                AlarmEntry(
                    ts=status.t_ms + self._options.epoch_ms,
                    seq=outlet.alarms_sent,
                    name=str(flag.name).lower(),
                    active=flag in status.alarms,
                )
            )
            outlet.alarms_sent += 1
        payload = encode(AlarmMessage(full=full, entries=tuple(entries)))
        self._session.publish(str(Topic(outlet.node, Kind.ALARM, ALARM)), payload, 1, retain=full)

    def _tell_tables(self, outlet: _Outlet) -> None:
        with self.lock:
            tables, outlet.config_id = outlet.stand_in.tables(), outlet.stand_in.config_id
        topic = Topic(outlet.node, Kind.STATUS, TABLES, LIVE)
        self._session.publish(str(topic), encode(tables_message(tables)), 1, retain=True)

    def _take(self, received: Received) -> None:
        try:
            topic = parse_topic(received.topic)
            outlet = self._outlet_of.get(topic.node)
            if outlet is None:
                return
            match topic.kind:
                case Kind.COMMAND:
                    self._obey(outlet, topic, received)
                case Kind.THROTTLE:
                    self._throttle(outlet, topic, received)
                case Kind.FETCH:
                    self._answer(outlet, topic, received)
                case _:
                    pass
        except BridgeError as err:
            self.refusals.append(str(err))

    def _obey(self, outlet: _Outlet, topic: Topic, received: Received) -> None:
        key, verdict, reason = 0, "refused", ""
        try:
            with self.lock:
                stand_in, now_ms = outlet.stand_in, self._wire_ms()
                message = outlet.gate.admit(topic, received, now_ms, stand_in.backup_ms)
                key = message.key
                told, epoch_ms = command_of(message), self._options.epoch_ms
                told = replace(
                    told, issued_ms=told.issued_ms - epoch_ms, expires_ms=told.expires_ms - epoch_ms
                )
                verdict = stand_in.command(told, self.clock())
                if verdict is Verdict.ACCEPTED:
                    outlet.gate.obeyed(message, now_ms)
                else:
                    reason = (
                        f"{topic}: expected a command for now and for this junction, found {verdict}: {told}"
                    )
        except RefusedError as err:
            key, reason = err.key, str(err)
        if reason:
            self.refusals.append(reason)
        result = ResultMessage.model_validate(
            {"key": key, "verdict": verdict, "reason": reason[:500], "ts": self._wire_ms()}
        )
        self._reply(Kind.RESULT, received, encode(result), 1)

    def _reply(self, kind: Kind, received: Received, payload: bytes, qos: int) -> None:
        """Answers go to where answers belong, wherever the sender wants them."""
        wanted = received.envelope.response_topic
        if wanted is None or parse_topic(wanted).kind is not kind:
            return
        self._session.publish(
            wanted, payload, qos, envelope=Envelope(correlation=received.envelope.correlation)
        )

    def _throttle(self, outlet: _Outlet, topic: Topic, received: Received) -> None:
        if received.retained or topic.channel != LIVE or topic.code not in (STATUS, DETECTOR):
            raise BridgeError(f"{topic}: expected a channel of ours, told to start or stop now")
        message = decode(ThrottleMessage, received.payload, received.topic)
        (outlet.stopped.discard if message.action == "start" else outlet.stopped.add)(topic.code)
        self._tell_channel(outlet, topic.code)

    def _answer(self, outlet: _Outlet, topic: Topic, received: Received) -> None:
        """The status now, the tables, or the detector changes from one number to another."""
        asked = decode(FetchMessage, received.payload, received.topic)
        if topic.code == STATUS:
            with self.lock:
                status = outlet.stand_in.status()
            self._tell_changes(outlet, status)
            self._tell_status(outlet, status, received.envelope.correlation)
        elif topic.code == TABLES:
            self._tell_tables(outlet)
        elif topic.code == DETECTOR:
            kept = [entry for entry in outlet.kept if asked.first <= entry.seq <= asked.last]
            history = HistoryMessage(first=asked.first, last=asked.last, entries=tuple(kept[:MOST_HISTORY]))
            self._reply(Kind.HISTORY, received, encode(history), 1)


def _essence(status: FieldStatus) -> FieldStatus:
    """A status without what changes by itself."""
    return replace(status, t_ms=0, cycle_left_ms=0, clock_s=0)


def make(stand_ins: Sequence[StandIn], options: Mapping[str, str], clock: Callable[[], int]) -> MqttFront:
    """The entry point of the front."""
    return MqttFront(stand_ins, options, clock)
