"""MQTT through a real mosquitto on loopback: messages per second beside mosquitto's own clients, latency, a city.

*Messages* are status messages of a controller, made, sent at QoS 1, carried by the broker, read and checked by the
engine's side, all in one process. *Own clients* is the same number of payloads through ``mosquitto_pub -l`` and
``mosquitto_sub``. *Latency* is from the order to the status that shows the stand-in holding it, in lockstep.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from greensplit.bridges.base import BridgeSettings
from greensplit.bridges.field import StageRequest
from greensplit.bridges.mqtt.bridge import make
from greensplit.bridges.mqtt.messages import StatusMessage, decode, encode
from greensplit.bridges.mqtt.options import read_options
from greensplit.bridges.mqtt.own_broker import free_port
from greensplit.bridges.mqtt.session import Session
from greensplit.bridges.mqtt.translation import entry_of, status_of
from greensplit.bridges.standin.controller import StandIn, StandInConfig
from greensplit.bridges.standin.mqtt import MqttFront
from greensplit.engine.errors import WorkError

from .junctions import eight_groups

__all__ = ["measure"]

MESSAGES = 20_000
WINDOW = 150
BEST_OF = 3
COMMANDS = 300
CITY = 1000
CITY_LOOKS = 5
TICK_MS = 100
PATIENT = BridgeSettings(timeout_ms=20_000)
TOPIC = "tlc/bench/status/tlc.status/live"
CONFIGURATION = """listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
max_queued_messages 0
max_inflight_messages 0
"""


def measure() -> dict[str, Any]:
    """The figures of MQTT. Raises WorkError where mosquitto is missing."""
    with _broker() as port:
        return {
            "mqtt_msgs_per_s": round(max(_messages_per_s(port) for _ in range(BEST_OF))),
            "mqtt_own_clients_msgs_per_s": round(max(_own_clients_per_s(port) for _ in range(BEST_OF))),
            **_latency(port),
            **_city(port),
        }


@contextmanager
def _broker() -> Iterator[int]:
    program = _program("mosquitto")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mosquitto.conf"
        file.write_text(CONFIGURATION.format(port=port))
        process = subprocess.Popen([program, "-c", str(file)], stderr=subprocess.DEVNULL)
        try:
            _wait(lambda: _answers(port))
            yield port
        finally:
            process.kill()
            process.wait()


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None:
        raise WorkError(f"expected {name} (apt-get install mosquitto mosquitto-clients), found none")
    return found


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait(is_true: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > deadline:
            raise WorkError(f"expected an end within {seconds:g} s, found none")
        time.sleep(0.005)


def _messages_per_s(port: int) -> float:
    """QoS 1, at most ``WINDOW`` on their way."""
    words = {"port": str(port)}
    sender = Session(read_options(words, "sender").broker, [])
    receiver = Session(read_options(words, "receiver").broker, [(TOPIC, 1)])
    for session in (sender, receiver):
        session.start()
        session.wait_ready(5)
    status = StandIn(eight_groups("bench")).status()
    came, began = 0, time.perf_counter()
    for seq in range(MESSAGES):
        entry = entry_of(replace(status, t_ms=seq), seq)
        sender.publish(TOPIC, encode(StatusMessage(entries=(entry,))), 1)
        while seq - came >= WINDOW:
            came += _read(receiver, came)
    while came < MESSAGES:
        came += _read(receiver, came)
    rate = MESSAGES / (time.perf_counter() - began)
    for session in (sender, receiver):
        session.stop()
    return rate


def _read(receiver: Session, first: int) -> int:
    """Take what came, in order; how many."""
    if not receiver.wait_message(5):
        raise WorkError(f"expected {MESSAGES} messages, found {first}")
    found = receiver.take()
    for at, received in enumerate(found, first):
        message = decode(StatusMessage, received.payload, received.topic)
        if status_of(message.entries[0]).t_ms != at:
            raise WorkError(f"expected message {at}, found {message.entries[0].ts}")
    return len(found)


def _own_clients_per_s(port: int) -> float:
    """From the first line to the subscriber's end; its start and its subscription are not counted."""
    status = entry_of(StandIn(eight_groups("bench")).status(), 0)
    line = encode(StatusMessage(entries=(status,))) + b"\n"
    common = ["-h", "127.0.0.1", "-p", str(port), "-V", "5", "-q", "1", "-t", TOPIC]
    reader = subprocess.Popen(
        [_program("mosquitto_sub"), *common, "-C", str(MESSAGES)], stdout=subprocess.DEVNULL
    )
    time.sleep(0.5)
    began = time.perf_counter()
    subprocess.run([_program("mosquitto_pub"), *common, "-l"], input=line * MESSAGES, check=True, timeout=60)
    reader.wait(30)
    return MESSAGES / (time.perf_counter() - began)


def _latency(port: int) -> dict[str, float]:
    """From the order, through the broker and a tick, to the status that says it is held, ms; time stands still."""
    now_ms = TICK_MS
    stand_in = StandIn(eight_groups("J"), StandInConfig(tick_ms=TICK_MS))
    front = MqttFront([stand_in], {"port": str(port)}, lambda: now_ms)
    bridge = make([stand_in.junction], front.open(), {"age_ms": "0"})
    took = []
    for i in range(COMMANDS):
        now_ms += 10 * TICK_MS
        with front.lock:
            stand_in.advance(now_ms)
        bridge.read(now_ms)
        began = time.perf_counter()
        bridge.write({0: StageRequest(i % 4)}, now_ms)
        now_ms += TICK_MS
        with front.lock:
            stand_in.advance(now_ms)
        bridge.read(now_ms)
        took.append(1000 * (time.perf_counter() - began))
        held = bridge.status(0, now_ms)
        if held is None or held.controls is None or held.controls.stage != i % 4:
            raise WorkError(f"expected stage {i % 4} to be held, found {held}")
    bridge.close()
    front.close()
    p50, p99 = np.percentile(took, (50, 99))
    return {"latency_ms_p50": round(float(p50), 2), "latency_ms_p99": round(float(p99), 2)}


def _city(port: int) -> dict[str, float]:
    """A thousand junctions in one process, stand-ins and front among them: one look at all, one command to all, s."""
    now_ms = TICK_MS
    stand_ins = [StandIn(eight_groups(f"J{i}")) for i in range(CITY)]
    for stand_in in stand_ins:
        stand_in.advance(now_ms)
    words = {"port": str(port), "look_ms": "10000", "beat_ms": "10000"}
    front = MqttFront(stand_ins, words, lambda: now_ms)
    bridge = make([s.junction for s in stand_ins], front.open(), {"age_ms": "0"}, PATIENT)
    bridge.read(now_ms)
    looks, commands = [], []
    for i in range(CITY_LOOKS):
        now_ms += 10 * TICK_MS
        with front.lock:
            for stand_in in stand_ins:
                stand_in.advance(now_ms)
        looks.append(_seconds(partial(bridge.read, now_ms)))
        orders = {d: StageRequest(i % 4) for d in range(CITY)}
        commands.append(_seconds(partial(bridge.write, orders, now_ms)))
        if any(bridge.health(d).commands != i + 1 for d in range(CITY)):
            raise WorkError(f"expected {CITY} junctions to obey, found {bridge.notes[-1]}")
    bridge.close()
    front.close()
    return {
        "mqtt_junctions": CITY,
        "mqtt_city_look_s": round(min(looks), 3),
        "mqtt_city_command_s": round(min(commands), 3),
    }


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
