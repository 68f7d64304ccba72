"""The page of a before/after comparison, on synthetic runs: its numbers, its words, its completeness."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import polars as pl
import pytest

from greensplit.engine.analytics.comparison import Question, compare_sides, open_sides
from greensplit.engine.analytics.comparison.findings import Findings
from greensplit.engine.analytics.comparison.sides import Options
from greensplit.engine.analytics.comparison.tables import as_json, export, tables_of
from greensplit.engine.analytics.comparison.words import texts, words_in
from greensplit.engine.analytics.report.change_page import render_change
from greensplit.engine.analytics.report.words import figure
from greensplit.engine.analytics.statistics import matching
from greensplit.engine.errors import InputError
from greensplit.sim.trips import summarise

from .conftest import END_S, write_run
from .test_in_a_browser import BROWSER, QUIET

SEEDS = range(6)


def runs_of(root: Path, controller: str, delay_s: float, **options: object) -> Path:
    """Six runs of one controller, each with a delay of its own."""
    for seed in SEEDS:
        own = delay_s + 0.4 * (seed % 3)
        write_run(root / controller / f"seed-{seed}", controller, delay_s=own, seed=seed, **options)  # type: ignore[arg-type]
    return root / controller


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The deployed plan at 60 s, another controller at 45 s."""
    root = tmp_path_factory.mktemp("change")
    return runs_of(root, "fixed", 60.0), runs_of(root, "lookahead", 45.0)


@pytest.fixture(scope="module")
def found(sides: tuple[Path, Path]) -> Findings:
    return compare_sides(open_sides([sides[0]], [sides[1]], Options()), Question(replicates=500))


@pytest.fixture(scope="module")
def pages(found: Findings, tmp_path_factory: pytest.TempPathFactory, bundle_cache: Path) -> dict[str, str]:
    """The page in both languages."""
    folder = tmp_path_factory.mktemp("pages")
    for language in ("en", "zh"):
        render_change(
            found,
            folder / f"{language}.html",
            bundle_cache=bundle_cache,
            language=language,
            command=["greensplit", "report", "a b"],
        )
    return {language: (folder / f"{language}.html").read_text(encoding="utf-8") for language in ("en", "zh")}


def shown(page: str) -> str:
    """The words that a reader sees."""
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", page[page.index("<body>") :], flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", " ", body))


def test_effects_of_runs_are_differences_of_their_summaries(
    sides: tuple[Path, Path], found: Findings
) -> None:
    """Delay as the summary of a run works it out; all runs have as many vehicles."""
    totals = []
    for side in sides:
        tables = [pl.read_parquet(side / f"seed-{seed}" / "trips.parquet") for seed in SEEDS]
        told = [summarise(table, END_S) for table in tables]
        totals.append(sum(one["corrected_delay_s"] for one in told) / len(told))
    assert found.head.before == pytest.approx(totals[0], abs=1e-3)
    assert found.head.after == pytest.approx(totals[1], abs=1e-3)
    assert found.head.change.estimate == pytest.approx(totals[1] - totals[0], abs=1e-3)
    assert found.matched.paired


def test_the_numbers_on_the_page_are_those_of_the_json(found: Findings, pages: dict[str, str]) -> None:
    """Before, after, change and both ends of its interval, for every measure over the whole day; and the hours."""
    values = as_json(found)
    json.dumps(values)
    digits = {one.measure.key: one.measure.digits for one in found.network}
    for page in pages.values():
        text = shown(page)
        for row in values["network"]:
            numbers = [
                row["before"],
                row["after"],
                *(row["change"][end] for end in ("estimate", "low", "high")),
            ]
            for value in numbers if row["period"] == "total" else numbers[:2]:
                assert figure(value, digits[row["measure"]]).lstrip("−") in text
        saved = values["saved_h"]
        for end in ("estimate", "low", "high"):
            assert figure(saved[end], 1 if saved["estimate"] < 100 else 0) in text


def test_no_effect_stands_without_its_interval(found: Findings) -> None:
    """Every outcome has both ends, and what has none is listed with its reason."""
    values = as_json(found)
    for row in [*values["network"], *values["corridors"]]:
        assert row["change"]["low"] <= row["change"]["estimate"] <= row["change"]["high"]
    asked = {
        (measure, period.name) for measure in ("ped_delay", "delay") for period in found.question.periods
    }
    told = {(row["measure"], row["period"]) for row in [*values["network"], *values["lacking"]]}
    assert asked <= told
    assert all(row["reason"] for row in values["lacking"])


def test_the_page_needs_nothing_from_elsewhere(pages: dict[str, str]) -> None:
    """No address is loaded; downloads are inside; scripts are held by their hashes."""
    for page in pages.values():
        outside = re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', page[: page.index('id="report-data"')])
        assert outside == []
        assert "default-src 'none'" in html.unescape(page[:2000])
        assert page.count("download=") >= 4


def test_the_chinese_page_has_no_english_words(pages: dict[str, str]) -> None:
    """What is left in Latin letters are names: of files, packages, methods, scenarios and their streets, units."""
    text = re.sub(r"[\w./-]*/[\w./-]+", " ", shown(pages["zh"]))
    left = set(re.findall(r"[A-Za-z][A-Za-z-]{2,}", text))
    names = {"greensplit", "report", "polars", "numpy", "scipy", "SHA-", "SHA", "CSV", "csv"}
    names |= {"Welch", "Wilcoxon", "Mann-Whitney", "Hodges-Lehmann", "Benjamini-Hochberg", "JavaScript"}
    names |= {"fixed", "lookahead", "arterial", "Market", "Street", "side", "street"}
    names |= {"effects", "corridors", "units", "bands", "speeds", "exclusions"}
    names |= {word for word in left if re.fullmatch(r"[0-9a-f-]+", word)}
    assert left - names == set()


def test_every_sentence_has_both_languages_and_the_same_values() -> None:
    """A value that is named in English is named in Chinese, and Chinese is Chinese."""
    for key, (english, chinese) in texts().items():
        values = [set(re.findall(r"{(\w+)}", text)) for text in (english, chinese)]
        assert values[0] == values[1], key
        words = re.sub(r"{\w+}", "", english)
        if re.search(r"[a-z]{2,}", words) and not re.fullmatch(r"SHA-256", words):
            assert re.search(r"[\u4e00-\u9fff]", chinese), key


REASONS = (
    "the clock changes",
    "volumes missing",
    "values missing",
    "nothing to measure",
    "more of this weekday than on the other side",
    "seed is not on the other side",
    "cut short before the end",
    "88 of 96 bins",
    "detector channel 1, 2 is silent on this side only",
    "its detectors are others than before",
    "not measured on the other side",
)


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_to_leave_something_out_is_told_in_chinese(reason: str) -> None:
    """As the matching and the reading of inputs give them; a day that the user excluded keeps the user's words."""
    told = words_in("zh")(f"reason.{reason}")
    assert not re.search(r"[A-Za-z]{2,}", told)
    assert words_in("en")(f"reason.{reason}") == reason
    assert words_in("zh")("reason.football") == "football"


def test_every_reason_of_the_code_is_among_them() -> None:
    """Texts in the matching that a day can be left out for."""
    source = Path(matching.__file__).read_text(encoding="utf-8")
    reasons = re.findall(r'\.then\(pl\.lit\("([^"]+)"\)\)', source)
    assert len(reasons) >= 6
    assert set(reasons) <= set(REASONS)


def test_charts_and_tables_are_told_to_those_who_cannot_see(pages: dict[str, str]) -> None:
    """Each place of a chart has its text; the page says its language; tables have captions."""
    for language, page in pages.items():
        body = page[page.index("<body>") : page.index('id="report-data"')]
        places = re.findall(r'<div class="chart"[^>]*>', body)
        assert len(places) >= 5
        assert all('role="img"' in place for place in places)
        assert all(len(re.findall(r'aria-label="([^"]*)"', place)[0]) > 10 for place in places)
        assert body.count("<table>") == body.count("<caption>")
        assert f'<html lang="{ {"en": "en", "zh": "zh-Hans"}[language] }"' in page


def test_exports_hold_the_same_numbers(found: Findings, tmp_path: Path) -> None:
    """CSV and Parquet read back as the tables; a workbook has a sheet for each."""
    tables = tables_of(found)
    for kind, read in (("csv", pl.read_csv), ("parquet", pl.read_parquet)):
        paths = export(found, kind, tmp_path / "out.html")
        assert [path.name for path in paths] == [f"out-{name}.{kind}" for name in tables]
        back = read(paths[0])
        assert back["change_low"].to_list() == pytest.approx(tables["effects"]["change_low"].to_list())
    pytest.importorskip("xlsxwriter")
    (book,) = export(found, "xlsx", tmp_path / "out.html")
    sheets = re.findall(r'<sheet name="(\w+)"', zipfile.ZipFile(book).read("xl/workbook.xml").decode())
    assert sheets == list(tables)


def test_a_run_that_was_cut_short_is_left_out_with_its_reason(tmp_path: Path) -> None:
    """Its pair has nothing to be compared with, and is left out too."""
    before, after = runs_of(tmp_path, "fixed", 60.0), runs_of(tmp_path, "lookahead", 45.0)
    cut = after / "seed-3" / "run.json"
    cut.write_text(json.dumps(json.loads(cut.read_text()) | {"partial": True}))
    found = compare_sides(open_sides([before], [after], Options()), Question(replicates=200))
    assert set(found.exclusions.select("side", "unit", "reason").rows()) == {
        ("after", "000003/7", "cut short before the end"),
        ("before", "000003/7", "seed is not on the other side"),
    }


MISMATCHES = {
    "expected one scenario before and after": {"scenario": "elsewhere"},
    "expected one end_s before and after": {"meta": {"end_s": 30000}},
    "expected one scenario_hash before and after": {"meta": {"scenario_hash": "other"}},
}


@pytest.mark.parametrize("message", MISMATCHES)
def test_runs_that_do_not_match_are_refused(sides: tuple[Path, Path], tmp_path: Path, message: str) -> None:
    """Another scenario, another window, another version of the same network."""
    other = runs_of(tmp_path, "lookahead", 45.0, **MISMATCHES[message])  # type: ignore[arg-type]
    with pytest.raises(InputError, match=message):
        open_sides([sides[0]], [other], Options())


def test_the_same_runs_on_both_sides_are_refused(sides: tuple[Path, Path]) -> None:
    with pytest.raises(InputError, match="expected each before or after"):
        open_sides([sides[0]], [sides[0] / "seed-1"], Options())


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine (apt-get install chromium)")
def test_every_chart_is_drawn_in_a_browser(pages: dict[str, str], tmp_path: Path) -> None:
    """In Chinese, whose words the charts have to find in the data."""
    assert BROWSER is not None
    (tmp_path / "zh.html").write_text(pages["zh"], encoding="utf-8")
    command = [BROWSER, *QUIET, f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=8000"]
    done = subprocess.run(
        [*command, "--dump-dom", (tmp_path / "zh.html").as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    places = re.findall(r'<div[^>]* class="chart[^"]*"[^>]*>', done.stdout)
    assert len(places) >= 5
    assert all('role="graphics-document"' in place for place in places)
    shutil.rmtree(tmp_path / "profile", ignore_errors=True)
