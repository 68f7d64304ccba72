"""Questions that a site must answer before it may be controlled. Each answer names junction, group, expected, found.

The questions themselves are in ``questions``, by what they ask about.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import ModelError
from .questions.detection import detection_questions, link_questions
from .questions.local import local_questions
from .questions.signals import signal_questions
from .questions.words import MAX_MS, repeated
from .site import Junction, Site

__all__ = ["check", "validate"]

MAX_DEVICE_ID = 2**31 - 1
LEAST_REVERT_MS = 2000  # NEMA TS 2: red revert of at least 2 s


def check(site: Site) -> None:
    """Raise ModelError with the first finding, and the number of findings, unless the site is valid."""
    findings = validate(site)
    if findings:
        more = f" ({len(findings) - 1} more findings)" if len(findings) > 1 else ""
        raise ModelError(findings[0] + more)


def validate(site: Site) -> list[str]:
    """Everything that is wrong with the site, in words; empty when it may be controlled."""
    findings = [*_are_ids_unique(site), *_are_device_ids_in_range(site), *_is_red_revert_in_range(site)]
    for junction in site.junctions:
        findings += [f"junction {junction.id}: {text}" for text in _questions(junction)]
    return [*findings, *link_questions(site)]


def _questions(junction: Junction) -> Iterator[str]:
    yield from signal_questions(junction)
    yield from local_questions(junction)
    yield from detection_questions(junction)


def _are_ids_unique(site: Site) -> Iterator[str]:
    for what, values in (
        ("junction id", [j.id for j in site.junctions]),
        ("device_id", [j.device_id for j in site.junctions]),
    ):
        yield from (
            f"{what} {value}: expected once, found {n} times" for value, n in repeated(values).items()
        )


def _are_device_ids_in_range(site: Site) -> Iterator[str]:
    for junction in site.junctions:
        if not 0 <= junction.device_id <= MAX_DEVICE_ID:
            yield (
                f"junction {junction.id}: expected a device_id from 0 to {MAX_DEVICE_ID}, found {junction.device_id}"
            )


def _is_red_revert_in_range(site: Site) -> Iterator[str]:
    if not LEAST_REVERT_MS <= site.red_revert_ms <= MAX_MS:
        yield f"red_revert_ms: expected {LEAST_REVERT_MS} to {MAX_MS} ms, found {site.red_revert_ms}"
