"""What the engine knows of one controller from the messages that came; it sends nothing itself."""

from __future__ import annotations

from collections import deque
from typing import Final

from greensplit.bridges.field import FieldStatus, FieldTables
from greensplit.engine.errors import BridgeError

from .messages import (
    AlarmMessage,
    DetectorEntry,
    DetectorMessage,
    HistoryMessage,
    PresenceMessage,
    StatusMessage,
    TablesMessage,
    decode,
)
from .sequence import Numbering, Turn
from .session import Received
from .topics import ALARM, DETECTOR, STATUS, TABLES, Kind, Topic
from .translation import status_of, tables_of_message

__all__ = ["Peer"]

MOST_CHANGES: Final = 4096


class Peer:
    """One controller. ``changes`` are detector entries in the order of arrival, the oldest lost first.

    ``missing`` are gaps of the detector channel that wait to be fetched, ``trouble`` the last message that could not
    be understood, until a status can, ``answered`` the last question that a status was the answer to.
    """

    def __init__(self) -> None:
        self.presence = ""
        self.tables: FieldTables | None = None
        self.status: FieldStatus | None = None
        self.alarms: dict[str, bool] = {}
        self.changes: deque[DetectorEntry] = deque(maxlen=MOST_CHANGES)
        self.missing: deque[tuple[int, int]] = deque(maxlen=16)
        self.answered = b""
        self.trouble: BridgeError | None = None
        self.statuses = Numbering()
        self.detectors = Numbering()

    def take(self, topic: Topic, received: Received) -> None:
        """Learn from a message of this controller; one that cannot be understood is its trouble."""
        try:
            self._learn(topic, received)
        except BridgeError as err:
            self.trouble = err

    def _learn(self, topic: Topic, received: Received) -> None:
        where, payload = received.topic, received.payload
        match topic.kind, topic.code:
            case Kind.PRESENCE, _:
                self._take_presence(decode(PresenceMessage, payload, where))
            case Kind.STATUS, code if code == STATUS:
                self._take_status(decode(StatusMessage, payload, where), received)
            case Kind.STATUS, code if code == TABLES:
                self._take_tables(decode(TablesMessage, payload, where), received.retained)
            case Kind.STATUS, code if code == DETECTOR:
                self._take_changes(decode(DetectorMessage, payload, where))
            case Kind.HISTORY, code if code == DETECTOR:
                self.changes.extend(decode(HistoryMessage, payload, where).entries)
            case Kind.ALARM, code if code == ALARM:
                self._take_alarms(decode(AlarmMessage, payload, where))

    def _take_presence(self, message: PresenceMessage) -> None:
        self.presence = message.state
        if message.state != "online":
            self.status = None

    def _take_status(self, message: StatusMessage, received: Received) -> None:
        """A retained status is what was, not what is: only its successor says what is missing in between."""
        if received.retained:
            return
        entry = message.entries[0]
        if self.statuses.follow(entry.seq, entry.ts).turn is Turn.OLD:
            return
        self.status = status_of(entry)
        self.answered = received.envelope.correlation or self.answered
        self.trouble = None

    def _take_tables(self, message: TablesMessage, retained: bool) -> None:
        if not retained:
            self.tables = tables_of_message(message)

    def _take_changes(self, message: DetectorMessage) -> None:
        for entry in message.entries:
            arrival = self.detectors.follow(entry.seq, entry.ts)
            if arrival.missing is not None:
                self.missing.append(arrival.missing)
            if arrival.turn is not Turn.OLD:
                self.changes.append(entry)

    def _take_alarms(self, message: AlarmMessage) -> None:
        if message.full:
            self.alarms.clear()
        for entry in message.entries:
            if len(self.alarms) < MOST_CHANGES or entry.name in self.alarms:
                self.alarms[entry.name] = entry.active
