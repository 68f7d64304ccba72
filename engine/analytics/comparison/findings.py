"""Everything a comparison found, in one value: the page, the table, the exports and ``--json`` all show this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from ...errors import InputError
from ..statistics import Effect, Interruption, Matched, Period
from .beside import DaysNeeded, control_effect, days_table, interruption
from .cells import NETWORK
from .effects import UNCLAIMED, Outcome, adjusted, buffer_outcome, outcome_of, scaled
from .matching import Cut, cut_of, in_period, matched_bins, matched_units
from .measures import LEADS, MEASURES, Measure, measure_of
from .periods import TOTAL
from .profiles import heat_map, profile
from .question import Question
from .sides import Note, Sides

__all__ = ["Findings", "Lacking", "compare_sides"]

S_PER_H = 3600.0
CORRIDOR_REPLICATES = 2000


@dataclass(frozen=True, slots=True)
class Lacking:
    """A measure that has no effect with an interval in a period, and why; ``absent``: nothing was measured."""

    corridor: str
    measure: str
    period: str
    reason: str
    absent: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found.

    ``lead`` is the measure that the report is about; ``network`` outcomes of all measures and periods; ``corridors``
    those of the lead by corridor, over the whole day, adjusted for their number. ``saved_h``: vehicle-hours per day or
    seed, at the traffic of after. ``exclusions``: side, unit, reason, measures. ``bands``: measure, and
    the columns of ``PROFILE``.
    """

    question: Question
    sides: Sides
    lead: Measure
    matched: Matched
    network: tuple[Outcome, ...]
    lacking: tuple[Lacking, ...]
    corridors: tuple[Outcome, ...]
    saved_h: Effect | None
    exclusions: pl.DataFrame
    notes: tuple[Note, ...]
    days: tuple[DaysNeeded, ...]
    control: Effect | None
    series: Interruption | None
    bands: pl.DataFrame
    heat: pl.DataFrame

    def outcome(self, measure: str, period: str = TOTAL) -> Outcome | None:
        """The outcome of the whole network, or None."""
        return next((one for one in self.network if (one.measure.key, one.period) == (measure, period)), None)

    @property
    def head(self) -> Outcome:
        """The lead measure over the whole day."""
        found = self.outcome(self.lead.key)
        if found is None:
            raise InputError(f"{self.lead.key}: expected an effect over the whole day, found none")
        return found


def compare_sides(sides: Sides, question: Question) -> Findings:
    """Judges what changed.

    Raises InputError where the sides must not be compared: overlap, other detectors, too few days or seeds, volumes
    missing, or nothing that both measured.
    """
    lead = _lead(sides)
    total = question.periods[0]
    cut = cut_of(sides, NETWORK, lead.key)
    matched = matched_units(sides, cut, total, question)
    network, lacking = _network(sides, question)
    head = next((one for one in network if (one.measure.key, one.period) == (lead.key, TOTAL)), None)
    if head is None:
        raise InputError(f"{lead.key}: {next(one.reason for one in lacking if one.measure == lead.key)}")
    parts = _corridor_parts(sides, lead.key, question)
    corridors = _corridors(parts, lead, question)
    control = control_effect(sides, lead, question) if question.control else None
    return Findings(
        question,
        sides,
        lead,
        matched,
        tuple(network),
        tuple(lacking),
        tuple(corridors),
        _saved(head, matched, question),
        _exclusions(sides, network, question),
        (*sides.notes, *_notes(head, network, question)),
        days_table(matched, lead),
        control,
        interruption(cut, total, question, lead) if sides.unit == "day" else None,
        _bands(sides, network, question),
        heat_map(
            _corridor_parts(sides, "speed", question), total, question.timezone, measure_of("speed").scale
        ),
    )


def _lead(sides: Sides) -> Measure:
    for key in LEADS:
        if cut_of(sides, NETWORK, key).is_there:
            return measure_of(key)
    raise InputError(f"inputs: expected one of {', '.join(LEADS)} on both sides, found none in common")


def _network(sides: Sides, question: Question) -> tuple[list[Outcome], list[Lacking]]:
    found: list[Outcome] = []
    lacking: list[Lacking] = []
    for measure in MEASURES:
        source = "travel_time_index" if measure.key == "buffer_index" else measure.key
        cut = cut_of(sides, NETWORK, source)
        for period in question.periods:
            if not cut.is_there or not in_period(cut, period, question.timezone).is_there:
                lacking.append(
                    Lacking(NETWORK, measure.key, period.name, "not measured on both sides", absent=True)
                )
                continue
            try:
                matched = matched_units(sides, cut, period, question)
                found.append(_judged(cut, matched, measure, period, question))
            except InputError as err:
                lacking.append(Lacking(NETWORK, measure.key, period.name, str(err), absent=False))
    return found, lacking


def _judged(cut: Cut, matched: Matched, measure: Measure, period: Period, question: Question) -> Outcome:
    how = question.resampling()
    if measure.key == "buffer_index":
        bins = matched_bins(cut, matched, period, question.timezone)
        return buffer_outcome(NETWORK, measure, period.name, bins, matched, how, volumes=question.volumes)
    return outcome_of(NETWORK, measure, period.name, matched, how, volumes=question.volumes)


def _corridor_parts(sides: Sides, measure: str, question: Question) -> list[tuple[str, Cut, Matched]]:
    """Corridors with matched units over the whole day."""
    found = []
    for corridor in sorted(set(sides.before["corridor"]) & set(sides.after["corridor"]) - {NETWORK}):
        cut = cut_of(sides, corridor, measure)
        try:
            if cut.is_there:
                found.append((corridor, cut, matched_units(sides, cut, question.periods[0], question)))
        except (
            InputError
        ):  # the page lists the corridors it has; a corridor without enough days is not judged
            continue
    return found


def _corridors(parts: Sequence[tuple[str, Cut, Matched]], lead: Measure, question: Question) -> list[Outcome]:
    how = replace(question.resampling(), replicates=min(CORRIDOR_REPLICATES, question.replicates))
    found = []
    for corridor, _, matched in parts:
        try:
            found.append(outcome_of(corridor, lead, TOTAL, matched, how, volumes=question.volumes))
        except InputError:  # nothing varies: no interval, hence no effect
            continue
    return sorted(adjusted(found), key=lambda one: one.change.estimate)


def _saved(head: Outcome, matched: Matched, question: Question) -> Effect | None:
    """Vehicle-hours per day or seed that the change of seconds per vehicle comes to, at the traffic of after."""
    if not head.measure.is_per_vehicle or not question.volumes:
        return None
    vehicles = float(matched.after["denominator"].to_numpy().mean())
    return scaled(head.change, -vehicles / S_PER_H)


def _exclusions(sides: Sides, network: Sequence[Outcome], question: Question) -> pl.DataFrame:
    """side, unit, reason, measures: which measures go without that unit; empty where all do."""
    schema = dict.fromkeys(("side", "unit", "reason"), pl.String)
    whole = [one.measure.key for one in network if one.period == TOTAL and one.measure.key != "buffer_index"]
    found = [
        pl.DataFrame(list(sides.left_out), schema=schema, orient="row").with_columns(measures=pl.lit(""))
    ]
    lost = pl.concat(
        matched_units(sides, cut_of(sides, NETWORK, key), question.periods[0], question)
        .exclusions.select(*schema)
        .with_columns(measure=pl.lit(key))
        for key in whole
    )
    every = pl.col("measure").len() == len(whole)
    listed = pl.when(every).then(pl.lit("")).otherwise(pl.col("measure").str.join(", "))
    found.append(lost.group_by(*schema, maintain_order=True).agg(measures=listed))
    return pl.concat(found)


def _notes(head: Outcome, network: Sequence[Outcome], question: Question) -> list[Note]:
    found: list[Note] = []
    if not question.volumes:
        found.append(("warning.no_volumes", {}))
    elif head.verdict == UNCLAIMED:
        found.append(("warning.volume_fell", {}))
    elif any(one.verdict == UNCLAIMED for one in network):
        found.append(("warning.volume_fell_in_part", {}))
    return found


def _bands(sides: Sides, network: Sequence[Outcome], question: Question) -> pl.DataFrame:
    found = []
    total = question.periods[0]
    for one in network:
        if one.period != TOTAL or one.measure.key == "buffer_index":
            continue
        cut = cut_of(sides, NETWORK, one.measure.key)
        matched = matched_units(sides, cut, total, question)
        band = profile(cut, matched, total, question.timezone, one.measure.scale, question.confidence)
        found.append(band.with_columns(measure=pl.lit(one.measure.key)))
    return pl.concat(found)
