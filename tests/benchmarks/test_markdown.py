"""The table of the README says what the comparison found."""

from __future__ import annotations

from greensplit.benchmarks.markdown import markdown


def _line(controller: str, mean_s: float, ratio: float, gridlock: float) -> dict[str, object]:
    return {
        "scenario": "town",
        "controller": controller,
        "delay_mean_s": mean_s,
        "ratio": ratio,
        "gridlock_share": gridlock,
    }


def test_the_best_is_bold_and_gridlock_is_told() -> None:
    """Two controllers on one network: the lower mean is bold, the one with a locked seed carries a G."""
    rows = [{"seed": seed, "versions": {"greensplit": "0.1.0"}} for seed in (0, 1, 2)]
    aggregates = [_line("fixed", 123.4, 1.0, 0.0), _line("ours", 61.7, 0.5, 1 / 3)]
    table = markdown({"rows": rows, "aggregates": aggregates}).splitlines()
    assert table[0] == "| scenario | fixed | ours | ours / fixed |"
    assert table[2] == "| town | 123 | **61.7** G | 0.50 |"
    assert table[4] == "Seeds 0-2; greensplit 0.1.0."
