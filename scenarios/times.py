"""Times as SUMO writes them: seconds, ``HH:MM:SS`` or ``D:HH:MM:SS``."""

from __future__ import annotations

import math

from greensplit.engine.errors import NetworkError

__all__ = ["format_time", "on_grid_s", "parse_time_s"]

UNIT_S = (1, 60, 3600, 86400)


def parse_time_s(text: str, where: str) -> float:
    """Seconds in ``text``; NetworkError naming ``where`` when it is no time SUMO would read."""
    parts = text.strip().lstrip("-").split(":")
    try:
        if len(parts) not in (1, 3, 4):
            raise ValueError(text)
        total_s = sum(float(part) * unit for part, unit in zip(reversed(parts), UNIT_S, strict=False))
    except ValueError as error:
        raise NetworkError(f"{where}: expected seconds or HH:MM:SS, found {text!r}") from error
    return -total_s if text.strip().startswith("-") else total_s


def on_grid_s(time_s: float) -> float:
    """``time_s`` down to the hundredths of a second that route files hold."""
    # The millionth keeps a time that is on the grid, but for the last bit of its float, where it is.
    return math.floor(time_s * 100.0 + 1e-6) / 100.0


def format_time(time_s: float) -> str:
    """``time_s`` with two decimals, the precision SUMO itself writes."""
    return f"{time_s:.2f}"
