"""Controllers and machines that mean no good: requests of every kind, and tables with one thing wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.machine import ALL_RED, FLASH, KEEP
from greensplit.engine.model.aspects import DARK, GREEN, PERMISSIVE, RED, RED_AMBER
from greensplit.engine.model.compiled import CONFLICT, SHARED, Signals

__all__ = ["Orders", "calm_orders", "hostile_orders", "sabotage", "scramble", "tick_lengths"]

ASPECTS: Final = 8
TICKS_MS: Final = (100, 200, 500, 1000, 2000)
LONGEST_TICK_MS: Final = 2000


class Orders(NamedTuple):
    """What the controllers ask for in one tick."""

    request: npt.NDArray[np.int32]  # (J,)
    withheld: npt.NDArray[np.int64]  # (J,)
    urgent: npt.NDArray[np.uint8]  # (J,)

    def unhindered(self) -> Orders:
        """The same with nothing withheld."""
        return self._replace(withheld=np.zeros_like(self.withheld))


def tick_lengths(rng: np.random.Generator, ticks: int) -> npt.NDArray[np.int64]:
    """All of 100 ms, all of another length, or each of its own length of 100 to 2000 ms."""
    kind = rng.random()
    if kind < 0.5:
        return np.full(ticks, TICKS_MS[0], np.int64)
    if kind < 0.75:
        return np.full(ticks, rng.choice(TICKS_MS), np.int64)
    return rng.integers(1, LONGEST_TICK_MS // 100 + 1, ticks) * 100


def hostile_orders(rng: np.random.Generator, signals: Signals, ticks: int) -> Iterator[Orders]:
    """Every junction has a controller of its own style: how it asks, how urgently, and what it withholds."""
    stages, groups = np.diff(signals.stage_ptr), np.diff(signals.group_ptr)
    shape = ticks, len(stages)
    asks = rng.integers(0, len(_ASKING), shape[1])
    request = np.select(
        [asks == i for i in range(len(_ASKING))], [ask(rng, stages, shape) for ask in _ASKING]
    )
    hurry = rng.choice([0.0, 0.0, 0.1, 1.0], shape[1])
    held_back = rng.choice([0.0, 0.0, 0.5, 1.0], shape[1])
    withheld = rng.integers(0, np.int64(1) << groups, shape) * (rng.random(shape) < held_back)
    urgent = rng.random(shape) < hurry
    for k in range(ticks):
        yield Orders(request[k].astype(np.int32), withheld[k], urgent[k].astype(np.uint8))


def calm_orders(rng: np.random.Generator, signals: Signals) -> Orders:
    """One thing for every junction, without hurry, and some groups held back for now."""
    stages, groups = np.diff(signals.stage_ptr), np.diff(signals.group_ptr)
    request = rng.integers(FLASH, stages)
    request[request == KEEP] = 0
    urgent = np.zeros(len(stages), np.uint8)
    return Orders(request.astype(np.int32), rng.integers(0, np.int64(1) << groups), urgent)


I64 = npt.NDArray[np.int64]
Shape = tuple[int, int]


def _at_random(rng: np.random.Generator, stages: I64, shape: Shape) -> I64:
    """Another one in every tick, some that do not exist."""
    return rng.integers(KEEP - 3, stages + 2, shape)


def _flapping(rng: np.random.Generator, stages: I64, shape: Shape) -> I64:
    """To and fro between two."""
    pair = rng.integers(0, stages, (2, shape[1]))
    return pair[np.arange(shape[0]) % 2]


def _seldom(rng: np.random.Generator, stages: I64, shape: Shape) -> I64:
    """One request, a long silence."""
    return np.where(rng.random(shape) < 0.02, rng.integers(FLASH, stages, shape), KEEP)


def _repeating(rng: np.random.Generator, stages: I64, shape: Shape) -> I64:
    """The same again and again, for a while."""
    blocks = rng.integers(0, stages, (shape[0] // 25 + 1, shape[1]))
    return np.repeat(blocks, 25, axis=0)[: shape[0]]


def _nonsense(rng: np.random.Generator, stages: I64, shape: Shape) -> I64:
    """Stages far out of range, now and then a real one."""
    wild = rng.integers(-(2**31), 2**31, shape)
    return np.where(rng.random(shape) < 0.1, rng.integers(0, stages, shape), wild)


def _breaking_off(rng: np.random.Generator, stages: I64, shape: Shape) -> I64:
    """All red and flash in between."""
    rest = rng.choice([ALL_RED, FLASH, KEEP], shape)
    return np.where(rng.random(shape) < 0.7, rng.integers(0, stages, shape), rest)


_ASKING: Final[tuple[Callable[[np.random.Generator, I64, Shape], I64], ...]] = (
    _at_random,
    _flapping,
    _seldom,
    _repeating,
    _nonsense,
    _breaking_off,
)


def scramble(rng: np.random.Generator, signals: Signals, lamps: npt.NDArray[np.uint8]) -> None:
    """Change a lamp, or darken all, at one junction of 200, in place.

    A third of the lamps change to anything, half go a step on where one is between red and green.
    """
    first, last = signals.group_ptr[:-1], signals.group_ptr[1:]
    chance = 200 * rng.random(len(first))
    for j in np.flatnonzero(chance < 1.0).tolist():
        if chance[j] < 0.3:
            lamps[rng.integers(first[j], last[j])] = rng.integers(ASPECTS)
        elif chance[j] < 0.8:
            shown = lamps[first[j] : last[j]]
            between = np.flatnonzero((shown != RED) & (shown != GREEN) & (shown != PERMISSIVE))
            local = rng.choice(between) if len(between) else rng.integers(len(shown))
            shown[local] = _step_on(signals, int(first[j] + local), int(shown[local]))
        else:
            lamps[first[j] : last[j]] = DARK


def _step_on(signals: Signals, group: int, aspect: int) -> int:
    """What comes next in the sequence of a group, too early more often than not."""
    if aspect == RED:
        return RED_AMBER if signals.start_ms[group] else GREEN
    if aspect == RED_AMBER:
        return GREEN
    stop = [*signals.stop_aspect[group].tolist(), RED]
    return int(stop[stop.index(aspect) + 1] if aspect in stop[:2] else stop[0])


def sabotage(rng: np.random.Generator, signals: Signals) -> Signals:
    """Spoil one thing in the tables of each junction, in place, and for some cities the red-revert time."""
    for j in range(len(signals.device_id)):
        spoil = _SPOILERS[rng.integers(len(_SPOILERS))]
        spoil(rng, signals, j)
    return signals._replace(revert_ms=signals.revert_ms - int(rng.choice([0, 100, 100, 2000])))


Spoiler = Callable[[np.random.Generator, Signals, int], None]


def _groups(signals: Signals, j: int) -> slice:
    return slice(int(signals.group_ptr[j]), int(signals.group_ptr[j + 1]))


def _pairs(signals: Signals, j: int) -> slice:
    return slice(int(signals.pair_ptr[j]), int(signals.pair_ptr[j + 1]))


def _shortened(name: str, where: Callable[[Signals, int], slice], *, by_ms: int = 100) -> Spoiler:
    """A table of times, too short by one step."""

    def spoil(_rng: np.random.Generator, signals: Signals, j: int) -> None:
        times = getattr(signals, name)[where(signals, j)]
        np.maximum(times - by_ms, 0, out=times)

    return spoil


def _turned_round(_rng: np.random.Generator, signals: Signals, j: int) -> None:
    """Intergreens looked up the wrong way."""
    block = signals.intergreen_ms[_pairs(signals, j)]
    n = round(len(block) ** 0.5)
    block[:] = block.reshape(n, n).T.copy().ravel()


def _friends(_rng: np.random.Generator, signals: Signals, j: int) -> None:
    """Conflicts taken for pairs that the program shows together, and stages that show them so."""
    meeting = signals.meeting[_pairs(signals, j)]
    signals.intergreen_ms[_pairs(signals, j)][meeting == CONFLICT] = 0
    meeting[meeting == CONFLICT] = SHARED
    _all_green(_rng, signals, j)


def _all_green(rng: np.random.Generator, signals: Signals, j: int) -> None:
    """One stage shows everything."""
    stage = rng.integers(signals.stage_ptr[j], signals.stage_ptr[j + 1])
    shown = signals.stage_aspect[signals.stage_aspect_ptr[stage] : signals.stage_aspect_ptr[stage + 1]]
    shown[shown == RED] = GREEN


def _bold(_rng: np.random.Generator, signals: Signals, j: int) -> None:
    """Nobody yields, and nobody minds."""
    first, last = signals.stage_ptr[j], signals.stage_ptr[j + 1]
    shown = signals.stage_aspect[signals.stage_aspect_ptr[first] : signals.stage_aspect_ptr[last]]
    shown[shown == PERMISSIVE] = GREEN
    signals.meeting[_pairs(signals, j)] = np.where(
        signals.meeting[_pairs(signals, j)] > CONFLICT, SHARED, CONFLICT
    )


def _no_trap(_rng: np.random.Generator, signals: Signals, j: int) -> None:
    """Every left turn is taken to yield to itself alone."""
    traps = signals.trap[signals.trap_ptr[j] : signals.trap_ptr[j + 1]]
    traps[:, 1] = traps[:, 0]


def _straight_to_red(_rng: np.random.Generator, signals: Signals, j: int) -> None:
    signals.stop_aspect[_groups(signals, j)] = RED


def _one_stop_only(_rng: np.random.Generator, signals: Signals, j: int) -> None:
    signals.stop_aspect[_groups(signals, j), 1] = RED


def _red_amber_for_all(_rng: np.random.Generator, signals: Signals, j: int) -> None:
    signals.start_ms[_groups(signals, j)] = 500


def _sound(_rng: np.random.Generator, _signals: Signals, _j: int) -> None:
    """Nothing is spoilt: a good machine among the bad ones."""


def _junction(_signals: Signals, j: int) -> slice:
    return slice(j, j + 1)


_SPOILERS: Final[tuple[Spoiler, ...]] = (
    _sound,
    _shortened("intergreen_ms", _pairs),
    _shortened("intergreen_ms", _pairs, by_ms=600_000),
    _shortened("min_green_ms", _groups),
    _shortened("min_green_ms", _groups, by_ms=600_000),
    _shortened("stop_ms", _groups),
    _shortened("start_ms", _groups),
    _shortened("start_ms", _groups, by_ms=600_000),
    _shortened("clearance_ms", _groups),
    _turned_round,
    _friends,
    _all_green,
    _bold,
    _no_trap,
    _straight_to_red,
    _one_stop_only,
    _red_amber_for_all,
)
