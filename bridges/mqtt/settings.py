"""Where the broker is and how to prove oneself to it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["BrokerSettings", "TlsSettings"]


class TlsSettings(BaseModel):
    """Files in PEM: who signs the broker's certificate, and our own certificate where the broker asks for one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    authority: Path
    certificate: Path | None = None
    key: Path | None = None

    @model_validator(mode="after")
    def _comes_in_pairs(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("expected certificate and key, or neither")
        return self


class BrokerSettings(BaseModel):
    """One connection to a broker.

    A password is in a file, so that it is in no configuration and in no list of processes. ``signing_key`` is a file
    with the secret by which commands are signed: with it a controller obeys nobody else, whatever the broker lets by.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 1883
    client_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
    user: str | None = None
    password_file: Path | None = None
    tls: TlsSettings | None = None
    signing_key: Path | None = None
    keepalive_s: Annotated[int, Field(ge=1, le=600)] = 5
    queue: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
