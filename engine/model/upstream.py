"""The site's links as arrays: what leaves a lane, where it is seen, and which lanes it comes to next.

Between the junctions stand *sources*. A source is an exit loop, or a signal group behind which no exit loop lies. A
*way* leads from a lane, under one of its groups, to a source; a *feed* from a source to an approach lane downstream.
Lane ``l`` owns ways ``way_ptr[l]:way_ptr[l + 1]`` and feeds ``feed_ptr[l]:feed_ptr[l + 1]``.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .site import DetectorKind, GroupKind, Junction, Site

__all__ = ["Links", "compile_links"]

I32 = npt.NDArray[np.int32]


class Links(NamedTuple):
    """Ways out of lanes to sources, and feeds from sources into lanes."""

    source_detector: I32  # (E,) exit loop, -1 where the source is a group
    source_junction: I32  # (E,)
    loop_source: I32  # sources that have an exit loop
    way_ptr: I32  # (L + 1,)
    way_group: I32  # (W,) group, index over the site
    way_source: I32  # (W,)
    into_ptr: I32  # (E + 1,)
    into_way: I32  # (W,) ways that lead into each source
    way_lane: I32  # (W,)
    feed_ptr: I32  # (L + 1,)
    feed_source: I32  # (K,)
    feed_travel_ms: I32  # (K,) junction to stop line at free flow
    source_ptr: I32  # (E + 1,)
    source_feed: I32  # (K,) feeds out of each source


class _Source(NamedTuple):
    """Where vehicles of ``groups`` (numbers) of junction ``j`` are seen to leave."""

    j: int
    detector: int
    groups: tuple[int, ...]


def compile_links(site: Site) -> Links:
    """Tables of a site; links to lanes that are no approach of the site are left out."""
    sources = _sources(site)
    ways = _ways(site, sources)
    feeds = _feeds(site, sources)
    lanes = sum(len(junction.lanes) for junction in site.junctions)
    return Links(
        source_detector=_i32(source.detector for source in sources),
        source_junction=_i32(source.j for source in sources),
        loop_source=_i32(i for i, source in enumerate(sources) if source.detector >= 0),
        way_ptr=_ptr((lane for lane, _, _ in ways), lanes),
        way_group=_i32(group for _, group, _ in ways),
        way_source=_i32(source for _, _, source in ways),
        into_ptr=_ptr((source for _, _, source in ways), len(sources)),
        into_way=_order([source for _, _, source in ways]),
        way_lane=_i32(lane for lane, _, _ in ways),
        feed_ptr=_ptr((feed[0] for feed in feeds), lanes),
        feed_source=_i32(feed[1] for feed in feeds),
        feed_travel_ms=_i32(feed[2] for feed in feeds),
        source_ptr=_ptr((feed[1] for feed in feeds), len(sources)),
        source_feed=_order([feed[1] for feed in feeds]),
    )


def _sources(site: Site) -> list[_Source]:
    found: list[_Source] = []
    first = 0
    for j, junction in enumerate(site.junctions):
        exits = [
            _Source(j, first + i, detector.groups)
            for i, detector in enumerate(junction.detectors)
            if detector.kind is DetectorKind.EXIT
        ]
        seen = {number for source in exits for number in source.groups}
        found += exits
        found += [
            _Source(j, -1, (group.number,))
            for group in junction.groups
            if group.kind is not GroupKind.PEDESTRIAN and group.number not in seen
        ]
        first += len(junction.detectors)
    return found


def _ways(site: Site, sources: list[_Source]) -> list[tuple[int, int, int]]:
    """(lane, group, source) of every way, in the order of lanes; indices over the site."""
    by_group: dict[tuple[int, int], list[int]] = {}
    for i, source in enumerate(sources):
        for number in source.groups:
            by_group.setdefault((source.j, number), []).append(i)
    rows: list[tuple[int, int, int]] = []
    lane_index = first_group = 0
    for j, junction in enumerate(site.junctions):
        for lane in junction.lanes:
            rows += [
                (lane_index, first_group + number - 1, source)
                for number in lane.groups
                for source in by_group.get((j, number), [])
            ]
            lane_index += 1
        first_group += len(junction.groups)
    return rows


def _feeds(site: Site, sources: list[_Source]) -> list[tuple[int, int, int]]:
    """(lane, source, travel_ms) of every feed, in the order of lanes.

    What a source leads to, each of its groups leads to: a lane that one of them does not reach is not fed. A group's
    own link is its shortest way over any exit, so the longest of them is nearest to the way over this one.
    """
    lanes = _lane_index(site.junctions)
    reach: dict[tuple[str, int], dict[int, int]] = {}
    for link in site.links:
        lane = lanes.get((link.to_junction, link.to_lane))
        if lane is not None:
            found = reach.setdefault((link.from_junction, link.from_group), {})
            found[lane] = link.travel_ms
    rows: list[tuple[int, int, int]] = []
    for i, source in enumerate(sources):
        reached = [reach.get((site.junctions[source.j].id, number), {}) for number in source.groups]
        common = set.intersection(*(set(found) for found in reached)) if reached else set()
        for lane in common:
            rows.append((lane, i, max(found[lane] for found in reached)))
    return sorted(rows)


def _lane_index(junctions: Iterable[Junction]) -> dict[tuple[str, str], int]:
    names = [(junction.id, lane.id) for junction in junctions for lane in junction.lanes]
    return {name: i for i, name in enumerate(names)}


def _i32(values: Iterable[int]) -> I32:
    return np.fromiter(values, np.int32)


def _ptr(owners: Iterable[int], count: int) -> I32:
    sizes = np.bincount(np.fromiter(owners, np.int64), minlength=count).tolist()
    return np.array([0, *accumulate(sizes)], np.int32)


def _order(owners: list[int]) -> I32:
    """Positions sorted by owner, ties as they came."""
    return np.argsort(np.array(owners, np.int64), kind="stable").astype(np.int32)
