"""Measure every protocol that is there, and print one JSON object or a table."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ..machine import tell_figures

PROTOCOLS = ("ntcip", "mqtt", "gbt20999")


def main() -> None:
    """One module per protocol."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bridges", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--only", choices=PROTOCOLS, help="one protocol")
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    for name in PROTOCOLS:
        if options.only in (None, name) and find_spec(f"{__package__}.{name}"):
            sys.stderr.write(f"{name}\n")
            figures |= import_module(f"{__package__}.{name}").measure()
    tell_figures(figures, as_json=options.json)


if __name__ == "__main__":
    main()
