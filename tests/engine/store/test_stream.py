"""Segments are standard Arrow streams in which each cut and each changed bit is noticed."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from greensplit.engine.store.logfile import event_frame
from greensplit.engine.store.stream import batch_message, decoded, scanned, schema_message

from .rows import NOON_MS, array, some, told

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def message(first: int, count: int) -> bytes:
    """Events as a message."""
    return batch_message(event_frame(some(first, count), EPOCH))


def parameters(data: bytes) -> list[int]:
    """What is read of a segment."""
    return [row[3] for row in told(decoded(data, scanned(data)))]


def test_another_arrow_reader_opens_a_segment() -> None:
    """pyarrow reads the messages as one stream, with our types."""
    table = pa.ipc.open_stream(schema_message() + message(0, 2) + message(2, 1)).read_all()
    assert table.column("parameter").to_pylist() == [0, 1, 2]
    assert table.schema.field("timestamp").type == pa.timestamp("ms", "UTC")
    assert [str(field.type) for field in table.schema][1:] == ["uint32", "uint16", "uint16"]


def test_a_cut_at_any_byte_of_the_last_message_costs_that_message_and_no_other() -> None:
    """Every length between the end of the second message and the end of the third."""
    whole = schema_message() + message(0, 3) + message(3, 2)
    torn = message(5, 2)
    for length in range(len(torn)):
        data = whole + torn[:length]
        assert scanned(data).end == len(whole)
        assert parameters(data) == [0, 1, 2, 3, 4]
    assert parameters(whole + torn) == [0, 1, 2, 3, 4, 5, 6]


def test_a_cut_at_any_byte_of_the_schema_leaves_an_empty_segment() -> None:
    """A crash in the very first write."""
    for length in range(len(schema_message())):
        assert scanned(schema_message()[:length]).end == 0


def test_every_changed_bit_of_a_message_is_noticed() -> None:
    """Each bit of a message of one event, flipped."""
    schema, one = schema_message(), message(9, 1)
    for bit in range(8 * len(one)):
        flipped = bytearray(one)
        flipped[bit // 8] ^= 1 << bit % 8
        assert scanned(schema + bytes(flipped)).rows == 0, f"bit {bit}"


def test_zeros_behind_a_message_are_a_torn_tail() -> None:
    """What a file system leaves that had made the file longer and not yet written it."""
    whole = schema_message() + message(0, 3)
    assert scanned(whole + bytes(4096)).end == len(whole)


@pytest.mark.parametrize("lost", [0, 1])
def test_damage_in_the_middle_hides_nothing_behind_it(lost: int) -> None:
    """A disk that lost a block of the schema or the first batch long after it was written."""
    parts = [schema_message(), message(0, 3), message(3, 2)]
    parts[lost] = bytes(len(parts[lost]))
    data = b"".join(parts)
    assert parameters(data) == ([0, 1, 2, 3, 4], [3, 4])[lost]
    assert scanned(data).end == len(data)
    assert scanned(data).damaged == len(parts[lost])


def test_events_come_back_as_they_were() -> None:
    """Extreme values of each column."""
    rows = [(0, 0, 0, 0), (NOON_MS, 2**32 - 1, 2**16 - 1, 2**16 - 1)]
    data = batch_message(event_frame(array(*rows), EPOCH))
    assert told(decoded(data, scanned(data))) == rows
