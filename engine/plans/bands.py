"""Green bands through an arterial: offsets by mixed-integer programming.

MAXBAND gives one band each way (Little, Kelson and Gartner, TRR 795, 1981); MULTIBAND a band for each link around one
line of progression, weighted with its flow (Gartner et al., Transportation Research B 25, 1991). Cycle and stage
sequence are given here, since delay has chosen them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp

__all__ = ["Bands", "Window", "solve_bands"]

F64 = npt.NDArray[np.float64]
LEAST_WEIGHT = 1e-3


@dataclass(frozen=True, slots=True)
class Window:
    """Green of a direction at a junction: it starts ``start`` after the junction's own zero; both as shares of a cycle.

    ``length`` 0 says that nobody drives that way.
    """

    start: float
    length: float


@dataclass(frozen=True, slots=True)
class Bands:
    """Offsets of the junctions and the band of each link, out and back; all shares of a cycle."""

    offsets: tuple[float, ...]
    out: tuple[float, ...]
    back: tuple[float, ...]


def solve_bands(
    out: Sequence[Window],
    back: Sequence[Window],
    out_travel: Sequence[float],
    back_travel: Sequence[float],
    out_weight: Sequence[float],
    back_weight: Sequence[float],
    *,
    uniform: bool,
    limit_s: float = 5.0,
) -> Bands | None:
    """Offsets of most weighted band width; n windows each way, n - 1 travel times (shares of a cycle) and weights.

    ``uniform`` asks for one band through all links (MAXBAND). None where the solver finds nothing in ``limit_s``.
    """
    program = _Program(len(out), uniform)
    program.direction(0, out, out_travel, out_weight)
    program.direction(1, back, [-share for share in back_travel], back_weight)
    return program.solve(limit_s)


class _Program:
    """Variables: offset of each junction; then per direction a line (n), bands (n - 1) and whole cycles (n - 1).

    The line of progression passes junction i at offset + start + line; half of each band lies on either side.
    """

    def __init__(self, junctions: int, uniform: bool) -> None:
        self._n = junctions
        self._uniform = uniform
        self._size = junctions + 2 * (3 * junctions - 2)
        self._gain = np.zeros(self._size)
        self._low, self._high = np.zeros(self._size), np.ones(self._size)
        self._integer = np.zeros(self._size)
        self._rows: list[F64] = []
        self._least: list[float] = []
        self._most: list[float] = []
        self._high[0] = 0.0

    def _line(self, direction: int, i: int) -> int:
        return self._n + direction * (3 * self._n - 2) + i

    def _band(self, direction: int, i: int) -> int:
        return self._line(direction, self._n) + (0 if self._uniform else i)

    def _cycles(self, direction: int, i: int) -> int:
        return self._line(direction, 2 * self._n - 1) + i

    def direction(
        self, direction: int, windows: Sequence[Window], travel: Sequence[float], weight: Sequence[float]
    ) -> None:
        """One way through the arterial; ``travel`` is negative where it is driven against the order."""
        for i in range(self._n - 1):
            used = windows[i].length > 0.0 and windows[i + 1].length > 0.0
            self._high[self._band(direction, i)] = 1.0 if used else 0.0
            self._gain[self._band(direction, i)] += max(weight[i], LEAST_WEIGHT) if used else 0.0
            bound = abs(travel[i]) + 3.0
            self._integer[self._cycles(direction, i)] = 1.0
            self._low[self._cycles(direction, i)] = -np.ceil(bound)
            self._high[self._cycles(direction, i)] = np.ceil(bound)
            if used:
                self._progress(direction, i, windows, travel[i])
                for junction in (i, i + 1):
                    self._fit(direction, junction, i, windows[junction].length)
        if self._uniform:
            used_links = [a.length > 0.0 and b.length > 0.0 for a, b in pairwise(windows)]
            self._high[self._band(direction, 0)] = float(any(used_links))

    def _progress(self, direction: int, i: int, windows: Sequence[Window], travel: float) -> None:
        """The line comes to junction i + 1 a travel time after junction i, but for whole cycles."""
        row = np.zeros(self._size)
        row[i + 1], row[i] = 1.0, -1.0
        row[self._line(direction, i + 1)], row[self._line(direction, i)] = 1.0, -1.0
        row[self._cycles(direction, i)] = 1.0
        moved = travel + windows[i].start - windows[i + 1].start
        self._add(row, moved, moved)

    def _fit(self, direction: int, junction: int, link: int, length: float) -> None:
        """Half of the link's band on either side of the line lies within the green."""
        for sign, least in ((-0.5, 0.0), (0.5, -np.inf)):
            row = np.zeros(self._size)
            row[self._line(direction, junction)] = 1.0
            row[self._band(direction, link)] = sign
            self._add(row, least, np.inf if sign < 0.0 else length)

    def _add(self, row: F64, least: float, most: float) -> None:
        self._rows.append(row)
        self._least.append(least)
        self._most.append(most)

    def solve(self, limit_s: float) -> Bands | None:
        """The best solution found in time."""
        found = milp(
            -self._gain,
            integrality=self._integer,
            bounds=Bounds(self._low, self._high),
            constraints=LinearConstraint(np.array(self._rows), self._least, self._most) if self._rows else (),
            options={"time_limit": limit_s},
        )
        if found.x is None:
            return None
        values = [float(value) for value in found.x]
        links = range(self._n - 1)
        return Bands(
            tuple(value % 1.0 for value in values[: self._n]),
            tuple(values[self._band(0, i)] for i in links),
            tuple(values[self._band(1, i)] for i in links),
        )
