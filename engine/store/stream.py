"""Arrow IPC streams that can be cut anywhere and found again: a checksum in the padding of each message.

A segment is a standard Arrow IPC stream (schema message, one record batch per sync, no end mark), so any Arrow reader
opens it: polars, pyarrow, DuckDB. Arrow has no checksum of its own, and after a power cut the last write may be on disk
in part. The format lets the metadata of a message end in padding of any length; ours ends in 24 bytes: a mark, the
CRC-32 of all that precedes and follows in the message, the length of the body and the rows (Arrow columnar format 1.5,
"Encapsulated message format"). Plain files per second instead would cost a directory entry and a second flush each,
Parquet row groups cannot be appended to, and an embedded database would need its own export to columns.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import polars as pl

from .logfile import LOG_SCHEMA

__all__ = ["Buffer", "Message", "Scan", "batch_message", "batches", "decoded", "scanned", "schema_message"]

MARK = b"gsplit\x00\x01"
_HEAD = struct.Struct("<Ii")
_SEAL = struct.Struct("<8sIIQ")  # mark, crc, rows, bytes of body
_CONTINUES = 0xFFFFFFFF
_END_BYTES = 8  # the end mark of a stream that polars writes
_LARGEST_METADATA = 1 << 16
_BATCH_ROWS = 50_000

Buffer = bytes | memoryview


class Message(NamedTuple):
    """Where a whole message lies in its segment, in bytes, and the rows it holds."""

    start: int
    end: int
    rows: int


class Scan(NamedTuple):
    """What is whole in a segment. ``end``: bytes up to which messages are whole, all behind it is a torn tail.

    ``damaged`` counts bytes before ``end`` that belong to no whole message: those that a disk lost later on.
    """

    messages: tuple[Message, ...]
    end: int
    damaged: int

    @property
    def rows(self) -> int:
        """Events in whole messages."""
        return sum(message.rows for message in self.messages)


@cache
def schema_message() -> bytes:
    """The message that a segment begins with."""
    stream = _stream(pl.DataFrame(schema=LOG_SCHEMA))
    return _sealed(stream[: _metadata_end(stream, 0)], rows=0)


def batch_message(frame: pl.DataFrame) -> bytes:
    """Events in the four columns of ``LOG_SCHEMA`` as one message; at most 2**32 - 1 rows."""
    stream = _stream(frame.rechunk())
    return _sealed(stream[_metadata_end(stream, 0) : -_END_BYTES], rows=frame.height)


def decoded(data: Buffer, scan: Scan) -> pl.DataFrame:
    """The events of a segment in order of arrival, in the four columns."""
    return pl.concat([pl.DataFrame(schema=LOG_SCHEMA), *batches(data, scan)])


def batches(data: Buffer, scan: Scan) -> Iterator[pl.DataFrame]:
    """The events of a segment as ``decoded`` gives them, some ten thousand at a time."""
    taken: list[Message] = []
    for message in scan.messages:
        taken.append(message)
        if sum(one.rows for one in taken) >= _BATCH_ROWS:
            yield _frame(data, taken)
            taken = []
    yield _frame(data, taken)


def _frame(data: Buffer, messages: list[Message]) -> pl.DataFrame:
    bodies = [data[message.start : message.end] for message in messages if message.rows]
    if not bodies:
        return pl.DataFrame(schema=LOG_SCHEMA)
    return pl.read_ipc_stream(io.BytesIO(b"".join([schema_message(), *bodies])))


def scanned(data: Buffer) -> Scan:
    """Find the whole messages of a segment. A damaged one in the middle does not hide those behind it."""
    messages = tuple(_messages(data))
    end = messages[-1].end if messages else 0
    return Scan(messages, end, end - sum(message.end - message.start for message in messages))


def _messages(data: Buffer) -> Iterator[Message]:
    at: int | None = 0
    while at is not None:
        message = _message_at(data, at)
        if message is not None:
            yield message
            at = message.end
        else:
            at = _next_start(data, at)


def _message_at(data: Buffer, start: int) -> Message | None:
    """The whole message that begins at ``start``, if one does."""
    if start + _HEAD.size > len(data):
        return None
    continues, metadata = _HEAD.unpack_from(data, start)
    seal_at = start + _HEAD.size + metadata - _SEAL.size
    if continues != _CONTINUES or not _SEAL.size <= metadata <= _LARGEST_METADATA:
        return None
    if seal_at + _SEAL.size > len(data):
        return None
    mark, crc, rows, body = _SEAL.unpack_from(data, seal_at)
    body_at = seal_at + _SEAL.size
    if mark != MARK or body_at + body > len(data):
        return None
    if crc != _crc(data[start:seal_at], rows, data[body_at : body_at + body]):
        return None
    return Message(start, body_at + body, rows)


def _next_start(data: Buffer, after: int) -> int | None:
    """The next place behind ``after`` where a whole message begins. Searched only where there is damage."""
    head = struct.pack("<I", _CONTINUES)
    rest = bytes(data[after + 1 :])
    at = rest.find(head)
    while at != -1 and _message_at(rest, at) is None:
        at = rest.find(head, at + 1)
    return None if at == -1 else after + 1 + at


def _stream(frame: pl.DataFrame) -> bytes:
    sink = io.BytesIO()
    frame.write_ipc_stream(sink)
    return sink.getvalue()


def _metadata_end(stream: bytes, start: int) -> int:
    return start + _HEAD.size + int(_HEAD.unpack_from(stream, start)[1])


def _sealed(message: bytes, rows: int) -> bytes:
    """The message with its seal in the padding of its metadata."""
    end = _metadata_end(message, 0)
    head = _HEAD.pack(_CONTINUES, end - _HEAD.size + _SEAL.size) + message[_HEAD.size : end]
    body = message[end:]
    return b"".join([head, _SEAL.pack(MARK, _crc(head, rows, body), rows, len(body)), body])


def _crc(head: Buffer, rows: int, body: Buffer) -> int:
    return zlib.crc32(body, zlib.crc32(struct.pack("<IQ", rows, len(body)), zlib.crc32(head)))
