"""One connection to a broker over paho-mqtt: back-off, subscriptions that come back, queues that end somewhere.

paho's own thread moves the bytes; what arrives waits in a bounded queue until somebody takes it, and the oldest is
lost first. Nothing is sent later than it was meant: without a connection ``publish`` refuses, and the broker keeps
nothing for us while we are away (clean start, no session expiry).
"""

from __future__ import annotations

import socket
import ssl
import sys
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import Condition
from time import monotonic, sleep
from typing import Any, Final, NamedTuple

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from greensplit.engine.errors import BridgeError

from .messages import MOST_BYTES
from .settings import BrokerSettings

__all__ = ["Envelope", "Received", "Session", "Will"]

LEAST_WAIT_S: Final = 1
MOST_WAIT_S: Final = 2  # with the longest retry of a bridge: connected again within 5 s of the return
INFLIGHT: Final = 200
MOST_WAITING_BYTES: Final = 1 << 26
SIGNATURE: Final = "signature"


class Will(NamedTuple):
    """What the broker says for us when the connection breaks; retained."""

    topic: str
    payload: bytes


class Envelope(NamedTuple):
    """What goes with a payload in MQTT 5."""

    expiry_s: int | None = None
    response_topic: str | None = None
    correlation: bytes | None = None
    signature: str | None = None


class Received(NamedTuple):
    """A message as it came; ``retained`` when the broker had kept it."""

    topic: str
    payload: bytes
    retained: bool
    envelope: Envelope


class _SteadyClient(Client):
    """paho's thread ends for good on bytes that it cannot read, such as a topic that is no UTF-8; this one goes on."""

    on_unreadable: Callable[[Exception], None]
    is_stopping = False

    def loop_forever(self, timeout: float = 1.0, retry_first_connection: bool = False) -> MQTTErrorCode:
        """Until ``disconnect``; whatever is raised on the way ends the connection, and a new one is made."""
        while not self.is_stopping:
            try:
                return super().loop_forever(timeout, retry_first_connection)
            except Exception as err:  # noqa: BLE001  paho names no errors of its own
                self.on_unreadable(err)
            sleep(LEAST_WAIT_S)
            with suppress(OSError, ValueError):
                self.reconnect()
        return MQTTErrorCode.MQTT_ERR_SUCCESS


class Session:
    """A connection that comes back by itself. Methods may be called from any thread."""

    def __init__(
        self, settings: BrokerSettings, subscriptions: Iterable[tuple[str, int]], will: Will | None = None
    ) -> None:
        """``subscriptions`` are topic filters with their QoS. Raises BridgeError where a file cannot be read."""
        self.settings = settings
        self.where = f"broker {settings.host}:{settings.port}"
        self.connections = 0
        self.lost = 0
        self.trouble = "not connected yet"
        self._subscriptions = list(subscriptions)
        self._inbox: deque[Received] = deque(maxlen=settings.queue)
        self._waiting_bytes = 0
        self._news = Condition()
        self._ready = False
        self._client = self._new_client(will)

    def _new_client(self, will: Will | None) -> _SteadyClient:
        settings = self.settings
        client = _SteadyClient(
            CallbackAPIVersion.VERSION2, client_id=settings.client_id, protocol=MQTTProtocolVersion.MQTTv5
        )
        client.max_inflight_messages_set(INFLIGHT)
        client.max_queued_messages_set(settings.queue)
        client.reconnect_delay_set(LEAST_WAIT_S, MOST_WAIT_S)
        client.connect_timeout = 2.0
        client.on_socket_open = _send_at_once
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_unreadable = self._on_unreadable
        try:
            if settings.user is not None:
                client.username_pw_set(settings.user, self._password())
            if settings.tls is not None:
                client.tls_set_context(self._tls_context())
        except OSError as err:
            raise BridgeError(f"{self.where}: expected files of the connection, found {err}") from err
        if will is not None:
            client.will_set(will.topic, will.payload, qos=1, retain=True)
        return client

    def _password(self) -> str | None:
        file = self.settings.password_file
        return None if file is None else file.read_text(encoding="utf-8").strip()

    def _tls_context(self) -> ssl.SSLContext:
        tls = self.settings.tls
        assert tls is not None
        context = ssl.create_default_context(cafile=str(tls.authority))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if tls.certificate is not None and tls.key is not None:
            context.load_cert_chain(tls.certificate, tls.key)
        return context

    def start(self) -> None:
        """Connect, now or as soon as the broker is there. Does not wait."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.MaximumPacketSize = 2 * MOST_BYTES
        self._client.connect_async(
            self.settings.host,
            self.settings.port,
            self.settings.keepalive_s,
            clean_start=True,
            properties=properties,
        )
        self._client.is_stopping = False
        self._client.loop_start()

    def stop(self, farewell: Will | None = None) -> None:
        """Say goodbye where there is a connection, and end the thread."""
        if farewell is not None and self.is_ready:
            self._client.publish(farewell.topic, farewell.payload, qos=1, retain=True).wait_for_publish(1.0)
        self._client.is_stopping = True
        self._client.disconnect()
        self._client.loop_stop()
        with self._news:
            self._ready = False

    @property
    def is_ready(self) -> bool:
        """Whether the broker has accepted us and all subscriptions."""
        return self._ready

    def wait_ready(self, timeout_s: float) -> None:
        """Wait for the connection. Raises BridgeError with the broker's reason."""
        with self._news:
            if not self._news.wait_for(lambda: self._ready, timeout_s):
                raise BridgeError(
                    f"{self.where}: expected a connection within {timeout_s:g} s, found: {self.trouble}"
                )

    def publish(
        self, topic: str, payload: bytes, qos: int, *, retain: bool = False, envelope: Envelope | None = None
    ) -> None:
        """Hand a message to the connection. Raises BridgeError where there is none, or its queue is full."""
        if not self._ready:
            raise BridgeError(f"{self.where}: {topic}: expected a connection, found: {self.trouble}")
        info = self._client.publish(
            topic, payload, qos, retain, None if envelope is None else _properties(envelope)
        )
        if info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            raise BridgeError(
                f"{self.where}: {topic}: expected room for a message, found {self.settings.queue} waiting"
            )
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise BridgeError(f"{self.where}: {topic}: expected to be sent, found: {info.rc.name}")

    def take(self) -> list[Received]:
        """All that has come since, oldest first. Never waits."""
        with self._news:
            found = list(self._inbox)
            self._inbox.clear()
            self._waiting_bytes = 0
        return found

    def wait_message(self, timeout_s: float) -> bool:
        """Wait until there is something to take."""
        deadline = monotonic() + timeout_s
        with self._news:
            while not self._inbox:
                left = deadline - monotonic()
                if left <= 0:
                    return False
                self._news.wait(left)
        return True

    def _on_connect(
        self, client: Client, _data: Any, _flags: ConnectFlags, reason: ReasonCode, _properties: Any
    ) -> None:
        if reason.is_failure:
            self.trouble = str(reason)
        elif self._subscriptions:
            client.subscribe(self._subscriptions)
        else:
            self._set_ready()

    def _on_subscribe(
        self, _client: Client, _data: Any, _mid: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        if refused:
            self.trouble = f"a subscription was refused: {refused[0]}"
        else:
            self._set_ready()

    def _set_ready(self) -> None:
        with self._news:
            self._ready = True
            self.connections += 1
            self.trouble = "connected"
            self._news.notify_all()

    def _on_connect_fail(self, _client: Client, _data: Any) -> None:
        self._lose(str(sys.exc_info()[1]))

    def _on_disconnect(
        self, _client: Client, _data: Any, _flags: DisconnectFlags, reason: ReasonCode, _properties: Any
    ) -> None:
        if self._ready:
            self._lose(f"connection lost: {reason}")

    def _on_unreadable(self, err: Exception) -> None:
        self._lose(f"expected MQTT from the broker, found bytes that are none ({type(err).__name__})")

    def _lose(self, trouble: str) -> None:
        with self._news:
            self._ready = False
            self.trouble = " ".join(trouble.split())
            self._news.notify_all()

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        received = Received(
            message.topic, bytes(message.payload), message.retain, _envelope(message.properties)
        )
        with self._news:
            self._make_room(len(received.payload))
            self._inbox.append(received)
            self._waiting_bytes += len(received.payload)
            self._news.notify_all()

    def _make_room(self, size: int) -> None:
        """Lose the oldest until one more fits, by number and by bytes."""
        inbox = self._inbox
        while inbox and (len(inbox) == inbox.maxlen or self._waiting_bytes + size > MOST_WAITING_BYTES):
            self._waiting_bytes -= len(inbox.popleft().payload)
            self.lost += 1


def _send_at_once(_client: Client, _data: Any, connection: Any) -> None:
    """Without this a command waits some 40 ms for the acknowledgement of what went before it."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _properties(envelope: Envelope) -> Properties:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    if envelope.expiry_s is not None:
        properties.MessageExpiryInterval = envelope.expiry_s
    if envelope.response_topic is not None:
        properties.ResponseTopic = envelope.response_topic
    if envelope.correlation is not None:
        properties.CorrelationData = envelope.correlation
    if envelope.signature is not None:
        properties.UserProperty = (SIGNATURE, envelope.signature)
    return properties


def _envelope(properties: Properties | None) -> Envelope:
    if properties is None or properties.isEmpty():  # type: ignore[no-untyped-call]
        return NO_ENVELOPE
    found = vars(properties)
    return Envelope(
        found.get("MessageExpiryInterval"),
        found.get("ResponseTopic"),
        found.get("CorrelationData"),
        next((value for name, value in found.get("UserProperty", ()) if name == SIGNATURE), None),
    )


NO_ENVELOPE: Final = Envelope()
