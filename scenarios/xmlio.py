"""XML of others, read safely in one pass; XML of ours, written atomically. ``.gz`` works throughout."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast
from xml.etree.ElementTree import Element, ParseError, tostring
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler

import defusedxml.ElementTree
import defusedxml.sax
from defusedxml.common import DefusedXmlException

from greensplit.engine.errors import NetworkError
from greensplit.engine.files import atomic_path

__all__ = ["StartHandler", "scan", "top_level", "tree", "write_atomically", "write_document"]

StartHandler = Callable[[str, Mapping[str, str]], None]


def scan(path: Path, on_start: StartHandler) -> None:
    """Call ``on_start(tag, attributes)`` for every element, in order; NetworkError on a broken file."""
    with _reading(path) as stream:
        defusedxml.sax.parse(stream, _Starts(on_start))


def top_level(path: Path) -> Iterator[Element]:
    """The children of the root element, one by one and complete; NetworkError on a broken file."""
    with _reading(path) as stream:
        depth = 0
        root: Element | None = None
        for event, element in defusedxml.ElementTree.iterparse(stream, events=("start", "end")):
            root = element if root is None else root
            depth += 1 if event == "start" else -1
            if event == "end" and depth == 1:
                yield element
                root.clear()


def tree(path: Path) -> Element:
    """The root element of a whole document; NetworkError on a broken file."""
    with _reading(path) as stream:
        return cast(Element, defusedxml.ElementTree.parse(stream).getroot())


def write_atomically(path: Path, chunks: Iterable[bytes]) -> None:
    """Write ``chunks`` under a temporary name beside ``path``, then rename; OutputError or StorageError if that fails.

    A name that ends in ``.gz`` is compressed, without a time stamp, so that equal content gives equal bytes.
    """
    with atomic_path(path) as partial, partial.open("wb") as raw:
        _write_chunks(raw, chunks, compressed=path.suffix == ".gz")


def write_document(path: Path, root: str, children: Iterable[Element]) -> None:
    """Write an XML file whose element ``root`` holds ``children``, one a line. Raises OutputError or StorageError."""
    write_atomically(path, _document(root, children))


def _document(root: str, children: Iterable[Element]) -> Iterator[bytes]:
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>\n'.encode()
    for child in children:
        yield b"    " + cast(bytes, tostring(child, encoding="utf-8", xml_declaration=False)).strip() + b"\n"
    yield f"</{root}>\n".encode()


def _write_chunks(raw: IO[bytes], chunks: Iterable[bytes], *, compressed: bool) -> None:
    if not compressed:
        raw.writelines(chunks)
        return
    with gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as stream:
        stream.writelines(chunks)


@contextmanager
def _reading(path: Path) -> Iterator[IO[bytes]]:
    try:
        with _open_binary(path) as stream:
            yield stream
    except FileNotFoundError as error:
        raise NetworkError(f"{path}: expected an XML file, found none") from error
    except (OSError, EOFError, zlib.error) as error:
        raise NetworkError(f"{path}: expected a readable file, found: {error}") from error
    except (ParseError, SAXParseException) as error:
        raise NetworkError(f"{path}: expected well-formed XML, found: {error}") from error
    except DefusedXmlException as error:
        raise NetworkError(f"{path}: expected plain XML, found entities or external references") from error


def _open_binary(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


class _Starts(ContentHandler):
    def __init__(self, on_start: StartHandler) -> None:
        super().__init__()
        self._on_start = on_start

    def startElement(self, name: str, attrs: object) -> None:  # noqa: N802 - the SAX interface's name
        self._on_start(name, cast("Mapping[str, str]", attrs))
