"""Objects and values: what stands on the wire, what is refused at the boundary."""

from __future__ import annotations

import random
from datetime import datetime

import pytest

from greensplit.bridges.gbt20999.catalogue import Form, Value, check_write, find, objects
from greensplit.bridges.gbt20999.errors import FrameError, ValueRefusedError
from greensplit.bridges.gbt20999.frame import Address


@pytest.mark.parametrize(
    ("address", "value", "wire"),
    [
        (Address(7, 1, 2, 1), sum(1 << n - 1 for n in (5, 6, 7, 8, 10, 13, 14, 15, 16)), "000000000000F2F0"),
        (Address(9, 2, 6, 1), (1, 2, 3, 4, *(0,) * 12), "00" * 12 + "04030201"),
        (Address(9, 2, 7, 1), (29, 31, 29, 31, *(0,) * 12), "00" * 24 + "001F001D001F001D"),
        (Address(12, 2, 5, 1), 0x1FFE, "1FFE"),
        (Address(9, 2, 3, 1), 126, "0000007E"),
        (Address(13, 1, 10), datetime(2025, 3, 1, 4, 5, 6), "07E90301040506"),
        (Address(18, 1), (1, *(0,) * 15), "00" * 15 + "01"),
        (Address(1, 1), "东土正创", "E4B89CE59C9FE6ADA3E5889B"),
        (Address(2, 4), -3600, "FFFFF1F0"),
    ],
)
def test_values_stand_on_the_wire_as_published(address: Address, value: Value, wire: str) -> None:
    """Place 1 is the last byte; bit 0 is number 1; texts are not turned round."""
    assert find(address).encode(value) == bytes.fromhex(wire)
    assert find(address).decode(bytes.fromhex(wire)) == value


def test_a_maker_that_does_not_turn_lists_round_is_read_in_its_order() -> None:
    """The same chain with its first place first."""
    chain = bytes((1, 2, 3, 4, *(0,) * 12))
    assert find(Address(9, 2, 6, 1)).decode(chain, highest_first=False) == tuple(chain)


@pytest.mark.parametrize("attribute", sorted(key for key in objects() if key[0] in (4, 7)))
def test_classes_4_and_7_are_never_written(attribute: tuple[int, int, int]) -> None:
    """Phases, conflicts and intergreens: refused in one line, whatever their access."""
    with pytest.raises(ValueRefusedError, match="is never written") as caught:
        check_write(Address(*attribute, 1))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "address", [Address(3, 3, 2, 1), Address(13, 2, 2, 1), Address(16, 1), Address(17, 1, 1, 1)]
)
def test_what_can_only_be_read_is_not_written(address: Address) -> None:
    """State, counts and row numbers."""
    with pytest.raises(ValueRefusedError, match="can only be read"):
        check_write(address)


@pytest.mark.parametrize(
    "address", [Address(17, 2), Address(17, 1, 2, 0), Address(17, 1, 2, 9), Address(3, 1, 0, 1)]
)
def test_what_the_catalogue_does_not_have_is_not_asked(address: Address) -> None:
    """No such object, or no such row."""
    with pytest.raises(ValueRefusedError, match="expected"):
        find(address)


@pytest.mark.parametrize(
    ("address", "value"),
    [
        (Address(17, 1, 2, 1), 0),
        (Address(17, 1, 2, 1), 65),
        (Address(17, 1, 3, 1), 129),
        (Address(17, 1, 2, 1), True),
        (Address(17, 1, 2, 1), "1"),
        (Address(18, 1), (1,)),
        (Address(18, 1), (256, *(0,) * 15)),
        (Address(2, 1), "x" * 129),
        (Address(4, 2, 2, 1), 1 << 64),
    ],
)
def test_values_out_of_range_or_of_another_kind_are_refused(address: Address, value: Value) -> None:
    """One line with what was expected and what was found."""
    with pytest.raises(ValueRefusedError, match=r"expected .* found"):
        find(address).encode(value)


def test_any_bytes_are_a_value_or_a_typed_error() -> None:
    """Random bytes into every object; what decodes encodes to the same bytes, but for the padding of texts."""
    chance = random.Random(4)
    good = 0
    for spec in objects().values():
        for _ in range(60):
            data = chance.randbytes(chance.choice((0, 1, 2, 4, 7, 8, 16, 32, 48, 64, 96, 251, 300)))
            try:
                value = spec.decode(data)
            except FrameError:
                continue
            good += 1
            if spec.form is not Form.TEXT:
                assert spec.encode(value) == data
    assert good > 500
