"""Position-weighted pressure: vehicles near the stop line push, vehicles near the entrance of the next link push back.

Li and Jabari (2019, Transportation Research B): a vehicle counts by its place, x / L before the junction and
(L - x) / L behind it, x from the entrance of a link of length L. A link that is full up to its entrance takes
nothing, one with room takes much: pressure knows the capacity of links. Perfect vision. Changes of stage cost time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from greensplit.engine.decisions import DecisionLog
from greensplit.engine.events import FORCE_OFF
from greensplit.engine.loop import Truth, View
from greensplit.engine.model.site import Site
from greensplit.engine.model.upstream import Links

from .choice import seen
from .switching import serve_most_earning

__all__ = ["Config", "NextLanes", "PressureCapacity", "link_lengths_m", "next_lanes", "pressures"]


@dataclass(frozen=True, slots=True)
class Config:
    """``range_m`` before the stop line is as far as a vehicle pushes, across edges; on a shorter link its entrance.

    ``behind`` is the share of the push back that counts; ``use_ms`` the time over which a stage is weighed against
    the time that the change to it costs.
    """

    period_ms: int = 1000
    min_green_ms: int = 5000
    range_m: float = 150.0
    behind: float = 0.25
    use_ms: int = 3000


@dataclass(frozen=True, slots=True)
class NextLanes:
    """Approach lanes that each group leads to: ``lane[k]`` is one of ``group[k]``; ``count`` (G,) of them each.

    ``length_m`` (L,) is that of each approach lane's link, infinite where no junction is upstream.
    """

    group: npt.NDArray[np.int32]
    lane: npt.NDArray[np.int32]
    count: npt.NDArray[np.int64]
    length_m: npt.NDArray[np.float64]


class PressureCapacity:
    """Highest pressure first, without bound on red."""

    def __init__(self, config: Config, site: Site) -> None:
        self._config = config
        self._length_m = link_lengths_m(site)
        self._next: NextLanes | None = None

    def decide(
        self, view: View, request: npt.NDArray[np.int32], cause: npt.NDArray[np.uint8], log: DecisionLog
    ) -> int:
        """See ``greensplit.engine.loop.Controller``. Raises WorkError without perfect vision."""
        config = self._config
        truth = seen(view, "pressure-capacity")
        if self._next is None:
            self._next = next_lanes(view.links, self._length_m, len(view.signals.min_green_ms))
        weight = pressures(truth, self._next, config.range_m, config.behind)
        earned, chose = serve_most_earning(view, weight, config.min_green_ms, config.use_ms, request)
        cause.fill(FORCE_OFF)
        log.declare("pressure, vehicles", lower_is_better=False)
        log.note(view, request, earned, ("most pressure by place before less behind",), None, chose)
        return view.now_ms + config.period_ms


def link_lengths_m(site: Site) -> npt.NDArray[np.float64]:
    """(L,) the shortest link to each approach lane, infinite where there is none."""
    names = [(junction.id, lane.id) for junction in site.junctions for lane in junction.lanes]
    shortest: dict[tuple[str, str], float] = {}
    for link in site.links:
        name = (link.to_junction, link.to_lane)
        shortest[name] = min(shortest.get(name, math.inf), link.length_m)
    return np.array([shortest.get(name, math.inf) for name in names])


def next_lanes(links: Links, length_m: npt.NDArray[np.float64], groups: int) -> NextLanes:
    """The site's links, from group to approach lane, whose links are ``length_m`` (L,) long."""
    feed_lane = np.repeat(np.arange(len(length_m)), np.diff(links.feed_ptr))
    pairs = {
        (int(group), int(lane))
        for group, source in zip(links.way_group, links.way_source, strict=True)
        for lane in feed_lane[links.feed_source == source]
    }
    found = np.array(sorted(pairs), np.int32).reshape(-1, 2)
    return NextLanes(found[:, 0], found[:, 1], np.bincount(found[:, 0], minlength=groups), length_m)


def pressures(truth: Truth, ahead: NextLanes, range_m: float, behind: float) -> npt.NDArray[np.float64]:
    """(G,) pressure of each group, vehicles: at least 0, since nobody has to be served for a full link's sake."""
    groups, lanes = len(ahead.count), len(ahead.length_m)
    length_m = ahead.length_m[truth.lane]
    push = np.bincount(
        truth.group, np.maximum(1.0 - truth.distance_m / np.minimum(length_m, range_m), 0.0), groups
    )
    on_link = truth.distance_m <= length_m
    pushed = np.bincount(truth.lane, np.where(on_link, truth.distance_m / length_m, 0.0), lanes)
    back = np.bincount(ahead.group, pushed[ahead.lane], groups) / np.maximum(ahead.count, 1)
    pressure: npt.NDArray[np.float64] = np.maximum(push - behind * back, 0.0)
    return pressure
