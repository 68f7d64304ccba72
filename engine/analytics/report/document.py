"""One HTML file from its parts: style, data, chart library and client inside, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files

from .charts import Chart
from .markup import Html, join, js, tag
from .section import Section

__all__ = ["document", "main_of"]

STYLE_SHEET, CLIENT = "style.css", "client.js"


def document(
    title: str, body: Sequence[Html], sections: Sequence[Section], bundle: bytes, language: str = "en"
) -> bytes:
    """The file, UTF-8: ``body`` in order, then the data and charts of ``sections`` and what draws them."""
    client = _asset(CLIENT).encode()
    head = tag(
        "head",
        tag("meta", attributes={"charset": "utf-8"}),
        tag("meta", attributes={"http-equiv": "Content-Security-Policy", "content": _policy(bundle, client)}),
        tag("meta", attributes={"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        tag("title", title),
        tag("style", Html(_asset(STYLE_SHEET))),
    )
    data = tag("script", Html(_data(sections)), attributes={"type": "application/json", "id": "report-data"})
    # Joined as bytes: the library is large and holds a wide character, which quadruples its size as a str.
    before = f'<!DOCTYPE html>\n<html lang="{language}">{head}<body>{join([*body, data])}'
    return b"".join([before.encode(), _script(bundle), _script(client), b"</body></html>"])


def main_of(sections: Sequence[Section]) -> Html:
    """The sections one below the other, each with its heading."""
    parts = (
        tag("section", tag("h2", section.title), section.body, attributes={"id": section.key})
        for section in sections
    )
    return tag("main", join(parts))


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _script(text: bytes) -> bytes:
    return b"<script>" + text + b"</script>"


def _policy(*scripts: bytes) -> str:
    """Nothing is loaded, and nothing runs but the scripts of this page (CSP level 2, hash-source)."""
    digests = (base64.b64encode(hashlib.sha256(script).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {allowed}"


def _data(sections: Sequence[Section]) -> str:
    data = {name: dataset.as_json() for section in sections for name, dataset in section.data.items()}
    charts = [_chart(chart) for section in sections for chart in section.charts]
    return js({"data": data, "charts": charts})


def _chart(chart: Chart) -> dict[str, object]:
    return {"id": f"chart-{chart.key}", "spec": chart.spec, "byJunction": chart.by_junction}
