"""Why the lamps are as they are: every decision of a controller, with what each alternative was worth to it.

A controller that weighs its stages tells the log once what it measures, and after every decision what it found. The
log is two arrays that grow: a row per decision, and the values of all stages of its junction, one decision after the
other. Nothing is worked out before somebody asks; the runner-up follows from the values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from .loop import View

__all__ = ["DECISION_DTYPE", "FORCED", "HOLD", "KINDS", "SWITCH", "DecisionLog", "Decisions", "Weighing"]

HOLD: Final = 0
SWITCH: Final = 1
FORCED: Final = 2
KINDS: Final = ("hold", "switch", "forced")
"""Stay; change as the values say; change against them, for another reason."""

DECISION_DTYPE: Final = np.dtype(
    [
        ("t_ms", "<i8"),
        ("junction", "<i4"),
        ("from_stage", "<i2"),
        ("to_stage", "<i2"),
        ("kind", "u1"),
        ("mode", "u1"),
        ("reason", "<u2"),
        ("stages", "<u2"),
    ]
)
"""Stages are local indices; ``kind`` is a position in KINDS, ``mode`` and ``reason`` in the texts of ``Decisions``;
``stages`` is how many values belong to the row."""

ROWS_PER_BLOCK: Final = 1 << 15
VALUES_PER_BLOCK: Final = 1 << 18


class Weighing(NamedTuple):
    """What a controller's values are: the name with its unit, which way is better, the names of its modes."""

    measure: str = "value"
    lower_is_better: bool = False
    modes: tuple[str, ...] = ("",)


class Decisions(NamedTuple):
    """Decisions in the order in which they were taken."""

    rows: npt.NDArray[np.void]  # (n,) of DECISION_DTYPE
    value: npt.NDArray[np.float32]  # row by row, every stage of its junction; NaN not weighed
    reasons: tuple[str, ...]
    weighing: Weighing


class _Blocks:
    """An array that grows block by block: what is written stays where it is."""

    __slots__ = ("_blocks", "_dtype", "_length", "_used", "size")

    def __init__(self, dtype: npt.DTypeLike, length: int) -> None:
        self._dtype = dtype
        self._length = length
        self.clear()

    def clear(self) -> None:
        """Begin again, without room."""
        self._blocks: list[npt.NDArray[Any]] = [np.empty(0, self._dtype)]
        self._used = 0
        self.size = 0

    def add(self, count: int) -> npt.NDArray[Any]:
        """``count`` new elements, to be written."""
        if self._used + count > len(self._blocks[-1]):
            self._blocks[-1] = self._blocks[-1][: self._used]
            self._blocks.append(np.empty(max(self._length, count), self._dtype))
            self._used = 0
        first, self._used = self._used, self._used + count
        self.size += count
        return self._blocks[-1][first : self._used]

    def joined(self) -> npt.NDArray[Any]:
        """All elements, as an array of their own."""
        return np.concatenate([*self._blocks[:-1], self._blocks[-1][: self._used]])


class DecisionLog:
    """Gathers the decisions of a run: 22 bytes for each, and 4 for each stage of its junction.

    Nothing is left out, so who runs for weeks must ``take`` from time to time. ``switches`` counts all changes of
    stage, also those taken.
    """

    __slots__ = ("_offset", "_reasons", "_rows", "_values", "switches", "weighing")

    def __init__(self) -> None:
        self._rows = _Blocks(DECISION_DTYPE, ROWS_PER_BLOCK)
        self._values = _Blocks(np.float32, VALUES_PER_BLOCK)
        self._reasons: list[str] = []
        self._offset: dict[tuple[str, ...], int] = {}
        self.weighing = Weighing()
        self.switches = 0

    def declare(self, measure: str, lower_is_better: bool, modes: Sequence[str] = ("",)) -> None:
        """Say what the values are, before the first of them; to say the same again changes nothing.

        Raises ValueError where decisions are in the log that were taken by another measure.
        """
        weighing = Weighing(measure, lower_is_better, tuple(modes))
        if weighing != self.weighing and self._rows.size:
            raise ValueError(
                f"expected decisions by {self.weighing.measure} to be taken first, found {measure}"
            )
        self.weighing = weighing

    def note(
        self,
        view: View,
        request: npt.NDArray[np.int32],
        value: npt.NDArray[np.float64],
        reasons: Sequence[str],
        rule: npt.NDArray[np.uint8] | None,
        weighed: npt.NDArray[np.bool_],
        mode: npt.NDArray[np.uint8] | None = None,
    ) -> None:
        """Record the decision of every junction where (J,) ``weighed``: a switch to another stage, or a hold.

        ``request`` (J,) is the local stage wanted; the running one, or KEEP, is a hold. ``value`` (S,) is what each
        stage was worth, NaN for those that were not weighed. ``rule`` (J,) says which of ``reasons`` held: the first,
        also where ``rule`` is None, is the value itself, all others override it. ``mode`` (J,) is a position in the
        declared modes; None is the first.
        """
        decided = np.flatnonzero(weighed)
        stages = np.diff(view.signals.stage_ptr)
        running = view.machine.stage[decided]
        wanted = np.where(request[decided] < 0, running, request[decided])
        ruled = 0 if rule is None else rule[decided]
        changes = wanted != running
        row = self._rows.add(len(decided))
        row["t_ms"] = view.now_ms
        row["junction"] = decided
        row["from_stage"] = running
        row["to_stage"] = wanted
        row["kind"] = np.where(changes, np.where(ruled, FORCED, SWITCH), HOLD)
        row["mode"] = 0 if mode is None else mode[decided]
        row["reason"] = self._place(tuple(reasons)) + ruled
        row["stages"] = stages[decided]
        told = value[np.repeat(weighed, stages)]
        self._values.add(len(told))[:] = told
        self.switches += int(np.count_nonzero(changes))

    def _place(self, reasons: tuple[str, ...]) -> int:
        """Where these reasons begin among all; they are added when they are new."""
        if reasons not in self._offset:
            self._offset[reasons] = len(self._reasons)
            self._reasons.extend(reasons)
        return self._offset[reasons]

    def gathered(self) -> Decisions:
        """The decisions that are in the log."""
        return Decisions(self._rows.joined(), self._values.joined(), tuple(self._reasons), self.weighing)

    def take(self) -> Decisions:
        """Hand over the decisions that are in the log, and begin again."""
        found = self.gathered()
        self._rows.clear()
        self._values.clear()
        return found
