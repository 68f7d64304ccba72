"""A site as TOML, both ways, exact. The reader is strict: an unknown key or a wrong type is an error with its path."""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import tomli_w

from ..errors import ModelError
from ..files import write_atomically
from .site import Site

__all__ = ["read_site", "site_from_toml", "site_to_toml", "write_site"]

MAX_BYTES = 64_000_000


def site_to_toml(site: Site) -> str:
    """The site as TOML text; ``site_from_toml`` gives it back unchanged."""
    return tomli_w.dumps(_plain(asdict(site)))


def site_from_toml(text: str, *, where: str = "model") -> Site:
    """Read a site.

    Raises ModelError with the path of the key that is wrong; ``where`` names the source in the message.
    """
    from pydantic import TypeAdapter, ValidationError  # a run that reads no model starts without it

    try:
        plain = json.dumps(tomllib.loads(text), default=_date)
        return TypeAdapter(Site).validate_json(plain, strict=True)
    except ValidationError as err:
        first = err.errors()[0]
        path = ".".join(str(part) for part in first["loc"])
        raise ModelError(f"{where}: at '{path}': {first['msg']}, found {str(first['input'])[:80]!r}") from err
    except (ValueError, RecursionError) as err:  # tomllib itself gives up at depth and on endless numbers
        raise ModelError(f"{where}: expected TOML, found {err}") from err


def read_site(path: Path) -> Site:
    """Read a site file. Raises ModelError naming file and key."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ModelError(f"{path}: expected at most {MAX_BYTES} bytes, found {path.stat().st_size}")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise ModelError(f"{path}: expected a readable model file, found {err}") from err
    return site_from_toml(text, where=str(path))


def write_site(site: Site, path: Path) -> None:
    """Write a site file under a temporary name, then rename it."""
    write_atomically(path, site_to_toml(site).encode())


def _date(value: object) -> dict[str, str]:
    """Dates, which TOML has and the model has not, become what no field of the model takes."""
    return {str(value): "date"}


def _plain(value: Any) -> Any:
    """Tuples to lists and enums to strings, which is all that TOML knows."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value
