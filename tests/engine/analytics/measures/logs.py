"""Logs for tests: the package's sample, a made one of many devices, and ways to damage a log."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl

__all__ = ["DAMAGES", "damaged", "made_detectors", "made_log", "sample_detectors", "sample_log"]

RARE_PAIRS = (
    (71, 72),
    (55, 56),
    (32, 33),
    (67, 65),
    (41, 42),
    (46, 47),
    (48, 49),
    (91, 92),
    (176, 177),
    (118, 119),
    (93, 94),
    (61, 62, 63, 64, 66),
)
RARE_VALUES = {
    178: (0, 1),
    180: (0, 1),
    202: (0, 1),
    173: (1, 2, 3, 8, 9),
    174: (0, 1, 6, 32),
    150: (0, 1, 2, 3, 4, 5),
    179: (0,),
    182: (0,),
    184: (0,),
    133: (3, 4),
}
START = datetime(2024, 4, 15, 6, 50)


def sample_log() -> pl.DataFrame:
    """Two hours of one real signal: TimeStamp, DeviceId, EventId, Parameter."""
    from atspm import sample_data

    return sample_data.data.pl()


def sample_detectors() -> pl.DataFrame:
    """Its detectors."""
    from atspm import sample_data

    return sample_data.config.pl()


def made_log(devices: int = 3, minutes: int = 100, seed: int = 1) -> pl.DataFrame:
    """Signals of four phases with calls, max-outs, splits, patterns, preempts, priority, pedestrians, faults.

    Times are multiples of 100 ms as in the field. No interval has length zero: the package leaves the order of its
    begin and end to chance.
    """
    rng = np.random.default_rng(seed)
    rows: list[tuple[int, int, int, int]] = []
    for device in range(1, devices + 1):
        rows += [(t, device, event, number) for t, event, number in _signal(rng, 600 * minutes)]
    table = pl.DataFrame(rows, schema=["tenths", "DeviceId", "EventId", "Parameter"], orient="row")
    return table.select(
        (pl.lit(START) + pl.duration(milliseconds=100 * pl.col("tenths")))
        .dt.cast_time_unit("us")
        .alias("TimeStamp"),
        "DeviceId",
        "EventId",
        "Parameter",
    ).sort("DeviceId", "TimeStamp", maintain_order=True)


def made_detectors(devices: int = 3) -> pl.DataFrame:
    """Advance, presence and stop-line detectors of four phases; channel 90 is dead."""
    rows = [
        (device, phase, 10 * phase + number, function)
        for device in range(1, devices + 1)
        for phase in (1, 2, 3, 4)
        for number, function in ((1, "Advance"), (2, "Presence"), (3, "Presence"), (4, "Yellow_Red"))
    ]
    rows += [(device, 2, 90, "Presence") for device in range(1, devices + 1)]
    return pl.DataFrame(rows, schema=["DeviceId", "Phase", "Parameter", "Function"], orient="row")


def _signal(rng: np.random.Generator, tenths: int) -> list[tuple[int, int, int]]:
    rows: list[tuple[int, int, int]] = []
    t = int(rng.integers(0, 300))
    while t < tenths:
        rows.append((t, 132, int(rng.choice([60, 80, 90]))))
        if rng.random() < 0.1:
            rows.append((t, 131, int(rng.integers(1, 5))))
            rows.append((t, 133, int(rng.integers(0, 60))))
            rows.append((t, 150, int(rng.integers(0, 5))))
        begin = t
        for phase in (1, 2, 3, 4):
            t = _phase(rng, rows, t + 1, phase)
        rows.append((t, 316, (t - begin) // 10))
        rows.append((t, 318, int(rng.integers(0, 60))))
        if rng.random() < 0.08:
            t = _preempt(rng, rows, t)
    for phase in (1, 2, 3, 4):
        for number in (1, 2, 3, 4):
            rows += _detector(rng, tenths, 10 * phase + number)
    for minute in range(0, tenths, 600):
        rows.append((minute, 400 + int(rng.choice([0, 102, 103])), int(rng.integers(0, 100))))
    rows += _rarities(rng, tenths)
    served = {(t, number) for t, event, number in rows if event in (21, 22)}
    rows = [row for row in rows if row[1] != 90 or (row[0], row[2]) not in served]
    return sorted(row for row in rows if row[0] < tenths)


def _rarities(rng: np.random.Generator, tenths: int) -> list[tuple[int, int, int]]:
    """Everything else that a timeline knows: pairs of which some ends are lost, switches, alarms, instants."""
    rows = []
    for codes in RARE_PAIRS:
        times = np.sort(rng.choice(tenths, size=60, replace=False)).tolist()
        rows += [(t, int(rng.choice(codes)), int(rng.integers(1, 3))) for t in times]
    for code, values in RARE_VALUES.items():
        times = np.sort(rng.choice(tenths, size=12, replace=False)).tolist()
        rows += [(t, code, int(rng.choice(values))) for t in times]
    return rows


def _phase(rng: np.random.Generator, rows: list[tuple[int, int, int]], t: int, phase: int) -> int:
    if rng.random() < 0.15:
        return t
    call = t - int(rng.integers(1, 400))
    if call > 0 and rng.random() < 0.8:
        rows.append((call, 43, phase))
    if rng.random() < 0.3:
        for press in sorted(rng.integers(-300, 100, size=rng.integers(1, 4)).tolist()):
            if t + press > 0:
                rows.append((t + press, 90, phase))
        rows.append((t, 45, phase))
        rows.append((t, 21, phase))
        rows.append((t + 70, 22, phase))
        rows.append((t + 150, 23, phase))
    green = int(rng.integers(60, 400))
    rows += [(t, 0, phase), (t, 1, phase)]
    if rng.random() < 0.8:
        rows.append((t + int(rng.integers(0, green)), 44, phase))
    if rng.random() < 0.2:
        rows += [(t + 10, 112, phase), (t + 20, int(rng.choice([113, 114])), phase), (t + 50, 115, phase)]
    t += green
    rows += [(t, int(rng.choice([4, 5, 6])), phase), (t, 7, phase), (t, 8, phase)]
    t += 35
    rows += [(t, 9, phase), (t, 10, phase)]
    t += int(rng.integers(1, 25))
    rows += [(t, 11, phase), (t, 12, phase), (t, 299 + phase, green // 10)]
    return t


def _preempt(rng: np.random.Generator, rows: list[tuple[int, int, int]], t: int) -> int:
    number = int(rng.integers(1, 4))
    rows += [(t, 102, number), (t + 20, 105, number), (t + 60, 107, number)]
    t += int(rng.integers(100, 600))
    rows += [(t, 104, number), (t + 10, 111, number)]
    return t + 20


def _detector(rng: np.random.Generator, tenths: int, channel: int) -> list[tuple[int, int, int]]:
    rows = []
    t = int(rng.integers(0, 100))
    while t < tenths:
        on = int(rng.integers(2, 400 if rng.random() < 0.05 else 30))
        rows += [(t, 82, channel), (t + on, 81, channel)]
        t += on + int(rng.integers(1, 150))
        if rng.random() < 0.01:
            rows += [(t, int(rng.choice([84, 85, 86, 87, 88])), channel), (t + 50, 83, channel)]
    return rows


def _lost(log: pl.DataFrame) -> pl.DataFrame:
    keep = np.random.default_rng(7).random(log.height) >= 0.01
    return log.filter(pl.Series(keep))


def _silent(log: pl.DataFrame) -> pl.DataFrame:
    begin = log["TimeStamp"].min() + timedelta(minutes=37)
    return log.filter(~pl.col("TimeStamp").is_between(begin, begin + timedelta(minutes=11)))


def _clock(log: pl.DataFrame) -> pl.DataFrame:
    at = log["TimeStamp"].min() + timedelta(minutes=41)
    set_back = (
        log.select("DeviceId")
        .unique()
        .select(
            pl.lit(at).cast(log.schema["TimeStamp"]).alias("TimeStamp"),
            "DeviceId",
            pl.lit(181).cast(log.schema["EventId"]).alias("EventId"),
            pl.lit(0).cast(log.schema["Parameter"]).alias("Parameter"),
        )
    )
    return pl.concat([log, set_back])


DAMAGES = {
    "whole": lambda log: log,
    "twice": lambda log: pl.concat([log, log.sample(fraction=0.2, seed=3)]),
    "shuffled": lambda log: log.sample(fraction=1.0, shuffle=True, seed=5),
    "lost": _lost,
    "silent": _silent,
    "clock": _clock,
}


def damaged(log: pl.DataFrame, how: str) -> pl.DataFrame:
    """The log after an accident of DAMAGES."""
    return DAMAGES[how](log)
