"""Words from a command line or a site's file, ``name=value``, as settings of a connection: for bridge and front."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from greensplit.engine.errors import InputError

from .settings import BrokerSettings

__all__ = ["MqttOptions", "read_options"]

TLS_FILES: Final = ("authority", "certificate", "key")


class MqttOptions(BaseModel):
    """What is common to both ends, or belongs to one of them.

    ``prefix`` are the levels above the junctions, ``supervisor`` the node of the engine. ``epoch_ms`` is UTC at 0 of
    the clock that was handed in. ``age_ms``: how old a status may be before the bridge asks for a new one, 0 always
    asks. The front sends its status when it changes, looking every ``look_ms``, and at the latest after ``beat_ms``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    broker: BrokerSettings
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_/-]{1,64}$")] = "tlc"
    supervisor: Annotated[str, Field(pattern=r"^[A-Za-z0-9_/-]{1,64}$")] = "centre"
    epoch_ms: Annotated[int, Field(ge=0, le=1 << 52)] = 0
    age_ms: Annotated[int, Field(ge=0, le=2000)] = 300
    look_ms: Annotated[int, Field(ge=5, le=10_000)] = 100
    beat_ms: Annotated[int, Field(ge=5, le=10_000)] = 1000


def read_options(words: Mapping[str, str], client_id: str) -> MqttOptions:
    """The options in some words. Raises InputError that names the word."""
    own = set(MqttOptions.model_fields) - {"broker"}
    broker: dict[str, Any] = {"client_id": client_id}
    tls: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for name, value in words.items():
        (rest if name in own else tls if name in TLS_FILES else broker)[name] = value
    if tls:
        broker["tls"] = tls
    try:
        return MqttOptions.model_validate(rest | {"broker": broker})
    except ValidationError as err:
        first = err.errors()[0]
        name = str(first["loc"][-1]) if first["loc"] else "options"
        raise InputError(f"mqtt: {name}: {first['msg']}, found {str(first['input'])[:80]!r}") from err
