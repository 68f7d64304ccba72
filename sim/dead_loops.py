"""Which loops of a run are dead: a cut loop stays off whatever drives over it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from greensplit.engine.errors import InputError

__all__ = ["pick_dead"]


def pick_dead(ids: Sequence[str], share: float, seed: int, named: Collection[str]) -> frozenset[str]:
    """The ``named`` loops, and of all ``ids`` a ``share`` that ``seed`` draws, rounded to whole loops.

    InputError for a name that is not among ``ids``.
    """
    unknown = sorted(set(named) - set(ids))
    if unknown:
        raise InputError(f"dead loops: expected ids of the run's loops, found {', '.join(unknown)}")
    drawn = np.random.default_rng(seed).permutation(len(ids))[: round(share * len(ids))]
    return frozenset(named) | {ids[d] for d in drawn}
