"""HTML by construction: every piece of text is escaped unless it is already ``Html``."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Html", "details", "join", "js", "table", "tag"]

VOID_TAGS = frozenset({"meta", "br"})
# Inside <script> only these can end the element or the string (HTML standard 4.12.1.3, ECMA-262 line ends).
SCRIPT_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


class Html(str):
    """Text that is markup already; everything else is escaped when it enters a tag."""

    __slots__ = ()


def _safe(child: object) -> str:
    return child if isinstance(child, Html) else html.escape(str(child))


def join(children: Iterable[object], separator: str = "") -> Html:
    """Children one after the other, plain strings escaped."""
    return Html(separator.join(_safe(child) for child in children))


def tag(name: str, *children: object, attributes: Mapping[str, object] | None = None, cls: str = "") -> Html:
    """One element; attribute values and plain-text children are escaped."""
    merged: dict[str, object] = {"class": cls} if cls else {}
    merged.update(attributes or {})
    text = "".join(f' {key}="{html.escape(str(value))}"' for key, value in merged.items())
    return Html(f"<{name}{text}>" if name in VOID_TAGS else f"<{name}{text}>{join(children)}</{name}>")


def details(summary: str, *children: object) -> Html:
    """A part that the reader may open."""
    return tag("details", tag("summary", summary), *children)


def table(
    caption: str, header: Sequence[object], rows: Iterable[Sequence[object]], *, row_heads: bool = True
) -> Html:
    """A table that scrolls sideways on a narrow screen.

    With ``row_heads`` the first cell of each row is its heading.
    """
    head = tag("thead", tag("tr", *(tag("th", cell, attributes={"scope": "col"}) for cell in header)))
    body = tag("tbody", *(_row(cells, row_heads) for cells in rows))
    region = {"tabindex": "0", "role": "region", "aria-label": caption}
    return tag("div", tag("table", tag("caption", caption), head, body), cls="scroll", attributes=region)


def _row(cells: Sequence[object], row_heads: bool) -> Html:
    first = tag("th", cells[0], attributes={"scope": "row"}) if row_heads else tag("td", cells[0])
    return tag("tr", first, *(tag("td", cell) for cell in cells[1:]))


def js(value: object) -> str:
    """Compact JSON that may stand inside a ``<script>`` element."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    for raw, escaped in SCRIPT_ESCAPES.items():
        text = text.replace(raw, escaped)
    return text
