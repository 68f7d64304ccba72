"""Detector health: faults found and not found, what stands for a dead loop, and agreement with the plain oracle."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from greensplit.engine.events import EVENT_DTYPE
from greensplit.engine.kernels.detectors import Detectors, new_detectors, take_detections
from greensplit.engine.kernels.health.assess import assess_detectors
from greensplit.engine.kernels.health.peers import compile_peers
from greensplit.engine.kernels.health.state import FAULT_NAMES, LEVEL_NAMES, new_health, new_memory
from greensplit.engine.model.compiled import compile_detection, compile_signals
from greensplit.engine.model.site import ApproachLane, Detector, DetectorKind, Site

from .naive_health import Bin, NaiveHealth
from .sites import crossroads

BIN_MS = 20_000
STOP, FAR, STOP_2, FAR_2, EXIT = range(5)
FAILS_MS = 1_800_000
Spans = list[tuple[int, int]]
Damage = Callable[[Spans, np.random.Generator], Spans]


def street(*, advance: bool = True, leave: bool = True) -> Site:
    """One approach of two lanes with a stop-bar and an advance loop each, and the exit that both lead to."""
    base = crossroads()
    lanes = tuple(ApproachLane(f"in{n}", "west", (1,), 200.0, 13.9) for n in (1, 2))

    def loop(channel: int, kind: DetectorKind, lane: str, distance_m: float) -> Detector:
        mine = () if kind is DetectorKind.EXIT else (lane,)
        return Detector(f"d{channel}", channel, kind, lane, 1.0, 2.0, distance_m, (1,), mine)

    loops = [
        loop(1, DetectorKind.STOP_BAR, "in1", 2.0),
        loop(2, DetectorKind.ADVANCE, "in1", 80.0),
        loop(3, DetectorKind.STOP_BAR, "in2", 2.0),
        loop(4, DetectorKind.ADVANCE, "in2", 80.0),
        loop(5, DetectorKind.EXIT, "out", 8.0),
    ]
    left_out = {DetectorKind.ADVANCE: not advance, DetectorKind.EXIT: not leave}
    loops = [found for found in loops if not left_out.get(found.kind, False)]
    return replace(base, junctions=(replace(base.junctions[0], lanes=lanes, detectors=tuple(loops)),))


class Street:
    """Drives the kernels in steps of a bin; ``faults`` and ``levels`` are what they said, bin by bin."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.peers = compile_peers(site)
        self.detectors: Detectors = new_detectors(compile_signals(site), compile_detection(site))
        self.health, self.memory = new_health(self.peers), new_memory(self.peers)
        self.upstream = np.full(len(self.health.fault), np.nan, np.float32)
        self.faults: list[list[str]] = []
        self.levels: list[list[str]] = []
        self.codes: list[tuple[int, int]] = []

    def run(self, told: list[Spans], until_ms: int, from_ms: int = 0, day_ms: int = 0) -> None:
        events = sorted(
            (t, d, on)
            for d, spans in enumerate(told)
            for span in spans
            for t, on in zip(span, (1, 0), strict=True)
        )
        index, t_ms, on = (np.array([e[k] for e in events], np.int64) for k in (1, 0, 2))
        out = np.zeros(len(events) + len(told), EVENT_DTYPE)
        for now_ms in range(from_ms, until_ms + 1, BIN_MS):
            a, b = np.searchsorted(t_ms, [now_ms - BIN_MS, now_ms], side="right")
            take_detections(
                self.detectors,
                index[a:b].astype(np.int32),
                t_ms[a:b],
                on[a:b].astype(np.uint8),
                b - a,
                now_ms,
                out,
            )
            n = assess_detectors(
                self.peers,
                self.detectors,
                self.health,
                self.memory,
                self.upstream,
                now_ms,
                now_ms + day_ms,
                out,
            )
            self.codes += [(int(row["event"]), int(row["parameter"])) for row in out[:n]]
            self.faults.append([FAULT_NAMES[k] for k in self.health.fault])
            self.levels.append([LEVEL_NAMES[k] for k in self.health.level])

    def first_fault_ms(self, d: int) -> int | None:
        return next((k * BIN_MS for k, found in enumerate(self.faults) if found[d] != "none"), None)


def traffic(rng: np.random.Generator, until_ms: int, veh_per_min: float = 6.0) -> list[Spans]:
    """Platoons in both lanes: advance, up to half a minute later the stop bar, then the exit."""
    told: list[Spans] = [[] for _ in range(5)]
    leaving: list[int] = []
    for stop, far in ((STOP, FAR), (STOP_2, FAR_2)):
        at_ms, free_ms = 0, 0
        while at_ms < until_ms:
            at_ms += int(1200 + rng.exponential(60_000.0 / veh_per_min - 1200.0))
            told[far].append((at_ms, at_ms + 500))
            cycle_ms = at_ms + 6000
            start_ms = max(
                cycle_ms if cycle_ms % 60_000 < 30_000 else cycle_ms // 60_000 * 60_000 + 60_000, free_ms
            )
            free_ms = start_ms + 2000
            told[stop].append((start_ms, start_ms + 1200))
            leaving.append(start_ms + 4000)
    told[EXIT] = exits(leaving)
    return told


def exits(leaving: Iterable[int]) -> Spans:
    """Vehicles side by side are one actuation."""
    told: Spans = []
    for at_ms in sorted(leaving):
        if not told or at_ms > told[-1][0] + 700:
            told.append((at_ms, at_ms + 600))
    return told


def before(spans: Spans) -> Spans:
    return [span for span in spans if span[1] < FAILS_MS]


def stuck_on(spans: Spans, _: np.random.Generator) -> Spans:
    return [*before(spans), (FAILS_MS, 10**9)]


def on_from_the_start(_spans: Spans, _: np.random.Generator) -> Spans:
    return [(1, 10**9)]


def stuck_off(spans: Spans, _: np.random.Generator) -> Spans:
    return before(spans)


def half(spans: Spans, rng: np.random.Generator) -> Spans:
    return [span for span in spans if span[0] < FAILS_MS or rng.random() < 0.5]


def chatter(spans: Spans, rng: np.random.Generator) -> Spans:
    pulses = np.flatnonzero(rng.random(12_000) < 0.1) * 100 + FAILS_MS
    return [*before(spans), *((int(t), int(t) + 60) for t in pulses)]


@pytest.mark.parametrize("d", range(5))
@pytest.mark.parametrize(
    ("damage", "kinds"),
    [
        (stuck_on, {"stuck on", "counts too few"}),
        (stuck_off, {"stuck off", "counts too few"}),
        (half, {"counts too few"}),
        (chatter, {"chatter", "counts too many"}),
    ],
    ids=["stuck on", "stuck off", "half", "chatter"],
)
def test_damage_is_found_within_a_quarter_of_an_hour(d: int, damage: Damage, kinds: set[str]) -> None:
    """Six vehicles a minute and lane: every loop in turn; no other is blamed."""
    rng = np.random.default_rng(d)
    told = traffic(rng, 2_700_000)
    told[d] = damage(told[d], rng)
    place = Street(street())
    place.run(told, 2_700_000)
    found_ms = place.first_fault_ms(d)
    assert found_ms is not None
    assert FAILS_MS < found_ms <= FAILS_MS + 900_000
    assert place.faults[found_ms // BIN_MS][d] in kinds
    blamed = {(other, found[other]) for found in place.faults for other in range(5) if other != d}
    assert {fault for _, fault in blamed} == {"none"}, blamed


@pytest.mark.parametrize("seed", range(6))
def test_sound_loops_are_left_alone(seed: int) -> None:
    """An hour each of light to heavy traffic."""
    place = Street(street())
    place.run(traffic(np.random.default_rng(seed), 3_600_000, 2.0 + seed), 3_600_000)
    assert all(fault == "none" for found in place.faults for fault in found)
    assert place.codes == []


def queue(told: list[Spans], minutes: int, *, crawls: bool = False) -> list[Spans]:
    """From half an hour on a queue stands on both loops of the first lane; 15 vehicles a minute leave from it.

    Cycles of a minute, half of it green. If it crawls, it lets go of the advance loop for a second in each.
    """
    until_ms = FAILS_MS + minutes * 60_000
    cycles = range(FAILS_MS, until_ms, 60_000)
    passing = [(t + 2000 * k, t + 2000 * k + 1200) for t in cycles for k in range(1, 15)]
    standing = [(t + 30_000, t + 60_800) for t in cycles]
    covered = [(t, t + 59_000) for t in cycles] if crawls else [(FAILS_MS, until_ms)]
    kept = [[s for s in spans if s[1] < FAILS_MS or s[0] > until_ms] for spans in told]
    kept[STOP_2], kept[FAR_2] = told[STOP_2], told[FAR_2]
    kept[STOP] = sorted([*kept[STOP], *passing, *standing])
    kept[FAR] = sorted([*kept[FAR], *covered])
    kept[EXIT] = exits(off_ms + 2800 for d in (STOP, STOP_2) for _, off_ms in kept[d])
    return kept


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("minutes", "crawls"), [(2, False), (5, False), (12, False), (5, True), (12, True)])
def test_a_queue_that_covers_a_loop_is_no_fault(minutes: int, crawls: bool, seed: int) -> None:
    """Its stop bar shows a queue as well: never off for long but for the gaps between vehicles."""
    told = queue(traffic(np.random.default_rng(seed), 3_600_000), minutes, crawls=crawls)
    place = Street(street())
    place.run(told, 3_600_000)
    assert {(d, fault) for found in place.faults for d, fault in enumerate(found)} == {
        (d, "none") for d in range(5)
    }


def test_a_stop_bar_that_a_queue_covers_for_five_minutes_is_no_fault() -> None:
    """No advance loop; a long zone is never free while the exit counts what leaves."""
    told = queue(traffic(np.random.default_rng(3), 3_600_000), 5)
    covered = (FAILS_MS, FAILS_MS + 300_000)
    told[STOP] = sorted([*(s for s in told[STOP] if s[1] < FAILS_MS or s[0] >= covered[1]), covered])
    place = Street(street(advance=False))
    place.run([told[STOP], told[STOP_2], told[EXIT]], 3_600_000)
    assert {fault for found in place.faults for fault in found} == {"none"}


def test_a_loop_stuck_on_under_free_traffic_is_found_in_seven_minutes() -> None:
    """After the six for which any queue may stand on it."""
    told = traffic(np.random.default_rng(4), 3_600_000)
    told[FAR] = [*before(told[FAR]), (FAILS_MS, 10**9)]
    place = Street(street())
    place.run(told, 3_600_000)
    found_ms = place.first_fault_ms(FAR)
    assert found_ms is not None
    assert FAILS_MS + 360_000 <= found_ms <= FAILS_MS + 420_000
    assert place.faults[found_ms // BIN_MS][FAR] == "stuck on"


@pytest.mark.parametrize(
    ("stuck", "latest_ms"), [([FAR], 400_000), ([STOP], 400_000), ([STOP, FAR], 620_000), ([EXIT], 620_000)]
)
def test_loops_that_are_on_from_the_start_are_found(stuck: list[int], latest_ms: int) -> None:
    """Six minutes where a peer counts the same vehicles, ten where none does: nothing could be learned of them."""
    told = traffic(np.random.default_rng(4), 1_800_000)
    for d in stuck:
        told[d] = [(1, 10**9)]
    place = Street(street())
    place.run(told, 1_800_000)
    for d in range(5):
        found_ms = place.first_fault_ms(d)
        assert (found_ms is not None) == (d in stuck)
        if found_ms is not None:
            assert 360_000 <= found_ms <= latest_ms
            assert place.faults[-1][d] == "stuck on"


def test_one_vehicle_that_stands_for_nine_minutes_is_no_fault() -> None:
    """On the stop bar of a lane that nobody else uses."""
    told = traffic(np.random.default_rng(4), 1_800_000)
    told[STOP], told[FAR] = [(300_000, 840_000)], [(290_000, 290_500)]
    place = Street(street())
    place.run(told, 1_800_000)
    assert {fault for found in place.faults for fault in found} == {"none"}


def test_a_quiet_night_is_no_fault() -> None:
    """One vehicle in two minutes, then none for ten."""
    told = traffic(np.random.default_rng(4), 3_600_000, 0.5)
    told = [[s for s in spans if not FAILS_MS < s[0] < FAILS_MS + 600_000] for spans in told]
    place = Street(street())
    place.run(told, 3_600_000)
    assert all(fault == "none" for found in place.faults for fault in found)


def test_a_repaired_loop_is_trusted_again_and_both_are_logged() -> None:
    """Stuck off for ten minutes: code 84 and later 83, for its channel; no flapping between."""
    told = traffic(np.random.default_rng(5), 5_400_000)
    told[STOP] = [s for s in told[STOP] if not FAILS_MS < s[1] < FAILS_MS + 600_000]
    place = Street(street())
    place.run(told, 5_400_000)
    assert place.codes == [(84, 1), (83, 1)]
    assert place.faults[-1][STOP] == "none"


def test_the_ladder_goes_down_rung_by_rung() -> None:
    """Own; then by who sees the same vehicles; by upstream; by the time of day; recall."""
    place = Street(street())
    told = traffic(np.random.default_rng(6), 3_600_000)
    place.run(told, FAILS_MS)
    assert set(place.levels[-1]) == {"own"}
    assert place.health.rate_per_s[FAR] == pytest.approx(0.1, rel=0.5)
    place.health.fault[STOP] = 2
    place.run(told, FAILS_MS + BIN_MS, FAILS_MS + BIN_MS)
    assert place.levels[-1][STOP] == "neighbours"
    assert place.health.rate_per_s[STOP] == pytest.approx(place.health.rate_per_s[FAR], rel=0.2)


def test_what_waits_in_a_red_is_expected_when_the_loop_is_free_again() -> None:
    """Six come in 40 s while the first stands on the stop bar; then all go, and one more comes: 6 to expect."""
    far = [(t, t + 500) for t in (2000, 8000, 14_000, 22_000, 28_000, 34_000, 50_000)]
    stop = [(100, 41_000), *((t, t + 1000) for t in range(43_000, 58_000, 2500))]
    place = Street(street())
    place.memory.variance[:] = 0.0
    place.run([stop, far, [], [], []], 40_000)
    assert place.memory.compared[STOP] == 0.0
    place.run([stop, far, [], [], []], 60_000, 60_000)
    assert place.memory.compared[STOP] == pytest.approx(6.0, rel=0.01)


def test_where_the_whole_lane_is_dead_the_lane_beside_it_stands_in() -> None:
    """In proportion: the other lane counts about half of its usual, so is expected of this one."""
    place = Street(street())
    told = traffic(np.random.default_rng(6), 3_600_000)
    place.run(told, FAILS_MS)
    place.health.fault[[STOP, FAR, EXIT]] = 2
    place.memory.sound_bins[:] = 0
    place.memory.usual[STOP], place.memory.usual[STOP_2] = 2.4, 2.0
    place.memory.recent[STOP_2] = 1.0
    place.run(told, FAILS_MS + BIN_MS, FAILS_MS + BIN_MS)
    assert place.levels[-1][STOP] == "neighbours"
    share = place.memory.recent[STOP_2] / place.memory.usual[STOP_2]
    assert 0.4 < share < 0.7
    assert place.health.rate_per_s[STOP] == pytest.approx(share * place.memory.usual[STOP] / 20.0)


@pytest.mark.parametrize(("peer_fault", "verdict"), [(0, "counts too few"), (2, "none")])
def test_nobody_is_blamed_for_disagreeing_with_a_loop_at_fault(peer_fault: int, verdict: str) -> None:
    """The same evidence against the advance loop, its stop bar once sound and once stuck off."""
    place = Street(street())
    told = traffic(np.random.default_rng(6), FAILS_MS + BIN_MS)
    place.run(told, FAILS_MS)
    place.memory.few[FAR] = 4.2
    place.memory.recent[FAR] = 0.3 * place.memory.usual[FAR]
    place.health.fault[STOP] = peer_fault
    place.run(told, FAILS_MS + BIN_MS, FAILS_MS + BIN_MS)
    assert place.faults[-1][FAR] == verdict


@pytest.mark.parametrize(
    ("period", "bad", "expected"), [(1, 1, "chatter"), (3, 2, "chatter"), (4, 1, "none")]
)
def test_chatter_may_pause_for_a_bin_but_seldom_bursts_are_no_fault(
    period: int, bad: int, expected: str
) -> None:
    """In ``bad`` of ``period`` bins it counts 24 full pulses in 20 s: more than a lane holds, none of them brief."""
    bins = [k for k in range(30) if k % period < bad]
    pulses = [(k * BIN_MS + 800 * n + 10, k * BIN_MS + 800 * n + 410) for k in bins for n in range(24)]
    place = Street(street())
    place.run([pulses, [], [], [], []], 600_000)
    assert expected in {found[STOP] for found in place.faults}
    assert expected == "chatter" or {found[STOP] for found in place.faults} == {"none"}


@pytest.mark.parametrize(
    ("upstream", "learned", "level"),
    [(0.2, False, "upstream outflow"), (np.nan, True, "same time of day"), (np.nan, False, "recall")],
)
def test_a_junction_whose_loops_are_all_dead_is_never_without_demand(
    upstream: float, learned: bool, level: str
) -> None:
    """All loops fall silent at half an hour: within five minutes none is own; without any knowledge it is recall."""
    told = [before(spans) for spans in traffic(np.random.default_rng(7), FAILS_MS)]
    place = Street(street())
    place.memory.profile[:, FAILS_MS // 900_000] = 80 if learned else 255
    place.upstream[:] = upstream
    place.run(told, FAILS_MS + 300_000)
    assert place.levels[-1] == [level] * 5
    assert set(place.faults[-1]) == {"whole junction silent"}
    rate = {"upstream outflow": 0.2, "same time of day": 100.0 / 900.0, "recall": np.nan}[level]
    assert place.health.rate_per_s == pytest.approx([rate] * 5, nan_ok=True)


def test_loops_that_never_spoke_become_recall() -> None:
    """Nothing at all since the start: recall after a quarter of an hour."""
    place = Street(street())
    place.run([[] for _ in range(5)], 940_000)
    assert place.levels[-1] == ["recall"] * 5


def test_a_loop_that_never_spoke_is_believed_only_until_the_others_have() -> None:
    """A lane whose loops are cut since the start: own for as long as nobody has counted much, then recall."""
    told = traffic(np.random.default_rng(4), 1_800_000)
    told[STOP], told[FAR] = [], []
    place = Street(street(leave=False))
    place.run(told[:4], 1_800_000)
    assert place.levels[3] == ["own"] * 4
    assert place.levels[-1][STOP] == place.levels[-1][FAR] == "recall"
    assert place.levels[-1][STOP_2] == place.levels[-1][FAR_2] == "own"
    assert {fault for found in place.faults for fault in found} == {"none"}


def test_the_profile_keeps_a_quarter_of_an_hour_to_a_tenth() -> None:
    """Ninety vehicles between 7:00 and 7:15 are read back as 90, within the eighth of a root that a byte holds."""
    place = Street(street())
    spans = [(t * 10_000 + 5, t * 10_000 + 505) for t in range(180)]
    place.run([spans, spans, spans, spans, spans], 960_000, day_ms=7 * 3_600_000)
    veh = (place.memory.profile[:, 28] / 8.0) ** 2
    assert veh == pytest.approx([90.0] * 5, rel=0.1)
    assert (place.memory.profile[:, 29] == 255).all()


def test_peers_are_the_loops_that_see_the_same_vehicles() -> None:
    """Stop bar and advance of a lane each other's; the exit has both stop bars; neighbours share the approach."""
    peers = compile_peers(street())
    lists = [peers.peer[a:b].tolist() for a, b in zip(peers.peer_ptr[:-1], peers.peer_ptr[1:], strict=True)]
    assert lists == [[FAR], [STOP], [FAR_2], [STOP_2], [STOP, STOP_2]]
    assert peers.prior.tolist() == [1.0, 1.0, 1.0, 1.0, 0.5, 0.5]
    assert peers.neighbour.tolist() == [STOP_2, FAR_2, STOP, FAR]


@settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.integers(0, 2**32 - 1))
def test_verdicts_and_rates_are_those_of_the_plain_oracle(seed: int) -> None:
    """An hour of random traffic with random damage to a few loops: every fault, level and rate in every bin."""
    rng = np.random.default_rng(seed)
    site = street(leave=bool(rng.integers(2)))
    junction = site.junctions[0]
    told = traffic(rng, 3_400_000, float(rng.uniform(1.0, 12.0)))[: len(junction.detectors)]
    if rng.random() < 0.5 and len(told) == 5:
        told = queue(told, int(rng.integers(1, 15)), crawls=bool(rng.integers(2)))
    damages: list[Damage] = [stuck_on, on_from_the_start, stuck_off, half, chatter]
    for d in np.flatnonzero(rng.random(len(told)) < 0.3):
        told[d] = damages[rng.integers(len(damages))](told[d], rng)
    if rng.random() < 0.3:
        told = [before(spans) for spans in told]
    place, plain = Street(site), NaiveHealth(junction)
    place.upstream[:] = rng.choice([np.nan, 0.1], len(told))
    day_ms = int(rng.integers(86_400_000))
    place.run(told, 0, day_ms=day_ms)
    bins = [_bins(spans) for spans in told]
    for k in range(1, 170):
        now_ms = k * BIN_MS
        place.run(_within(told, now_ms), now_ms, now_ms, day_ms)
        on = [bool(x) for x in place.detectors.on]
        plain.close([b[k - 1] for b in bins], on, now_ms + day_ms, place.upstream.tolist())
        assert place.faults[-1] == [loop.fault for loop in plain.loops], k
        assert place.levels[-1] == [loop.level for loop in plain.loops], k
        rates = [loop.rate_per_s for loop in plain.loops]
        assert place.health.rate_per_s == pytest.approx(rates, rel=5e-3, abs=1e-6, nan_ok=True), k


def _within(told: list[Spans], now_ms: int) -> list[Spans]:
    """Presences that touch the bin before ``now_ms``."""
    return [[s for s in spans if s[1] > now_ms - BIN_MS and s[0] <= now_ms] for spans in told]


def _bins(spans: Spans) -> list[Bin]:
    """Counts by time of on, brief ones by time of off, occupancy by the second hand."""
    found = []
    for k in range(1, 171):
        a, b = (k - 1) * BIN_MS, k * BIN_MS
        found.append(
            Bin(
                sum(a < s[0] <= b for s in spans),
                sum(a < s[1] <= b and s[1] - s[0] < 200 for s in spans),
                sum(max(min(s[1], b) - max(s[0], a), 0) for s in spans),
                BIN_MS,
            )
        )
    return found
