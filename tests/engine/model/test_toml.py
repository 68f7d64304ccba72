"""A site file holds exactly the site: nothing is lost, nothing is guessed, nothing foreign is accepted."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greensplit.engine.errors import ModelError
from greensplit.engine.model import toml
from greensplit.engine.model.site import (
    ApproachLane,
    Detector,
    DetectorKind,
    GroupKind,
    Junction,
    Link,
    Meeting,
    MeetingKind,
    Plan,
    PlanStep,
    Preempt,
    Recall,
    Ring,
    RingStep,
    Sequence,
    SignalGroup,
    Site,
    Stage,
    Step,
)

from ..kernels.sites import crossroads

words = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
whole = st.integers(-(2**31), 2**31)
real = st.floats(allow_nan=False)
flag = st.booleans()


def some(of: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(of, max_size=2).map(tuple)


steps = some(st.builds(Step, words, whole))
sequences = st.builds(Sequence, steps, steps)
groups = st.builds(
    SignalGroup,
    whole,
    words,
    st.sampled_from(GroupKind),
    some(whole),
    sequences,
    whole,
    flag,
    commit_ms=whole,
    max_green_ms=whole,
    passage_ms=whole,
    recall=st.sampled_from(Recall),
    phase=whole,
    overlap=whole,
    parents=some(whole),
)
meetings = st.builds(Meeting, whole, whole, st.sampled_from(MeetingKind), whole, whole, flag)
stages = st.builds(Stage, words, some(whole), some(whole), flag)
plans = st.builds(Plan, words, whole, whole, some(st.builds(PlanStep, words, whole)), words)
ring_steps = st.builds(RingStep, words, some(whole), whole)
rings = st.builds(Ring, some(ring_steps))
preempts = st.builds(Preempt, whole, words, whole, whole, words, whole, words)
lanes = st.builds(ApproachLane, words, words, some(whole), real, real)
detectors = st.builds(
    Detector, words, whole, st.sampled_from(DetectorKind), words, real, real, real, some(whole), some(words)
)
junctions = st.builds(
    Junction,
    words,
    whole,
    real,
    real,
    words,
    some(groups),
    some(meetings),
    some(stages),
    some(plans),
    some(lanes),
    some(detectors),
    some(rings),
    some(preempts),
    whole,
)
links = st.builds(Link, words, whole, words, words, real, whole, real)
sites = st.builds(Site, words, some(junctions), some(links), words, whole, some(words))


def whole_site() -> Site:
    """Every part of the model at least once, each with all its fields set to something else than the default."""
    people = GroupKind.PEDESTRIAN
    sequence = Sequence((Step("red_amber", 1),), (Step("green_flash", 2), Step("yellow", 3)))
    group = SignalGroup(1, "a", people, (4,), sequence, 5, True, 6, 7, 8, Recall.MAXIMUM, 9, 10, (11,))
    junction = Junction(
        "J",
        1,
        2.0,
        3.0,
        ".",
        (group,),
        (Meeting(1, 2, MeetingKind.PERMISSIVE, 3, 4, True),),
        (Stage("S", (1,), (2,), False),),
        (Plan("day", 1, 2, (PlanStep("S", 3),), "S"),),
        (ApproachLane("in_0", "from north", (1,), 2.0, 3.0),),
        (Detector("D", 1, DetectorKind.EXIT, "in_0", 2.0, 3.0, 4.0, (5,), ("in_0",)),),
        (Ring((RingStep("S", (1,), 2),)),),
        (Preempt(1, "S", 2, 3, "T", 4, "E"),),
        5,
    )
    return Site("c", (junction,), (Link("J", 1, "K", "in_0", 2.0, 3, 4.0),), "Europe/Berlin", 9, ("known",))


def parts_of(value: Any) -> list[Any]:
    """The value and all parts of the model in it."""
    inner = value if isinstance(value, tuple) else [getattr(value, f.name) for f in fields(value)]
    found = [
        part for item in inner if isinstance(item, tuple) or is_dataclass(item) for part in parts_of(item)
    ]
    return found if isinstance(value, tuple) else [value, *found]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(sites)
def test_any_site_comes_back_from_toml_unchanged(site: Site) -> None:
    """Writing and reading give an equal site, whatever its words and numbers are."""
    assert toml.site_from_toml(toml.site_to_toml(site)) == site


def test_kinds_come_back_as_members_and_not_as_strings() -> None:
    """A StrEnum equals its string, so equality alone would hide a kind that came back as text."""
    back = toml.site_from_toml(toml.site_to_toml(crossroads())).junctions[0]
    assert type(back.groups[0].kind) is GroupKind
    assert type(back.meetings[0].kind) is MeetingKind
    assert type(back.detectors[0].kind) is DetectorKind
    assert type(back.groups[0].recall) is Recall


def test_a_site_without_a_single_default_comes_back_unchanged() -> None:
    """A field at its default would come back whether or not it is written."""
    site = whole_site()
    for part in parts_of(site):
        assert not [f.name for f in fields(part) if getattr(part, f.name) in (f.default, ())]
    assert toml.site_from_toml(toml.site_to_toml(site)) == site


def test_a_site_file_comes_back_unchanged(tmp_path: Path) -> None:
    """The same through a file, with a name outside ASCII."""
    site = replace(crossroads(), name="Köln 成都")
    toml.write_site(site, tmp_path / "model.toml")
    assert toml.read_site(tmp_path / "model.toml") == site


def broken(old: str, new: str) -> str:
    """The crossroads' file with one line changed."""
    text = toml.site_to_toml(crossroads())
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ('name = "test"', 'name = "test"\ncolour = "red"', "colour"),
        ("min_green_ms = 5000", "min_green_ms = 5000\nleast_ms = 1", "junctions.0.groups.0.least_ms"),
        ("min_green_ms = 5000", 'min_green_ms = "5000"', "junctions.0.groups.0.min_green_ms"),
        ("min_green_ms = 5000", "min_green_ms = 5000.0", "junctions.0.groups.0.min_green_ms"),
        ("min_green_ms = 5000", "min_green_ms = true", "junctions.0.groups.0.min_green_ms"),
        ("min_green_ms = 5000", "min_green_ms = 1979-05-27", "junctions.0.groups.0.min_green_ms"),
        ("min_green_ms = 5000\n", "", "junctions.0.groups.0.min_green_ms"),
        ("turn_on_red = false", "turn_on_red = 0", "junctions.0.groups.0.turn_on_red"),
        ('kind = "vehicle"', 'kind = "car"', "junctions.0.groups.0.kind"),
        ('kind = "conflict"', "kind = 1", "junctions.0.meetings.0.kind"),
        ("x_m = 0.0", 'x_m = "0.0"', "junctions.0.x_m"),
        ('name = "test"', "name = 7", "name"),
    ],
)
def test_an_unknown_key_or_a_wrong_type_is_refused_with_its_path(old: str, new: str, path: str) -> None:
    """Neither a text that looks like a number nor a flag stands for a number."""
    with pytest.raises(ModelError) as caught:
        toml.site_from_toml(broken(old, new), where="city.toml")
    assert str(caught.value).startswith(f"city.toml: at '{path}': ")
    assert "\n" not in str(caught.value)


def test_a_whole_number_may_stand_where_a_distance_is_meant() -> None:
    """People write 200 for 200.0 m."""
    site = toml.site_from_toml(broken("x_m = 0.0", "x_m = 3"))
    assert site.junctions[0].x_m == 3.0


@pytest.mark.parametrize(
    "text",
    ["name = ", "name = 'a'\nname = 'b'", "a = " + "[" * 50_000, "a = " + "9" * 5000, "\x00", "a=1\n[a.b]"],
    ids=["no value", "twice", "deep", "endless number", "nul", "number as table"],
)
def test_what_is_not_toml_is_refused_in_one_line(text: str) -> None:
    """Also where the parser itself gives up: too deep, too many digits."""
    with pytest.raises(ModelError, match=r"^city\.toml: expected TOML") as caught:
        toml.site_from_toml(text, where="city.toml")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """64 MB is the limit; the file is sparse, so nothing is written."""
    path = tmp_path / "huge.toml"
    with path.open("wb") as file:
        file.truncate(64_000_001)
    with pytest.raises(ModelError, match="expected at most 64000000 bytes, found 64000001"):
        toml.read_site(path)


def test_a_missing_or_binary_file_is_refused_with_its_name(tmp_path: Path) -> None:
    """A missing file, a folder, and bytes that are not UTF-8."""
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    for name in ("missing.toml", ".", "binary.toml"):
        with pytest.raises(ModelError, match="expected a readable model file"):
            toml.read_site(tmp_path / name)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written whole does not touch what is there."""
    path = tmp_path / "model.toml"
    path.write_text("old")

    def full(_path: Path, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(Exception, match="full disk"):
        toml.write_site(crossroads(), path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["model.toml"]
