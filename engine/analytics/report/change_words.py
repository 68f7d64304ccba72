"""Numbers of a before/after comparison as a reader sees them, in the language of the page."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..comparison.effects import BETTER, UNCLAIMED, UNCLEAR, Outcome
from ..comparison.findings import Findings
from ..comparison.words import Words, texts
from ..statistics import Effect
from .words import clock, figure

__all__ = ["Teller"]

WEEKDAYS = (1, 2, 3, 4, 5)
MIN_PER_H = 60


@dataclass(frozen=True, slots=True)
class Teller:
    """Says what was found."""

    found: Findings
    say: Words

    def measure(self, key: str) -> str:
        """The name of a measure."""
        return self.say(f"measure.{key}")

    def unit(self, key: str) -> str:
        """Its unit."""
        return self.say(f"unit.{key}")

    def period(self, name: str) -> str:
        """A period by its name in the language, or as the user called it."""
        return self.say(f"period.{name}") if f"period.{name}" in texts() else name

    def place(self, corridor: str) -> str:
        """A corridor, with what can be translated of its name."""
        return self.say(f"place.{corridor}")

    def interval(self, effect: Effect, digits: int, *, percent: bool = False, plain: bool = False) -> str:
        """``95 % interval LOW to HIGH``."""
        tell = figure if plain else signed
        factor, sign = (100.0, " %") if percent else (1.0, "")
        low, high = (tell(value * factor, digits) + sign for value in (effect.low, effect.high))
        return self.say("interval", confidence=f"{100 * effect.confidence:g}", low=low, high=high)

    def change(self, one: Outcome) -> str:
        """The change with its interval: points of a share, else percent where that makes sense, else in the unit."""
        if one.measure.is_share:
            value = self.say("points", value=signed(one.change.estimate, one.measure.digits))
            return f"{value} ({self.interval(one.change, one.measure.digits)})"
        if one.relative is not None:
            return (
                f"{signed(100 * one.relative.estimate, 1)} % ({self.interval(one.relative, 1, percent=True)})"
            )
        value = signed(one.change.estimate, one.measure.digits)
        return f"{value} ({self.interval(one.change, one.measure.digits)})"

    def sentence(self, one: Outcome) -> str:
        """One measure in one sentence."""
        digits = one.measure.digits
        moved = "fell" if one.change.estimate < 0.0 else "rose"
        return _capital(
            self.say(
                f"sentence.{one.verdict if one.verdict in (UNCLEAR, UNCLAIMED) else moved}",
                measure=self.measure(one.measure.key),
                before=figure(one.before, digits),
                after=figure(one.after, digits),
                unit=self.unit(one.measure.key),
                change=self.change(one),
            )
        )

    @property
    def each(self) -> str:
        """Of what hours are told: day, weekday or seed."""
        if self.found.sides.unit == "seed":
            return "seed"
        return "weekday" if self.found.question.periods[0].weekdays == WEEKDAYS else "day"

    @property
    def hours(self) -> str:
        """How long a simulated run is."""
        runs = self.found.sides.runs[0]
        length_h = (runs[0].end_s - runs[0].begin_s) / 3600.0 if runs else 0.0
        return self.say("hours", value=f"{length_h:g}")

    def lead(self) -> str:
        """What the report comes to."""
        head, saved = self.found.head, self.found.saved_h
        name = _capital(self.measure(head.measure.key))
        if head.verdict in (UNCLEAR, UNCLAIMED):
            value = f"{signed(head.change.estimate, head.measure.digits)} {self.unit(head.measure.key)}"
            interval = self.interval(head.change, head.measure.digits)
            return self.say(f"lead.{head.verdict}", measure=name, value=value, interval=interval)
        if saved is None:
            return self.sentence(head)
        gained = head.verdict == BETTER
        shown = saved if gained else _turned(saved)
        digits = hour_digits(saved)
        return self.say(
            f"lead.{'saved' if gained else 'lost'}.{self.each}",
            value=figure(shown.estimate, digits),
            interval=self.interval(shown, digits, plain=True),
            hours=self.hours,
        )

    def subtitle(self) -> str:
        """What was compared with what."""
        before, after = (
            side["unit"].to_list() for side in (self.found.matched.before, self.found.matched.after)
        )
        if self.found.sides.unit == "day":
            return self.say(
                "subtitle.day",
                n=len(before),
                b0=before[0],
                b1=before[-1],
                m=len(after),
                a0=after[0],
                a1=after[-1],
                zone=self.found.question.timezone,
            )
        runs = self.found.sides.runs
        return self.say(
            "subtitle.seed",
            before=runs[0][0].meta.get("controller"),
            after=runs[1][0].meta.get("controller"),
            n=len(before),
            begin=clock(runs[0][0].begin_s),
            end=clock(runs[0][0].end_s),
        )

    def title(self) -> str:
        """What the report is about."""
        runs = self.found.sides.runs
        if runs[0]:
            name = self.say(
                "title.runs",
                scenario=runs[0][0].meta.get("scenario"),
                before=runs[0][0].meta.get("controller"),
                after=runs[1][0].meta.get("controller"),
            )
        else:
            name = self.say(
                "title.days", days=self.found.matched.before.height + self.found.matched.after.height
            )
        return self.say("title", name=name)

    def note(self, key: str, values: dict[str, object]) -> str:
        """A warning."""
        told = dict(values)
        if "side" in told:
            told["side"] = _capital(self.say(f"side.{told['side']}"))
        return self.say(key, **told)


def signed(value: float, digits: int) -> str:
    """A change with its sign."""
    text = figure(value, digits)
    if not text.strip("−0.,"):
        return text.lstrip("−")
    return text if text.startswith("−") else f"+{text}"


def hour_digits(saved: Effect) -> int:
    """Decimals of hours: none from a hundred up."""
    return 0 if abs(saved.estimate) >= 100.0 else 1


def p_text(value: float | None) -> str:
    """A p value: three decimals, never zero."""
    if value is None:
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _turned(effect: Effect) -> Effect:
    return replace(effect, estimate=-effect.estimate, low=-effect.high, high=-effect.low)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
