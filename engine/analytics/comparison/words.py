"""Every sentence of a before/after report, in English and Simplified Chinese."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from functools import cache
from importlib.resources import files

from ...errors import InputError

__all__ = ["LANGUAGES", "Words", "texts", "words_in"]

LANGUAGES = ("en", "zh")
Words = Callable[..., str]


@cache
def texts() -> dict[str, tuple[str, str]]:
    """English and Chinese by key."""
    found = tomllib.loads(files(__package__).joinpath("texts.toml").read_text(encoding="utf-8"))
    return {key: (english, chinese) for key, (english, chinese) in found.items()}


REASONS: tuple[tuple[str, str], ...] = (
    (r"the clock changes", "夏令时切换"),
    (r"volumes missing", "缺少交通量"),
    (r"values missing", "缺少数值"),
    (r"nothing to measure", "没有可测数据"),
    (r"more of this weekday than on the other side", "该星期几的天数多于另一侧"),
    (r"seed is not on the other side", "另一侧没有该种子"),
    (r"cut short before the end", "仿真提前中止"),
    (r"(\d+) of (\d+) bins", r"\2 个时段中仅有 \1 个"),
    (r"not measured on the other side", "另一侧未测量"),
    (r"its detectors are others than before", "检测器配置与实施前不同"),
    (r"detector channel ([\d, ]+) is silent on this side only", r"检测器通道 \1 仅在此侧无数据"),
)
PLACES: tuple[tuple[str, str], ...] = (
    (r"\bfrom north-east\b", "自东北"),
    (r"\bfrom north-west\b", "自西北"),
    (r"\bfrom south-east\b", "自东南"),
    (r"\bfrom south-west\b", "自西南"),
    (r"\bfrom north\b", "自北"),
    (r"\bfrom south\b", "自南"),
    (r"\bfrom east\b", "自东"),
    (r"\bfrom west\b", "自西"),
    (r"^Junction (?=\S)", "路口 "),
)


def words_in(language: str) -> Words:
    """The sentences of one language: a key and its values to a text. Raises InputError for another language."""
    if language not in LANGUAGES:
        raise InputError(f"--lang: expected {' or '.join(LANGUAGES)}, found {language}")
    place = LANGUAGES.index(language)

    def say(key: str, **values: object) -> str:
        text = texts()[key][place] if key in texts() else _unlisted(key, place)
        return text.format(**values) if values else text

    return say


def _unlisted(key: str, place: int) -> str:
    """Names that others gave: periods, reasons, places. Known patterns are put into the language."""
    kind, _, text = key.partition(".")
    patterns = {"reason": REASONS, "place": PLACES}.get(kind, ())
    if place:
        for pattern, chinese in patterns:
            text = re.sub(pattern, chinese, text)
    return text
