"""The arterial detector: its sums by hand, what it learns from made-up traffic, and what it then finds."""

from __future__ import annotations

from dataclasses import replace
from math import log

import numpy as np
import pytest

from greensplit.engine.analytics.incidents import arterial
from greensplit.engine.analytics.incidents.calibration import calibrate, episode_peaks
from greensplit.engine.analytics.incidents.series import LanePlace, LaneSeries
from greensplit.engine.errors import InputError

BINS = 1080
LANES = [
    LanePlace(1, "a", "west", "a1", (1,), 1, 11),
    LanePlace(2, "b", "west", "b1", (1,), 1, 11, (2,), ((0, 30.0),)),
    LanePlace(2, "b", "west", "b2", (1,), 2, 12, (1,), ((0, 30.0),)),
    LanePlace(2, "b", "south", "s1", (2,), 3, 13),
]


def made_up(seed: int, bins: int = BINS) -> LaneSeries:
    """12 vehicles a minute at a; 40 % come to b1, 60 % to b2, a bin and a half later; 3 a minute from the south."""
    rng = np.random.default_rng(seed)
    a = rng.poisson(4.0, bins).astype(np.float64)
    half = rng.binomial(a.astype(int), 0.5)
    coming = np.concatenate(([0, 0], (a - half)[:-2])) + np.concatenate(([0], half[:-1]))
    b1 = rng.binomial(coming.astype(int), 0.4).astype(np.float64)
    south = rng.poisson(1.0, bins).astype(np.float64)
    count = np.stack([a, b1, coming - b1, south], axis=1)
    occupancy, standing = np.full(count.shape, 0.1), rng.uniform(0.0, 10.0, count.shape)
    green = np.full(count.shape, 10.0)
    return LaneSeries(0.0, 20.0, count, count.copy(), occupancy, occupancy, green, standing, standing.copy())


def test_a_sum_grows_by_the_log_likelihood_ratio_and_starts_again_at_zero() -> None:
    """Expected 2 a bin, left 0.5: nothing adds 1, two vehicles take 2 ln 2 - 1 = 0.386 away, five bring it to zero."""
    expected, counted = np.full((4, 1), 2.0), np.array([[0.0], [0.0], [2.0], [5.0]])
    found = arterial._shortfall(expected, counted, np.ones(1), np.full(1, np.inf), 0.5)
    assert found[:, 0].tolist() == pytest.approx([1.0, 2.0, 2.0 - (2 * log(2) - 1), 0.0])


def test_dispersion_slows_a_sum_and_a_bound_holds_it() -> None:
    """With twice the variance half as fast; never above the bound; what is not known adds nothing."""
    expected = np.array([[2.0], [2.0], [np.nan], [2.0]])
    found = arterial._shortfall(expected, np.zeros((4, 1)), np.full(1, 2.0), np.full(1, 1.2), 0.5)
    assert found[:, 0].tolist() == pytest.approx([0.5, 1.0, 1.0, 1.2])


def test_shares_and_turning_are_learned() -> None:
    """b1 gets 0.4 / 0.6 of b2; all that leaves a comes to b."""
    model = arterial.learn([made_up(1), made_up(2)], LANES)
    assert model.stop.ratio[:, 1].tolist() == pytest.approx([0.4 / 0.6] * 8, rel=0.2)
    assert np.isnan(model.stop.ratio[:, [0, 3]]).all()
    assert model.weights[1].tolist() == pytest.approx([1.0], rel=0.02)
    assert model.weights[0].tolist() == []
    assert model.dispersion[2, 3] == pytest.approx(1.0, abs=0.5)


def test_a_share_follows_the_traffic_in_which_it_is_found() -> None:
    """In thin traffic nobody uses b1: its ratio in the lowest class is 0, in the highest as before."""
    day = made_up(1)
    thin = np.arange(BINS) < BINS // 2
    count = day.stop_count.copy()
    count[thin] = np.minimum(count[thin], 1.0)
    count[thin, 1] = 0.0
    model = arterial.learn([replace(day, stop_count=count, advance_count=count)], LANES)
    assert model.stop.ratio[0, 1] == pytest.approx(0.0, abs=0.02)
    assert model.stop.ratio[-1, 1] > 0.5


def blocked(day: LaneSeries, lane: int, first: int, last: int) -> LaneSeries:
    """Nobody comes through a lane; its sibling takes over."""
    count = day.stop_count.copy()
    for sibling in LANES[lane].siblings:
        count[first:last, sibling] += count[first:last, lane]
    count[first:last, lane] = 0.0
    return replace(day, stop_count=count, advance_count=count)


def best_statistics(day: LaneSeries, lane: int, model: arterial.ArterialModel, upto: int) -> dict[str, float]:
    """The largest value of every statistic of a lane in ten bins."""
    told = arterial.statistics(day, LANES, model)[:, upto - 10 : upto, lane].max(axis=1)
    return dict(zip(arterial.STATISTICS, told.tolist(), strict=True))


def test_a_lane_that_starves_beside_its_sibling_is_found_within_minutes() -> None:
    """10 vehicles in 4 minutes missing of b1, all of them on b2: beyond anything seen; not before, and not at b2."""
    model = arterial.learn([made_up(1), made_up(2)], LANES)
    day = blocked(made_up(3), 1, 500, 530)
    told = best_statistics(day, 1, model, 515)
    assert max(told["starved_advance"], told["starved_stop"]) > 1.5
    assert max(best_statistics(day, 1, model, 500).values()) < 1.3
    assert best_statistics(day, 2, model, 530)["starved_stop"] < 1.0


def test_an_approach_without_siblings_or_feeders_is_held_against_its_own_half_hour() -> None:
    """The south brings 3 vehicles a minute; none for eight minutes."""
    model = arterial.learn([made_up(1), made_up(2)], LANES)
    day = blocked(made_up(3), 3, 500, 530)
    assert best_statistics(day, 3, model, 524)["missing"] > 1.5


def test_arrivals_are_missed_that_left_the_junction_upstream() -> None:
    """Both lanes of b empty for four minutes while a goes on: no share can tell, the balance does."""
    model = arterial.learn([made_up(1), made_up(2)], LANES)
    day = made_up(3)
    count = day.stop_count.copy()
    count[500:512, 1:3] = 0.0
    told = best_statistics(replace(day, stop_count=count, advance_count=count), 1, model, 512)
    assert told["missing"] > 2.0
    assert told["starved_stop"] < 1.2


def test_a_queue_that_stands_through_green_is_found_by_its_lane() -> None:
    """10 s at most is usual, 20 s the least scale; 45 s of green is 2.25 times that."""
    model = arterial.learn([made_up(1), made_up(2)], LANES)
    day = made_up(3)
    standing = day.stop_standing_s.copy()
    standing[505, 3] = 45.0
    told = best_statistics(replace(day, stop_standing_s=standing), 3, model, 510)
    assert told["standing_stop"] == pytest.approx(2.25)
    assert told["standing_advance"] < 1.0


def test_a_threshold_follows_the_exponential_tail_of_the_episodes() -> None:
    """10,000 independent exponential scores, each an episode: exceeded 10 times at ln 1000 = 6.9.

    10,000 bins of an hour. The tail beyond the 31st largest has scale 1, so the fit should be near ln 1000.
    """
    score = np.random.default_rng(0).exponential(1.0, (10_000, 1))
    found = calibrate([score], [1], 3600.0, 1e-3, apart_s=0.0)
    assert found.value == pytest.approx(log(1000.0), abs=0.5)
    assert (found.hours, found.peaks, found.seen) == (10_000.0, 30, True)
    assert not calibrate([score], [1], 3600.0, 1e-5, apart_s=0.0).seen


def test_a_smaller_budget_never_lowers_the_threshold() -> None:
    """From one alarm in ten hours to one in a million."""
    score = np.random.default_rng(1).exponential(1.0, (2_000, 3))
    values = [calibrate([score], [1, 1, 2], 3600.0, 10.0**-e).value for e in range(1, 7)]
    assert values == sorted(values)


def test_an_episode_counts_once_for_a_junction() -> None:
    """Two places of one junction over the same minutes: one peak, the larger; another junction has its own."""
    score = np.zeros((50, 3))
    score[10:14] = [[1, 2, 5], [3, 2, 5], [4, 9, 5], [1, 1, 7]]
    score[40, 0] = 2.0
    assert sorted(episode_peaks(score, [1, 1, 2], 10, 5).tolist()) == [2.0, 7.0, 9.0]


def test_a_budget_of_none_and_scores_of_nothing_are_refused() -> None:
    """In words."""
    with pytest.raises(InputError, match="budget above 0"):
        calibrate([np.ones((9, 1))], [1], 20.0, 0.0)
    with pytest.raises(InputError, match="at least 5 episodes with a score, found 0"):
        calibrate([np.zeros((900, 1))], [1], 20.0, 1.0)
