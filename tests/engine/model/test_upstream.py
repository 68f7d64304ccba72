"""Links as arrays: sources, ways and feeds, on two junctions drawn by hand."""

from __future__ import annotations

from dataclasses import replace

from greensplit.engine.model.site import (
    ApproachLane,
    Detector,
    DetectorKind,
    GroupKind,
    Junction,
    Link,
    Sequence,
    SignalGroup,
    Site,
    Stage,
)
from greensplit.engine.model.upstream import Links, compile_links


def _junction(name: str, device_id: int, exits: tuple[tuple[int, ...], ...]) -> Junction:
    """Groups 1 and 2, a lane for each and one for both; an exit loop for each entry of ``exits``."""
    groups = tuple(SignalGroup(n, f"{n}", GroupKind.VEHICLE, (n - 1,), Sequence(), 5000) for n in (1, 2))
    lanes = [(name + "a", (1,)), (name + "b", (2,)), (name + "c", (1, 2))]
    return Junction(
        name,
        device_id,
        0.0,
        0.0,
        "..",
        groups,
        (),
        (Stage("S", (1, 2)),),
        (),
        tuple(ApproachLane(lane, "west", shared, 200.0, 13.9) for lane, shared in lanes),
        tuple(
            Detector(f"{name}{i}", i + 1, DetectorKind.EXIT, f"out{i}", 8.0, 2.0, 8.0, served, ())
            for i, served in enumerate(exits)
        ),
    )


def _site(exits: tuple[tuple[int, ...], ...], links: tuple[tuple[int, str, int], ...]) -> Site:
    made = tuple(Link("A", g, "B", lane, ms / 100.0, ms, 10.0) for g, lane, ms in links)
    return Site("test", (_junction("A", 1, exits), _junction("B", 2, ())), made)


def _ways(links: Links, lane: int) -> list[tuple[int, int]]:
    rows = range(links.way_ptr[lane], links.way_ptr[lane + 1])
    return [(int(links.way_group[i]), int(links.way_source[i])) for i in rows]


def _feeds(links: Links, lane: int) -> list[tuple[int, int]]:
    rows = range(links.feed_ptr[lane], links.feed_ptr[lane + 1])
    return [(int(links.feed_source[i]), int(links.feed_travel_ms[i])) for i in rows]


def test_a_source_is_an_exit_loop_and_where_there_is_none_the_group() -> None:
    """A: a loop behind group 1, none behind 2. B: no loops at all, so its groups are sources."""
    links = compile_links(_site(((1,),), ()))
    assert links.source_detector.tolist() == [0, -1, -1, -1]
    assert links.loop_source.tolist() == [0]
    assert links.source_junction.tolist() == [0, 0, 1, 1]


def test_a_lane_has_a_way_for_each_of_its_groups_and_each_exit_of_the_group() -> None:
    """Group 1 leads to both loops, group 2 to the second only; group indices run over the site."""
    links = compile_links(_site(((1,), (1, 2)), ()))
    assert _ways(links, 0) == [(0, 0), (0, 1)]
    assert _ways(links, 1) == [(1, 1)]
    assert _ways(links, 2) == [(0, 0), (0, 1), (1, 1)]
    assert _ways(links, 3) == [(2, 2)]


def test_ways_into_a_source_are_those_that_name_it() -> None:
    """The table by source and the table by lane tell the same."""
    links = compile_links(_site(((1,), (1, 2)), ()))
    for source in range(len(links.source_detector)):
        found = links.into_way[links.into_ptr[source] : links.into_ptr[source + 1]]
        assert sorted(found.tolist()) == [i for i, s in enumerate(links.way_source) if s == source]
    assert links.way_lane.tolist() == [0, 0, 1, 2, 2, 2, 3, 4, 5, 5]


def test_a_source_feeds_only_lanes_that_all_of_its_groups_reach() -> None:
    """The second loop serves both groups: lane Bb, which only group 1 reaches, is not behind it."""
    links = compile_links(_site(((1,), (1, 2)), ((1, "Ba", 9000), (1, "Bb", 8000), (2, "Ba", 9500))))
    assert _feeds(links, 3) == [(0, 9000), (1, 9500)]
    assert _feeds(links, 4) == [(0, 8000)]
    assert _feeds(links, 5) == []


def test_feeds_out_of_a_source_are_those_that_name_it() -> None:
    """Both tables tell the same."""
    links = compile_links(_site(((1,), (2,)), ((1, "Ba", 9000), (2, "Ba", 9500), (2, "Bc", 9500))))
    for source in range(len(links.source_detector)):
        found = links.source_feed[links.source_ptr[source] : links.source_ptr[source + 1]]
        assert sorted(found.tolist()) == [i for i, s in enumerate(links.feed_source) if s == source]


def test_a_link_to_a_lane_that_the_site_does_not_have_is_left_out() -> None:
    """Nothing is fed, nothing fails."""
    site = _site(((1,),), ((1, "Ba", 9000),))
    lost = replace(site, links=(replace(site.links[0], to_lane="elsewhere"),))
    assert len(compile_links(lost).feed_source) == 0


def test_a_site_without_junctions_has_empty_tables() -> None:
    """Pointers hold their first zero."""
    links = compile_links(Site("empty", ()))
    assert links.way_ptr.tolist() == links.feed_ptr.tolist() == links.source_ptr.tolist() == [0]
