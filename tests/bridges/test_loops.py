"""The detector side of a stand-in, with numbers worked out by hand."""

from __future__ import annotations

import numpy as np

from greensplit.bridges.standin.loops import LoopCards
from greensplit.engine.loop import DetectorEvents


def events(*rows: tuple[int, int, int]) -> DetectorEvents:
    """(detector, time, state)."""
    detector, t_ms, on = zip(*rows, strict=True) if rows else ((), (), ())
    return DetectorEvents(
        np.array(detector, np.int32), np.array(t_ms, np.int64), np.array(on, np.uint8), len(rows)
    )


def test_a_vehicle_that_stands_over_two_periods_is_one_and_fills_both() -> None:
    """On from 400 ms to 1700 ms: one vehicle, 60 % of the first second, 70 % of the next, in half percents."""
    cards = LoopCards(1, 1000)
    cards.take(events((0, 400, 1)), 999)
    assert cards.last is None
    cards.take(events(), 1000)
    assert cards.last is not None
    assert (cards.last.sequence, cards.last.volume, cards.last.occupancy) == (1, (1,), (120,))
    cards.take(events((0, 1700, 0)), 2000)
    assert (cards.last.sequence, cards.last.volume, cards.last.occupancy) == (2, (0,), (140,))
    assert cards.on_mask == 0


def test_what_is_of_no_detector_or_of_the_future_is_dropped_and_the_order_is_that_of_time() -> None:
    """Detectors -1 and 2 do not exist, 900 ms has not come; on at 100 ms and off at 200 ms came the wrong way round."""
    cards = LoopCards(2, 1000)
    cards.take(events((-1, 100, 1), (2, 100, 1), (1, 900, 1), (0, 200, 0), (0, 100, 1)), 500)
    assert cards.on_mask == 0
    cards.take(events(), 1000)
    assert cards.last is not None
    assert (cards.last.volume, cards.last.occupancy) == ((1, 0), (20, 0))


def test_numbers_of_periods_begin_again_after_255_and_volume_stops_there() -> None:
    """As one byte each: 254 is the most that is counted, 255 says more than that."""
    cards = LoopCards(1, 1000)
    cards.take(events(), 0)
    seen = []
    for period in range(1, 258):
        cards.take(events(), 1000 * period)
        assert cards.last is not None
        seen.append(cards.last.sequence)
    assert seen == [*range(1, 256), 0, 1]
    many = [(0, 257_000 + k, 1 - k % 2) for k in range(600)]
    cards.take(events(*many), 258_000)
    assert cards.last.volume == (255,)
