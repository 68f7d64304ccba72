"""Configurations from ``name=value`` text, as a command line gives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from greensplit.engine.errors import ScenarioError

from .crossings import CrossingsConfig
from .generated import ArterialConfig, GridConfig

__all__ = ["configured"]

Config = TypeVar("Config", ArterialConfig, GridConfig, CrossingsConfig)


def configured(kind: type[Config], params: Mapping[str, str], where: str) -> Config:
    """A ``kind`` with the fields named in ``params`` set; a list of numbers is written with commas.

    Raises ScenarioError for a field that ``kind`` does not have, a value that cannot be read, or one out of
    range.
    """
    parsers = {field.name: PARSERS[str(field.type)] for field in fields(kind)}
    unknown = sorted(set(params) - set(parsers))
    if unknown:
        raise ScenarioError(
            f"{where}: expected parameters among {', '.join(parsers)}, found {', '.join(unknown)}"
        )
    values: dict[str, Any] = {
        name: _parsed(parsers[name], name, text, where) for name, text in params.items()
    }
    return kind(**values)


def _parsed(parser: Callable[[str], object], name: str, text: str, where: str) -> object:
    try:
        return parser(text)
    except ValueError as error:
        raise ScenarioError(f"{where}: expected a number in {name}, found {text!r}") from error


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(","))


PARSERS: Mapping[str, Callable[[str], object]] = {"int": int, "float": float, "tuple[float, ...]": _numbers}
