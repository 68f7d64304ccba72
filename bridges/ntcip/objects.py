"""The objects of NTCIP 1202 v02, 1201 and 1203: one table, ``objects.csv``, and the checks that its ranges allow.

Derived from NTCIP 1202. Copyright by AASHTO / ITE / NEMA. Used by permission.

Values are ``int`` for numbers, ``bytes`` for octet strings, ``tuple[int, ...]`` for object identifiers.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import NamedTuple

from greensplit.engine.errors import BridgeError

__all__ = ["Instance", "ObjectType", "Syntax", "Value", "check_value", "instance", "object_types", "type_at"]

Value = int | bytes | tuple[int, ...]
Oid = tuple[int, ...]


class Syntax(StrEnum):
    """How a value is written on the wire."""

    INTEGER = "integer"
    COUNTER = "counter"
    GAUGE = "gauge"
    OCTETS = "octets"
    OPAQUE = "opaque"
    ADDRESS = "address"
    OBJECT_ID = "oid"


@dataclass(frozen=True, slots=True, eq=False)
class ObjectType:
    """One row of the table. ``least`` and ``most`` bound a number, or the length of a string; None where unbounded.

    ``names`` are the values of an enumeration, ``index`` the objects that number a row; () for a scalar.
    """

    name: str
    oid: Oid
    syntax: Syntax
    is_writable: bool
    least: int | None
    most: int | None
    names: MappingProxyType[int, str]
    index: tuple[str, ...]


class Instance(NamedTuple):
    """One object at one row; ``row`` () for a scalar."""

    kind: ObjectType
    row: tuple[int, ...]

    @property
    def oid(self) -> Oid:
        """As a device of no peculiarity names it: scalars end in 0."""
        return self.kind.oid + (self.row or (0,))

    @property
    def label(self) -> str:
        """For messages: name and row."""
        return ".".join([self.kind.name, *map(str, self.row or (0,))])


@cache
def object_types() -> MappingProxyType[str, ObjectType]:
    """The table, by name, in the order of object identifiers within each standard."""
    text = files(__package__).joinpath("objects.csv").read_text("utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return MappingProxyType({row["name"]: _object_type(row) for row in rows})


def _object_type(row: dict[str, str]) -> ObjectType:
    names = (pair.split("=") for pair in row["names"].split())
    return ObjectType(
        name=row["name"],
        oid=tuple(map(int, row["oid"].split("."))),
        syntax=Syntax(row["type"]),
        is_writable=row["access"] == "rw",
        least=int(row["least"]) if row["least"] else None,
        most=int(row["most"]) if row["most"] else None,
        names=MappingProxyType({int(number): name for name, number in names}),
        index=tuple(row["index"].split()),
    )


@cache
def instance(name: str, *index: int) -> Instance:
    """The object ``name`` at a row. Raises KeyError for a name that is not in the table, ValueError for a wrong row."""
    kind = object_types()[name]
    if len(index) != len(kind.index):
        raise ValueError(f"{name}: expected an index of {len(kind.index)} numbers, found {index}")
    return Instance(kind, index)


@cache
def _types_by_oid() -> dict[Oid, ObjectType]:
    return {kind.oid: kind for kind in object_types().values()}


def type_at(oid: Oid) -> Instance | None:
    """The instance that an identifier names, None where the table has none. Scalars answer to 0 only."""
    for length in (len(oid) - 1, len(oid) - 2):
        kind = _types_by_oid().get(oid[:length])
        if kind is not None:
            index = oid[length:]
            if kind.index:
                return Instance(kind, index) if len(index) == len(kind.index) else None
            return Instance(kind, ()) if index == (0,) else None
    return None


def check_value(what: Instance, value: object) -> Value:
    """The value, if the object can have it. Raises BridgeError in words."""
    kind = what.kind
    if kind.syntax in (Syntax.INTEGER, Syntax.COUNTER, Syntax.GAUGE):
        if not isinstance(value, int) or isinstance(value, bool):
            raise BridgeError(f"{what.label}: expected a number, found {value!r:.60}")
        _check_bounds(what, value, "")
        if kind.names and value not in kind.names:
            raise BridgeError(
                f"{what.label}: expected one of {', '.join(kind.names.values())}, found {value}"
            )
        return value
    if kind.syntax is Syntax.OBJECT_ID:
        if not isinstance(value, tuple):
            raise BridgeError(f"{what.label}: expected an object identifier, found {value!r:.60}")
        return value
    if not isinstance(value, bytes):
        raise BridgeError(f"{what.label}: expected a string of octets, found {value!r:.60}")
    _check_bounds(what, len(value), " octets")
    return value


def _check_bounds(what: Instance, found: int, unit: str) -> None:
    kind = what.kind
    least = found if kind.least is None else kind.least
    most = found if kind.most is None else kind.most
    if not least <= found <= most:
        raise BridgeError(f"{what.label}: expected {least} to {most}{unit}, found {found}")
