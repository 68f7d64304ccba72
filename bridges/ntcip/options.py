"""Options of bridge and stand-in, which get the same words from the command line; each reads its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from greensplit.engine.errors import InputError

from .profiles import PROFILES

__all__ = ["chosen_options"]

DEFAULTS: Final = {
    "profile": "standard",
    "version": "1",
    "community": "administrator",
    "read": "public",
    "user": "",
    "auth": "",
    "priv": "",
    "hash": "sha256",
    "rights": "write",
    "host": "127.0.0.1",
    "port": "0",
    "bulk": "yes",
    "versions": "1,2c,3",
    "max_varbinds": "",
    "scalar_suffix": "",
}
HASHES: Final = ("sha224", "sha256", "sha384", "sha512")
RIGHTS: Final = ("read", "write")
LEAST_PASSWORD: Final = 8


def chosen_options(given: Mapping[str, str], where: str) -> dict[str, str]:
    """All options, those that were not given at their defaults. InputError for one that does not exist."""
    unknown = sorted(set(given) - set(DEFAULTS))
    if unknown:
        raise InputError(f"{where}: expected options of {', '.join(DEFAULTS)}; found {unknown[0]}")
    chosen = {**DEFAULTS, **given}
    for name, allowed in (
        ("profile", tuple(PROFILES)),
        ("version", ("1", "2c", "3")),
        ("hash", HASHES),
        ("rights", RIGHTS),
    ):
        if chosen[name] not in allowed:
            raise InputError(f"{where}: {name}: expected one of {', '.join(allowed)}; found {chosen[name]}")
    if chosen["user"] and min(len(chosen["auth"]), len(chosen["priv"])) < LEAST_PASSWORD:
        raise InputError(f"{where}: user: expected auth and priv of at least {LEAST_PASSWORD} characters")
    if chosen["version"] == "3" and not chosen["user"]:
        raise InputError(f"{where}: version 3: expected a user, found none")
    return chosen
