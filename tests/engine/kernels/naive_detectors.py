"""A plain loop as ``take_detections`` describes it: one object per detector, one event at a time. Slow, for tests."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

Row = tuple[int, int, int, int]


@dataclass
class NaiveDetector:
    """What a loop has told: its presences as [on, off], the last one open while it is on."""

    device_id: int
    channel: int
    presences: list[list[int]] = field(default_factory=list)

    @property
    def on(self) -> bool:
        return bool(self.presences) and len(self.presences[-1]) == 1

    @property
    def last_ms(self) -> int:
        return self.presences[-1][-1] if self.presences else -(10**9)

    def take(self, t_ms: int, on: bool, now_ms: int, odd: Counter[str]) -> list[Row]:
        """Rows for the log: (time, device, 82 on or 81 off, channel)."""
        if t_ms > now_ms:
            odd["in the future"] += 1
        if min(t_ms, now_ms) < self.last_ms:
            odd["out of order"] += 1
        t_ms = max(min(t_ms, now_ms), self.last_ms)
        if self.on and on and t_ms > self.presences[-1][0] + 2000:
            odd["on while on, its off lost"] += 1
            start_ms = self.presences[-1][0]
            self.presences[-1].append((start_ms + t_ms) // 2)
        elif on == self.on:
            odd["repeated state"] += 1
            return []
        if on:
            self.presences.append([t_ms])
        else:
            self.presences[-1].append(t_ms)
        return [(t_ms, self.device_id, 82 if on else 81, self.channel)]

    def state(self) -> dict[str, int]:
        """The fields of ``Detectors`` for this loop."""
        starts = [p[0] for p in self.presences]
        whole = [p for p in self.presences if len(p) == 2]
        return {
            "on": self.on,
            "on_ms": starts[-1] if starts else -(10**9),
            "off_ms": whole[-1][1] if whole else -(10**9),
            "actuations": len(starts),
            "occupied_ms": sum(b - a for a, b in whole),
            "headway_ms": min(starts[-1] - starts[-2], 65_535) if len(starts) > 1 else 0,
            "gap_ms": min(starts[-1] - self.presences[-2][1], 65_535) if len(starts) > 1 else 0,
            "brief": sum(b - a < 200 for a, b in whole),
        }

    def occupied_until(self, now_ms: int) -> int:
        return sum((p[1] if len(p) == 2 else max(now_ms, p[0])) - p[0] for p in self.presences)
