"""A mosquitto of a run's own, on loopback: the shipped configuration and permissions, two accounts, gone afterwards.

The passwords are drawn anew each time and are in files that only we may read: who is on the same machine without
them cannot command either.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Final

from greensplit.engine.errors import BridgeError, InputError

from .options import TLS_FILES, MqttOptions, read_options

__all__ = ["CONTROLLERS", "ENGINE", "OwnBroker", "between", "free_port"]

ENGINE: Final = "engine"
CONTROLLERS: Final = "gateway"
SAMPLES: Final = files("greensplit.bridges.mqtt") / "mosquitto"
SAMPLE_FOLDER: Final = "/etc/greensplit"
SYSTEM_PLACES: Final = "/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"
WHERE: Final = ("host", "port")
PROOFS: Final = ("user", "password_file", *TLS_FILES)
START_S: Final = 5.0
STOP_S: Final = 5.0
TRIES: Final = 3
"""Somebody else may take a free port before mosquitto does."""


class OwnBroker:
    """One mosquitto with accounts ``ENGINE`` and ``CONTROLLERS``; its files are in ``folder``."""

    def __init__(self, folder: Path, options: MqttOptions) -> None:
        """``options`` name the topics that may be written. Raises InputError where mosquitto is not installed."""
        self.folder = folder
        self.port = 0
        self._program = _find("mosquitto")
        self._process: subprocess.Popen[bytes] | None = None
        self._write_accounts()
        self._write_permissions(options)

    def start(self) -> None:
        """Run until ``stop``; returns when it answers. Raises BridgeError with the last that it wrote."""
        for _ in range(TRIES):
            self.port = free_port()
            if self._answers():
                return
            self.stop()
        raise BridgeError(
            f"mosquitto: expected it to answer within {START_S:g} s, found: {self._last_line()}"
        )

    def stop(self) -> None:
        """End it. Never raises, may be called twice."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def account(self, user: str) -> dict[str, str]:
        """Options of a connection as ``user``."""
        return {
            "host": "127.0.0.1",
            "port": str(self.port),
            "user": user,
            "password_file": str(self.folder / f"{user}.password"),
        }

    def _write_accounts(self) -> None:
        passwords = {user: secrets.token_hex(16) for user in (ENGINE, CONTROLLERS)}
        for user, password in passwords.items():
            self._write(f"{user}.password", password)
        self._write("passwords", "".join(f"{user}:{password}\n" for user, password in passwords.items()))
        command = [_find("mosquitto_passwd"), "-U", str(self.folder / "passwords")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        if done.returncode:
            raise BridgeError(
                f"mosquitto_passwd: expected it to hash two passwords, found: {done.stderr.strip()}"
            )

    def _write_permissions(self, options: MqttOptions) -> None:
        """The sample's, with the levels that this run uses."""
        lines = []
        for line in (SAMPLES / "permissions.acl").read_text(encoding="utf-8").splitlines():
            for sample, ours in (("tlc/", options.prefix), ("centre/", options.supervisor)):
                head, found, rest = line.partition(f" {sample}")
                line = f"{head} {ours}/{rest}" if found and not line.startswith("#") else line
            lines.append(f"{line}\n")
        self._write("permissions.acl", "".join(lines))

    def _write_configuration(self) -> None:
        """The sample up to its first listener, and one of our own."""
        sample = (SAMPLES / "mosquitto.conf").read_text(encoding="utf-8")
        common = sample[: sample.index("\nlistener ") + 1].replace(SAMPLE_FOLDER, str(self.folder))
        account = "user root\n" if os.getuid() == 0 else ""  # its own account could not read our files
        self._write("mosquitto.conf", f"{account}{common}listener {self.port} 127.0.0.1\n")

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")

    def _answers(self) -> bool:
        self._write_configuration()
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "-c", str(self.folder / "mosquitto.conf")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the run, which ends us in its turn
            )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._last_line().endswith(" running"):
                return True
            time.sleep(0.02)
        return False

    def _last_line(self) -> str:
        lines = (self.folder / "log").read_text(encoding="utf-8", errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "silence")


@contextmanager
def between(options: Mapping[str, str]) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """What stands between the two ends of a run: the words for the bridge, and those for the stand-ins.

    A broker that the words name, or one of our own where they name none. In lockstep every look asks. Raises
    InputError where there is no mosquitto, or the words prove who we are to a broker that they do not name.
    """
    words = {"age_ms": "0", **options}
    if any(name in words for name in WHERE):
        yield words, words
        return
    proofs = [name for name in PROOFS if name in words]
    if proofs:
        raise InputError(f"mqtt: {proofs[0]}: expected with the host and port of a broker, found without")
    read = read_options({name: value for name, value in words.items() if name != "client_id"}, "run")
    with tempfile.TemporaryDirectory(prefix="greensplit-broker-") as folder:
        broker = OwnBroker(Path(folder), read)
        try:
            broker.start()
            yield words | broker.account(ENGINE), words | broker.account(CONTROLLERS)
        finally:
            broker.stop()


def _find(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path=SYSTEM_PLACES)
    if found is None:
        raise InputError(
            f"mqtt: expected a broker (host=..., port=...) or a mosquitto of our own (apt-get install mosquitto), "
            f"found no {name}"
        )
    return found


def free_port() -> int:
    """A port of loopback that nobody has at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
