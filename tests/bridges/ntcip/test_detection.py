"""Changes put together from polls and periods, with times worked out by hand."""

from __future__ import annotations

from greensplit.bridges.field import Periods
from greensplit.bridges.ntcip.detection import DetectorChange, Quality, Reconstruction


def period(sequence: int, volume: int, occupancy: int) -> Periods:
    return Periods(sequence, 1000, (volume,), (occupancy,))


def test_a_change_lies_halfway_between_two_polls() -> None:
    """On between 200 and 400 ms, off between 600 and 1200 ms: one poll was late, and says so."""
    seen = Reconstruction(1, poll_ms=200)
    assert seen.take_bits(200, 0) == []
    assert seen.take_bits(400, 1) == [DetectorChange(0, 300, True, Quality.SEEN)]
    assert seen.take_bits(600, 1) == []
    assert seen.take_bits(1200, 0) == [DetectorChange(0, 900, False, Quality.LATE)]


def test_a_pulse_between_polls_is_counted_by_the_period() -> None:
    """One pulse in a second at 5 % (10 halves): 50 ms wide, in the middle of what is left of the period."""
    seen = Reconstruction(1, poll_ms=200)
    seen.take_bits(0, 0)
    seen.take_periods(period(7, 0, 0), 1000)
    for t_ms in range(1200, 2001, 200):
        assert seen.take_bits(t_ms, 0) == []
    assert seen.take_periods(period(8, 1, 10), 2000) == [
        DetectorChange(0, 1500, True, Quality.COUNTED),
        DetectorChange(0, 1550, False, Quality.COUNTED),
    ]


def test_a_pulse_that_was_seen_is_not_counted_again() -> None:
    """The rise was seen at 1300 ms."""
    seen = Reconstruction(1, poll_ms=200)
    seen.take_periods(period(7, 0, 0), 1000)
    seen.take_bits(1200, 0)
    seen.take_bits(1400, 1)
    seen.take_bits(1600, 0)
    assert seen.take_periods(period(8, 1, 40), 2000) == []


def test_a_period_told_twice_adds_nothing_and_one_missed_invents_nothing() -> None:
    """Sequence 255 is followed by 0."""
    seen = Reconstruction(1, poll_ms=200)
    seen.take_periods(period(254, 3, 60), 1000)
    assert seen.take_periods(period(254, 3, 60), 1200) == []
    assert len(seen.take_periods(period(255, 2, 60), 2000)) == 4
    assert seen.take_periods(period(1, 5, 60), 4000) == []
    assert (seen.repeated_periods, seen.missed_periods) == (1, 1)


def test_a_faulty_detector_counts_for_nothing() -> None:
    """212 is an open loop."""
    seen = Reconstruction(1, poll_ms=200)
    seen.take_periods(period(1, 0, 0), 1000)
    assert seen.take_periods(period(2, 9, 212), 2000) == []
