"""A real mosquitto on loopback, with certificates made for the test, from the sample configuration that is shipped."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import pytest

from greensplit.bridges.mqtt.own_broker import free_port

SAMPLES = files("greensplit.bridges.mqtt") / "mosquitto"
PASSWORDS = {"engine": "engine-pass", "gateway": "gate-pass", "J": "junction-pass", "viewer": "viewer-pass"}
START_S = 5.0
PROGRAMS = ("mosquitto", "mosquitto_sub", "mosquitto_pub", "mosquitto_passwd", "openssl")


def require_mosquitto() -> None:
    """Skip where a program is missing, but never where everything must be green."""
    missing = [name for name in PROGRAMS if _program(name) is None]
    if missing and os.environ.get("CI"):
        pytest.fail(f"expected {', '.join(PROGRAMS)}, found no {', '.join(missing)}")
    if missing:
        pytest.skip(f"needs {', '.join(missing)} (apt-get install mosquitto mosquitto-clients openssl)")


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def run(*command: str, **options: object) -> str:
    """Run a program and return what it wrote; a failure is an error of the test."""
    program = _program(command[0])
    assert program is not None
    done = subprocess.run(
        [program, *command[1:]], capture_output=True, text=True, timeout=20, check=True, **options
    )
    return done.stdout


def start_program(*command: str) -> subprocess.Popen[str]:
    """Start a program whose lines the test reads."""
    program = _program(command[0])
    assert program is not None
    return subprocess.Popen(
        [program, *command[1:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


class Authority:
    """Signs certificates in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificate = folder / "authority.crt"
        self._key = folder / "authority.key"
        run(
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ),
            *(
                "-keyout",
                str(self._key),
                "-out",
                str(self.certificate),
                "-subj",
                "/CN=authority",
                "-days",
                "2",
            ),
        )

    def sign(self, name: str, common_name: str, days: int = 2) -> tuple[Path, Path]:
        """A certificate for loopback and its key; -1 days: expired yesterday."""
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        certificate, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        run(
            *("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", str(key), "-out", str(request), "-subj", f"/CN={common_name}"),
        )
        extensions.write_text("subjectAltName=IP:127.0.0.1\n")
        run(
            *("openssl", "x509", "-req", "-in", str(request), "-CA", str(self.certificate)),
            *("-CAkey", str(self._key), "-days", str(days), "-extfile", str(extensions)),
            *("-out", str(certificate)),
        )
        return certificate, key


class Broker:
    """One mosquitto. ``port`` is plain, ``tls_port`` wants a password, ``mutual_port`` a certificate."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.folder, self.authority = folder, authority
        self.port, self.tls_port, self.mutual_port = free_port(), free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._write_files()

    def _write_files(self) -> None:
        shutil.copy(str(SAMPLES / "permissions.acl"), self.folder / "permissions.acl")
        passwords = self.folder / "passwords"
        passwords.touch()
        for user, password in PASSWORDS.items():
            run("mosquitto_passwd", "-b", str(passwords), user, password)
            (self.folder / f"{user}.password").write_text(password + "\n")
        self.authority.sign("broker", "broker")
        for file in self.folder.iterdir():
            file.chmod(0o600)
        sample = (SAMPLES / "mosquitto.conf").read_text(encoding="utf-8")
        for old, new in (
            ("/etc/greensplit", str(self.folder)),
            ("8883 0.0.0.0", f"{self.tls_port} 127.0.0.1"),
            ("8884 0.0.0.0", f"{self.mutual_port} 127.0.0.1"),
        ):
            assert old in sample
            sample = sample.replace(old, new)
        account = "user root\n" if os.getuid() == 0 else ""
        plain = f"listener {self.port} 127.0.0.1\n"
        (self.folder / "mosquitto.conf").write_text(account + sample + plain, encoding="utf-8")

    def replace_certificate(self, days: int) -> None:
        """Another certificate, from the next start on."""
        self.authority.sign("broker", "broker", days)

    def start(self) -> None:
        """Run until ``kill``; returns when the plain port answers."""
        program = _program("mosquitto")
        assert program is not None
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, "-c", str(self.folder / "mosquitto.conf")], stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            assert self._process.poll() is None, (self.folder / "log").read_text()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError("mosquitto does not answer")

    def kill(self) -> None:
        """At once, without a farewell."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(5)
            self._process = None

    def signal(self, number: int) -> None:
        """Freeze it, or let it go on."""
        assert self._process is not None
        self._process.send_signal(number)

    def account(self, user: str) -> dict[str, str]:
        """Options of a connection to the plain port."""
        password = str(self.folder / f"{user}.password")
        return {"port": str(self.port), "user": user, "password_file": password}

    def client(self, user: str, topic: str) -> Sequence[str]:
        """Arguments of mosquitto's own clients."""
        who = ("-u", user, "-P", PASSWORDS[user]) if user else ()
        return ("-h", "127.0.0.1", "-p", str(self.port), "-V", "5", *who, "-t", topic)
