"""How many days a study needs to see an effect, and what effect its days can see; by the noncentral t.

Cohen 1988, Statistical Power Analysis, 2.4. n is near 2 (z(1 - alpha/2) + z(power))^2 sd^2 / effect^2 for days on
either side, half of that for pairs.
"""

from __future__ import annotations

import math

from scipy import stats

from ...errors import InputError

__all__ = ["days_needed", "power_of"]

MOST_DAYS = 1_000_000


def power_of(
    days: int, effect: float, deviation: float, *, paired: bool = False, alpha: float = 0.05
) -> float:
    """The chance that ``days`` on either side (or pairs) show ``effect`` at the two-sided level ``alpha``.

    ``effect`` and ``deviation`` in one unit; ``deviation`` is that of daily values, or of differences where paired.
    Raises InputError.
    """
    if days < 2 or effect == 0.0 or deviation <= 0.0 or not 0.0 < alpha < 1.0:
        raise InputError(
            f"power: expected two days, an effect, a deviation above zero and 0 < alpha < 1, found {days}, {effect:g}, "
            f"{deviation:g}, {alpha:g}"
        )
    freedom = days - 1 if paired else 2 * (days - 1)
    noncentral = abs(effect) / deviation * math.sqrt(days if paired else days / 2.0)
    bound = stats.t.ppf(1.0 - alpha / 2.0, freedom)
    wrong_side = float(
        stats.nct.cdf(-bound, freedom, noncentral)
    )  # scipy gives nan where it is below the least float
    return float(stats.nct.sf(bound, freedom, noncentral)) + (0.0 if math.isnan(wrong_side) else wrong_side)


def days_needed(
    effect: float, deviation: float, *, power: float = 0.8, paired: bool = False, alpha: float = 0.05
) -> int:
    """The fewest days on either side (or pairs) with at least that ``power``; arguments as in ``power_of``.

    Raises InputError, also where a million days do not do.
    """
    if not 0.0 < power < 1.0:
        raise InputError(f"power: expected between 0 and 1, found {power:g}")

    def suffices(days: int) -> bool:
        return power_of(days, effect, deviation, paired=paired, alpha=alpha) >= power

    many = 2
    while not suffices(many):
        many *= 2
        if many > MOST_DAYS:
            raise InputError(
                f"power: expected an effect that days can show, found {effect:g} in {deviation:g}"
            )
    few = max(2, many // 2)
    while few < many:
        middle = (few + many) // 2
        few, many = (few, middle) if suffices(middle) else (middle + 1, many)
    return many
