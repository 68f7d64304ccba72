"""Is the controller that answers the one that the model describes? Differences in words; any of them bars control."""

from __future__ import annotations

from collections.abc import Iterator

from greensplit.engine.model.site import Junction

from .field import FieldTables, tables_of

__all__ = ["differences"]


def differences(found: FieldTables, junction: Junction, longest_backup_ms: int) -> Iterator[str]:
    """What the controller says of itself against the model of the junction; what it does not tell is not compared."""
    expected = tables_of(junction, longest_backup_ms)
    for what, wanted, told in (
        ("signal groups", expected.groups, found.groups),
        ("detectors", expected.detectors, found.detectors),
        ("groups of stages", expected.stages, found.stages),
        ("groups that may be green together", expected.together, found.together),
        ("minimum greens, ms", expected.min_green_ms, found.min_green_ms),
        ("clearances, ms", expected.clearance_ms, found.clearance_ms),
    ):
        if told is not None and told != wanted:
            yield f"junction {junction.id}: {what}: expected {_part(wanted, told)}"
    backup_ms = found.backup_ms
    if backup_ms is not None and not 0 < backup_ms <= longest_backup_ms:
        yield f"junction {junction.id}: backup time: expected 1 to {longest_backup_ms} ms, found {backup_ms}"


def _part(wanted: object, told: object) -> str:
    """The first place where two tables differ, or the two as they are."""
    if not isinstance(wanted, tuple) or not isinstance(told, tuple):
        return f"{wanted}, found {told}"
    if len(wanted) != len(told):
        return f"{len(wanted)} of them, found {len(told)}"
    i = next(i for i, (one, other) in enumerate(zip(wanted, told, strict=True)) if one != other)
    return f"{wanted[i]} at {i + 1}, found {told[i]}"
