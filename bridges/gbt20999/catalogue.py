"""The objects of GB/T 20999-2017: what stands where, in which form, and who may write it.

The table is ``objects.csv``. ``rows`` 0 is an object without rows: its element is 0. ``least`` and ``most`` bound a
number, or the bytes of a text, or the places of a list. Numbers are big-endian. Lists and bitmaps are sent with the
highest place first: place 1 is the last byte, and bit 0 of a bitmap is number 1; ``highest_first`` False reads those
of makers that do not turn them round.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

from .errors import FrameError, ValueRefusedError
from .frame import MAX_VALUE_BYTES, Address

__all__ = ["NEVER_WRITTEN", "Form", "ObjectSpec", "Value", "check_write", "find", "objects"]

Value = int | str | bytes | datetime | tuple[int, ...]

NEVER_WRITTEN: Final = {4: "phases", 7: "conflicts and intergreens"}
"""Classes that this host never writes, whatever the controller would allow: they hold what keeps people safe."""
BITMAP_BYTES: Final = 8
TIME_BYTES: Final = 7


class Form(StrEnum):
    """How a value is laid out. ``bits`` is an int with bit 0 for number 1; ``time`` has seven bytes."""

    U8 = "u8"
    U16 = "u16"
    U32 = "u32"
    I32 = "i32"
    TEXT = "text"
    BYTES = "bytes"
    BITS = "bits"
    U8S = "u8s"
    U16S = "u16s"
    TIME = "time"


NUMBER_BYTES: Final = {Form.U8: 1, Form.U16: 2, Form.U32: 4, Form.I32: 4}
PLACE_BYTES: Final = {Form.U8S: 1, Form.U16S: 2}


@dataclass(frozen=True, slots=True)
class ObjectSpec:
    """One attribute of one object."""

    rows: int
    form: Form
    least: int
    most: int
    may_write: bool
    unit: str
    name: str

    def encode(self, value: Value, highest_first: bool = True) -> bytes:
        """The value as bytes. ValueRefusedError where it is of another kind or out of range."""
        data = self._encode(value, highest_first)
        if data is None:
            raise ValueRefusedError(f"{self.name}: expected {self._words()}, found {value!r}")
        return data

    def decode(self, data: bytes, highest_first: bool = True) -> Value:
        """The value in bytes. FrameError where they are of another length or the value is out of range."""
        value = self._decode(data, highest_first) if len(data) <= MAX_VALUE_BYTES else None
        if value is None:
            raise FrameError(f"{self.name}: expected {self._words()}, found {data[:16].hex() or 'nothing'}")
        return value

    @property
    def most_bytes(self) -> int:
        """Bytes of the longest value; a number has no other length."""
        if self.form in NUMBER_BYTES:
            return NUMBER_BYTES[self.form]
        if self.form in PLACE_BYTES:
            return self.most * PLACE_BYTES[self.form]
        return {Form.BITS: BITMAP_BYTES, Form.TIME: TIME_BYTES}.get(self.form, self.most)

    def _words(self) -> str:
        if self.form in PLACE_BYTES or self.form in (Form.TEXT, Form.BYTES):
            return f"{self.form} of {self.least} to {self.most}"
        return str(self.form) if self.form in (Form.BITS, Form.TIME) else f"{self.least} to {self.most}"

    def _encode(self, value: Value, highest_first: bool) -> bytes | None:
        match value:
            case bool():
                return None
            case int() if self.form in NUMBER_BYTES and self.least <= value <= self.most:
                return value.to_bytes(NUMBER_BYTES[self.form], signed=self.form is Form.I32)
            case int() if self.form is Form.BITS and 0 <= value < 1 << 8 * BITMAP_BYTES:
                return value.to_bytes(BITMAP_BYTES, "big" if highest_first else "little")
            case str() if self.form is Form.TEXT and self._fits(len(value.encode())):
                return value.encode()
            case bytes() if self.form is Form.BYTES and self._fits(len(value)):
                return value
            case datetime() if self.form is Form.TIME:
                parts = (value.month, value.day, value.hour, value.minute, value.second)
                return value.year.to_bytes(2) + bytes(parts)
            case tuple() if self.form in PLACE_BYTES and self._fits(len(value)):
                return _encode_places(value, PLACE_BYTES[self.form], highest_first)
        return None

    def _decode(self, data: bytes, highest_first: bool) -> Value | None:
        if self.form in NUMBER_BYTES:
            number = int.from_bytes(data, signed=self.form is Form.I32)
            fits = len(data) == NUMBER_BYTES[self.form] and self.least <= number <= self.most
            return number if fits else None
        if self.form is Form.BITS:
            whole = len(data) == BITMAP_BYTES
            return int.from_bytes(data, "big" if highest_first else "little") if whole else None
        if self.form is Form.TIME:
            return _decode_time(data)
        if self.form in PLACE_BYTES:
            size = PLACE_BYTES[self.form]
            whole = len(data) % size == 0 and self._fits(len(data) // size)
            return _decode_places(data, size, highest_first) if whole else None
        if not self._fits(len(data)):
            return None
        return data if self.form is Form.BYTES else _decode_text(data)

    def _fits(self, size: int) -> bool:
        return self.least <= size <= self.most


def _encode_places(places: tuple[int, ...], size: int, highest_first: bool) -> bytes | None:
    if not all(0 <= place < 1 << 8 * size for place in places):
        return None
    order = reversed(places) if highest_first else iter(places)
    return b"".join(place.to_bytes(size) for place in order)


def _decode_places(data: bytes, size: int, highest_first: bool) -> tuple[int, ...]:
    places = [int.from_bytes(data[at : at + size]) for at in range(0, len(data), size)]
    return tuple(reversed(places) if highest_first else places)


def _decode_text(data: bytes) -> str | None:
    try:
        return data.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        return None


def _decode_time(data: bytes) -> datetime | None:
    if len(data) != TIME_BYTES:
        return None
    try:
        return datetime(int.from_bytes(data[:2]), *data[2:])  # the zone is the object's, not the value's
    except ValueError:
        return None


@cache
def objects() -> dict[tuple[int, int, int], ObjectSpec]:
    """Every object by class, object and attribute."""
    table = files(__package__).joinpath("objects.csv").read_text()
    return {
        (int(row["class"]), int(row["object"]), int(row["attribute"])): ObjectSpec(
            rows=int(row["rows"]),
            form=Form(row["form"]),
            least=int(row["least"]),
            most=int(row["most"]),
            may_write=row["access"] == "RW",
            unit=row["unit"],
            name=row["name"],
        )
        for row in csv.DictReader(table.splitlines())
    }


def find(address: Address) -> ObjectSpec:
    """What stands at an address. ValueRefusedError where the catalogue has nothing there."""
    spec = objects().get(address[:3])
    if spec is None:
        raise ValueRefusedError(f"{address}: expected an object of the catalogue, found none")
    if not (1 <= address.element <= spec.rows if spec.rows else address.element == 0):
        rows = f"1 to {spec.rows}" if spec.rows else "0"
        raise ValueRefusedError(f"{address}: expected element {rows}, found {address.element}")
    return spec


def check_write(address: Address) -> ObjectSpec:
    """What stands at an address that this host may write. ValueRefusedError, in one line, where it may not."""
    if address.data_class in NEVER_WRITTEN:
        what = NEVER_WRITTEN[address.data_class]
        raise ValueRefusedError(f"{address}: class {address.data_class} ({what}) is never written")
    spec = find(address)
    if not spec.may_write:
        raise ValueRefusedError(f"{address}: {spec.name}: can only be read")
    return spec
