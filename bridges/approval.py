"""Which models a named engineer has approved: what is driven is what somebody has looked at.

The hash covers the model of a junction and what its controller told of itself; when either changes, the junction is
only watched until the new pair is approved. Approvals are a TOML file with a table for each junction:

    [A]
    hash = "9f2c..."
    by = "NAME"
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import tomli_w

from greensplit.engine.errors import InputError
from greensplit.engine.files import write_atomically
from greensplit.engine.model.site import Junction

from .field import FieldTables

__all__ = ["Approval", "model_hash", "objection", "read_approvals", "write_approvals"]


class Approval(NamedTuple):
    """``hash`` as of ``model_hash``, and who answers for it."""

    hash: str
    by: str


def model_hash(junction: Junction, told: FieldTables) -> str:
    """SHA-256 of the model and of what the controller says of itself: 64 digits, in any process the same."""
    pair = {"model": asdict(junction), "controller": asdict(told)}
    return sha256(json.dumps(pair, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def objection(junction: Junction, told: FieldTables, approved: Mapping[str, Approval]) -> str:
    """Why this controller must not be driven, and how it may be; '' where it was approved."""
    found = model_hash(junction, told)
    known = approved.get(junction.id)
    if known is not None and known.hash == found:
        return ""
    expected = "an approved model" if known is None else f"model {known.hash[:12]} that {known.by} approved"
    return (
        f"junction {junction.id}: expected {expected}, found {found[:12]}: only watched; to approve it, put into the "
        f"file of approvals: [{json.dumps(junction.id)}] hash = {json.dumps(found)}, by = your name"
    )


def read_approvals(path: Path) -> dict[str, Approval]:
    """Approvals by junction id. Raises InputError."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as err:
        raise InputError(f"{path}: expected a TOML file of approvals, found: {err}") from err
    return {name: _approval(path, name, table) for name, table in tables.items()}


def write_approvals(path: Path, approved: Mapping[str, Approval]) -> None:
    """Put approvals into a file, new or not; what it says of other junctions stays. Raises InputError, OutputError."""
    known = read_approvals(path) if path.exists() else {}
    tables = {name: approval._asdict() for name, approval in sorted({**known, **approved}.items())}
    write_atomically(path, tomli_w.dumps(tables).encode())


def _approval(path: Path, name: str, table: object) -> Approval:
    if not isinstance(table, dict) or set(table) != {"hash", "by"}:
        raise InputError(f"{path}: {name}: expected a table with hash and by, found {table!r}")
    digits, by = table["hash"], table["by"]
    if not isinstance(digits, str) or len(digits) != 64 or set(digits) - set("0123456789abcdef"):
        raise InputError(f"{path}: {name}: hash: expected 64 hexadecimal digits, found {digits!r}")
    if not isinstance(by, str) or not by.strip():
        raise InputError(f"{path}: {name}: by: expected the name of an engineer, found {by!r}")
    return Approval(digits, by.strip())
