"""What all questions share: the longest time of the model, and the search for what is there twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TypeVar

__all__ = ["MAX_MS", "repeated"]

MAX_MS = 600_000

T = TypeVar("T")


def repeated(values: Iterable[T]) -> dict[T, int]:
    """Values that are there more than once, with their numbers."""
    return {value: n for value, n in Counter(values).items() if n > 1}
