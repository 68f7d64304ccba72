"""Effects against numbers worked out by hand and against statsmodels."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestIndPower, TTestPower
from statsmodels.stats.sandwich_covariance import S_hac_simple
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from greensplit.engine.analytics.statistics import (
    Effect,
    Resampling,
    benjamini_hochberg,
    change_of_percentile,
    change_of_ratio,
    crash_change,
    days_needed,
    difference_in_differences,
    interrupted_series,
    mann_whitney,
    paired_t,
    power_of,
    signed_rank,
    welch,
)
from greensplit.engine.analytics.statistics.ranks import rank_sum_cdf, signed_rank_cdf
from greensplit.engine.analytics.statistics.series import newey_west
from greensplit.engine.errors import InputError

BEFORE = np.array([31.0, 28.5, 30.2, 33.1, 29.9, 30.7])
AFTER = np.array([33.4, 35.0, 32.2, 36.9, 33.8])


def test_an_effect_is_printed_with_its_interval() -> None:
    """However it is formatted, both ends come along."""
    effect = Effect("speed", 0.097, 0.081, 0.112, 10, 10, relative=True)
    assert str(effect) == f"{effect}" == "+9.7 % (95 % interval +8.1 to +11.2 %)"
    assert f"{effect:.0f}" == "+10 % (95 % interval +8 to +11 %)"
    with pytest.raises(TypeError):
        float(effect)  # type: ignore[arg-type]


@pytest.mark.parametrize("ends", [(math.nan, 1.0), (-math.inf, 1.0), (0.6, 1.0)])
def test_there_is_no_effect_without_an_interval_that_holds_it(ends: tuple[float, float]) -> None:
    """Missing, endless or misplaced ends are refused."""
    with pytest.raises(InputError, match="interval"):
        Effect("speed", 0.5, *ends, 10, 10)


def test_welch_agrees_with_statsmodels() -> None:
    """Difference, interval and p."""
    oracle = CompareMeans(DescrStatsW(AFTER), DescrStatsW(BEFORE))
    found = welch(BEFORE, AFTER)
    assert (found.low, found.high) == pytest.approx(oracle.tconfint_diff(usevar="unequal"))
    assert found.p_value == pytest.approx(oracle.ttest_ind(usevar="unequal")[1])
    assert found.estimate == pytest.approx(AFTER.mean() - BEFORE.mean())


def test_paired_t_agrees_with_statsmodels() -> None:
    """Interval and p of the differences."""
    oracle, found = DescrStatsW(AFTER - BEFORE[:5]), paired_t(BEFORE[:5], AFTER)
    assert (found.low, found.high) == pytest.approx(oracle.tconfint_mean())
    assert found.p_value == pytest.approx(oracle.ttest_mean()[1])


def test_ranks_are_distributed_as_all_orders_say() -> None:
    """Every order of 3 before and 4 after, every set of signs of 5 pairs, counted one by one."""
    sums = [sum(ranks) - 6 for ranks in itertools.combinations(range(1, 8), 3)]
    assert rank_sum_cdf(3, 4) == pytest.approx([np.mean([s <= u for s in sums]) for u in range(13)])
    signed = [sum(itertools.compress(range(1, 6), signs)) for signs in itertools.product((0, 1), repeat=5)]
    assert signed_rank_cdf(5) == pytest.approx([np.mean([s <= w for s in signed]) for w in range(16)])


def test_a_shift_of_ranks_by_hand() -> None:
    """Four against four: P(U = 0) = 1/70 is below 2.5 %, P(U <= 1) = 2/70 above: all 16 differences, end to end."""
    found = mann_whitney([1.0, 2.0, 3.0, 4.0], [11.0, 13.0, 17.0, 19.0])
    assert (found.estimate, found.low, found.high) == (12.5, 7.0, 18.0)
    assert found.p_value == pytest.approx(2 / 70)


def test_a_shift_of_pairs_by_hand() -> None:
    """Six pairs: P(W = 0) = 1/64 is below 2.5 %, P(W <= 1) = 2/64 above: from the least to the largest change."""
    found = signed_rank(np.zeros(6), [1.0, 2.0, 4.0, 7.0, 11.0, 16.0])
    assert (found.estimate, found.low, found.high) == (6.5, 1.0, 16.0)
    assert found.p_value == pytest.approx(2 / 64)


def test_five_pairs_reach_the_confidence_that_they_can() -> None:
    """P(W = 0) = 1/32 is half of what 93.75 % leaves: the interval runs from end to end."""
    found = signed_rank(np.zeros(5), [1.0, 2.0, 4.0, 7.0, 11.0], confidence=0.9375)
    assert (found.low, found.high) == (1.0, 11.0)


@pytest.mark.parametrize(
    "call", [lambda: mann_whitney([1, 2, 3], [4, 5, 6]), lambda: signed_rank([0] * 5, [1, 2, 3, 4, 5])]
)
def test_ranks_refuse_days_too_few_for_any_interval(call: object) -> None:
    """Three against three reach 90 %, five pairs 93.75 %."""
    with pytest.raises(InputError, match="enough days"):
        call()  # type: ignore[operator]


def test_a_ratio_of_sums_weighs_days_by_their_denominators() -> None:
    """10/100, 90/100 and nothing of 800 are 100/1000, and not the mean of five ratios."""
    found = change_of_ratio(
        ([10, 90, 0, 0, 0], [100, 100, 600, 100, 100]), ([20] * 5, [100, 99, 101, 100, 100]), Resampling(1)
    )
    assert found.estimate == pytest.approx(0.2 - 0.1)


def test_the_bootstrap_of_means_is_the_error_of_means() -> None:
    """With equal denominators the interval is Welch's, but for the randomness of 40,000 draws."""
    sides = (BEFORE, np.ones(6)), (AFTER, np.ones(5))
    found, oracle = change_of_ratio(*sides, Resampling(3, 40_000)), welch(BEFORE, AFTER)
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high), rel=0.02)


def test_pairs_take_off_what_both_share() -> None:
    """Seeds that differ much and change alike: narrow in pairs, wide apart; as the paired t."""
    before = np.array([10.0, 40.0, 25.0, 60.0, 33.0, 18.0])
    after = before + np.array([2.0, 2.3, 1.9, 2.2, 1.8, 2.1])
    sides = (before, np.ones(6)), (after, np.ones(6))
    found, oracle = change_of_ratio(*sides, Resampling(3, 40_000, paired=True)), paired_t(before, after)
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high), rel=0.02)
    assert change_of_ratio(*sides, Resampling(3)).low < 0.0


def test_a_percentile_is_a_value_that_occurred() -> None:
    """The 80th of 1 to 20 is 16, of 2 to 40 by twos 32."""
    values, days = np.arange(1.0, 21.0), np.tile(np.arange(5), 4)
    found = change_of_percentile((values, days), (2 * values, days), 0.8, Resampling(1))
    assert found.estimate == 32.0 - 16.0


def test_the_same_seed_gives_the_same_interval() -> None:
    """And another one another."""
    sides = (BEFORE, np.ones(6)), (AFTER, np.ones(5))
    assert change_of_ratio(*sides, Resampling(3)) == change_of_ratio(*sides, Resampling(3))
    assert change_of_ratio(*sides, Resampling(3)) != change_of_ratio(*sides, Resampling(4))


def test_adjusted_p_agree_with_statsmodels() -> None:
    """In the order given."""
    p_values = [0.03, 0.001, 0.2, 0.04, 0.012, 0.9]
    assert benjamini_hochberg(p_values) == pytest.approx(multipletests(p_values, method="fdr_bh")[1])


def test_the_control_takes_off_what_both_corridors_saw() -> None:
    """Both gain 5, the treated 2 more; relative: both by a tenth, the treated by a fifth on top."""
    day = np.array([30.0, 34.0, 29.0, 31.0])
    noise = np.array([0.1, -0.1, 0.1, -0.1])
    found = difference_in_differences((day + noise, day), (day + 7.0 + noise, day + 5.0))
    assert found.estimate == pytest.approx(2.0)
    assert found.high < 2.3
    wobble = 1 + noise / 100
    found = difference_in_differences((day * wobble, day), (day * 1.32 * wobble, day * 1.1), relative=True)
    assert found.estimate == pytest.approx(0.2)


def test_newey_west_agrees_with_statsmodels() -> None:
    """The long-run sum, four lags."""
    scores = np.random.default_rng(5).standard_normal((50, 3)).cumsum(axis=0)
    assert newey_west(scores, 4) == pytest.approx(S_hac_simple(scores, nlags=4))


def test_an_interrupted_series_finds_level_and_trend() -> None:
    """10 + 0.1 a day, 3 less from day 60 on, where the trend falls to 0.04."""
    day = np.arange(130.0)
    values = 10.0 + 0.1 * day - np.where(day >= 60, 3.0 + 0.06 * (day - 60), 0.0) + 0.01 * (-1) ** day
    level, trend = interrupted_series(values, 60)
    assert level.estimate == pytest.approx(-3.0, abs=0.01)
    assert trend.estimate == pytest.approx(-0.06, abs=0.001)
    assert level.high < -2.9


def test_power_agrees_with_statsmodels() -> None:
    """Two samples and pairs, and the fewest days that reach it."""
    assert power_of(20, 1.0, 1.4) == pytest.approx(TTestIndPower().power(1 / 1.4, 20, 0.05))
    assert power_of(20, 1.0, 1.4, paired=True) == pytest.approx(TTestPower().power(1 / 1.4, 20, 0.05))
    days = days_needed(1.0, 1.4)
    assert days == math.ceil(TTestIndPower().solve_power(1 / 1.4, power=0.8, alpha=0.05))
    assert power_of(days - 1, 1.0, 1.4) < 0.8 <= power_of(days, 1.0, 1.4)


def test_empirical_bayes_by_hand() -> None:
    """mu 4, phi 2: w = 1/3; EB = 4/3 + 2/3 * 10 = 8; with 5 predicted after, lambda = 10 and its variance
    8 * 2/3 * 1.25^2 = 8.333, so that 6 seen give (6/10) / (1 + 0.08333) = 0.5538."""
    found = crash_change(([10], [6]), ([4.0], [5.0]), 2.0)
    assert found.estimate == pytest.approx(0.6 / (1 + 0.25 / 3) - 1)
    error = math.sqrt(1 / 6 + 0.25 / 3) / (1 + 0.25 / 3)
    assert found.high + 1 == pytest.approx((found.estimate + 1) * math.exp(1.959964 * error))


@pytest.mark.parametrize(
    "call",
    [
        lambda: welch([1.0], [2.0, 3.0]),
        lambda: welch([1.0, math.nan], [2.0, 3.0]),
        lambda: welch([1.0, 1.0], [2.0, 2.0]),
        lambda: paired_t([1.0, 2.0], [1.0, 2.0, 3.0]),
        lambda: paired_t([1.0, 2.0], [2.0, 3.0]),
        lambda: change_of_ratio((range(5), [1, 0, 1, 1, 1]), (range(5), [1] * 5), Resampling(1)),
        lambda: change_of_percentile((range(5), [0, 0, 1, 2, 3]), (range(5), range(5)), 0.8, Resampling(1)),
        lambda: change_of_percentile((range(9), range(9)), (range(9), range(9)), 0.95, Resampling(1)),
        lambda: interrupted_series(np.arange(100.0), 50),
        lambda: crash_change(([3], [0]), ([2.0], [2.0]), 1.0),
        lambda: benjamini_hochberg([0.5, 1.5]),
        lambda: days_needed(0.0, 1.0),
    ],
)
def test_what_has_no_answer_is_refused_in_words(call: object) -> None:
    """Too few, missing, unpaired, unchanging, endless: what was expected and what was found."""
    with pytest.raises(InputError, match=r"expected .* found"):
        call()  # type: ignore[operator]


def test_power_rises_with_the_effect_also_where_it_is_certain() -> None:
    """Beyond some effect the wrong tail is below the least float, which scipy gives as nan."""
    powers = [power_of(5, effect, 1.0, paired=True) for effect in (1.0, 5.0, 20.0)]
    assert powers == sorted(powers)
    assert powers[-1] == pytest.approx(1.0)
    assert days_needed(20.0, 1.0, paired=True) <= days_needed(5.0, 1.0, paired=True)
