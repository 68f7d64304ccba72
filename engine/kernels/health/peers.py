"""Who sees the same vehicles: the peers that a detector is compared with, and the neighbours that may stand for it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ...model.site import Detector, DetectorKind, Junction, Site

__all__ = ["MAX_PEERS", "Peers", "compile_peers"]

I32 = npt.NDArray[np.int32]
F32 = npt.NDArray[np.float32]

MAX_PEERS: Final = 6
EXIT_WEIGHT: Final = 0.5


class Peers(NamedTuple):
    """Per detector, its peers at ``peer_ptr[d]:peer_ptr[d + 1]``, and its neighbours likewise.

    A peer's weight is the share of its vehicles that the detector sees too: ``prior`` before anything is learned.
    """

    detector_ptr: I32  # (J + 1,)
    peer_ptr: I32  # (D + 1,)
    peer: I32  # (N,) detector
    prior: F32  # (N,)
    neighbour_ptr: I32  # (D + 1,)
    neighbour: I32  # (M,) detectors of the same kind on the same approach


def compile_peers(site: Site) -> Peers:
    """Peers by lane, neighbours by approach.

    A stop-bar loop has the advance loop of its lane, else the exits of its groups; an advance loop the stop-bar loops
    of its lanes; an exit the stop-bar loops of the lanes that lead there. At most ``MAX_PEERS``, within a junction.
    """
    peers: list[list[tuple[int, float]]] = []
    neighbours: list[list[int]] = []
    first = 0
    for junction in site.junctions:
        for d, detector in enumerate(junction.detectors):
            found = list(_peers(junction, detector))[:MAX_PEERS]
            peers.append([(first + i, weight) for i, weight in found])
            neighbours.append([first + i for i in _neighbours(junction, d)])
        first += len(junction.detectors)
    return Peers(
        detector_ptr=_ptr(len(junction.detectors) for junction in site.junctions),
        peer_ptr=_ptr(map(len, peers)),
        peer=np.array([i for found in peers for i, _ in found], np.int32),
        prior=np.array([weight for found in peers for _, weight in found], np.float32),
        neighbour_ptr=_ptr(map(len, neighbours)),
        neighbour=np.array([i for found in neighbours for i in found], np.int32),
    )


def _ptr(sizes: Iterable[int]) -> I32:
    return np.array([0, *accumulate(sizes)], np.int32)


def _peers(junction: Junction, detector: Detector) -> Iterable[tuple[int, float]]:
    if detector.kind is DetectorKind.ADVANCE:
        return _of_kind(junction, DetectorKind.STOP_BAR, detector.lanes, (), 1.0)
    if detector.kind is DetectorKind.STOP_BAR:
        ahead = _of_kind(junction, DetectorKind.ADVANCE, detector.lanes, (), 1.0)
        return ahead or _of_kind(junction, DetectorKind.EXIT, (), detector.groups, EXIT_WEIGHT)
    if detector.kind is DetectorKind.EXIT:
        return _of_kind(junction, DetectorKind.STOP_BAR, (), detector.groups, EXIT_WEIGHT)
    return []


def _of_kind(
    junction: Junction, kind: DetectorKind, lanes: tuple[str, ...], groups: tuple[int, ...], weight: float
) -> list[tuple[int, float]]:
    """Detectors of a kind that share a lane or a group; one for several lanes sends each its part."""
    return [
        (i, weight / max(len(d.lanes), 1) if kind is DetectorKind.ADVANCE else weight)
        for i, d in enumerate(junction.detectors)
        if d.kind is kind and (set(d.lanes) & set(lanes) or set(d.groups) & set(groups))
    ]


def _neighbours(junction: Junction, d: int) -> list[int]:
    approach = {lane.id: lane.approach for lane in junction.lanes}
    mine = junction.detectors[d]
    approaches = {approach.get(lane) for lane in mine.lanes}
    return [
        i
        for i, other in enumerate(junction.detectors)
        if i != d and other.kind is mine.kind and approaches & {approach.get(lane) for lane in other.lanes}
    ]
