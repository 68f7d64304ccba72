"""A user's own SUMO scenario: a configuration file, or its parts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from greensplit.engine.errors import InputError, NetworkError, ScenarioError

from .base import Scenario
from .flows import FLOW_TAGS
from .netfile import signal_ids
from .reading import DEMAND_TAGS, ON_OCCASION
from .times import parse_time_s
from .xmlio import scan

__all__ = ["from_files", "from_sumocfg"]

HOUR_S = 3600
# The names under which SUMO accepts each option in a configuration (MSFrame::fillOptions and its synonyms).
OPTION_NAMES = {
    "net-file": "net-file", "net": "net-file", "n": "net-file",
    "route-files": "route-files", "routes": "route-files", "r": "route-files",
    "additional-files": "additional-files", "additional": "additional-files", "a": "additional-files",
    "begin": "begin", "b": "begin",
    "end": "end", "e": "end",
}  # fmt: skip
SOURCE = "the user's files"


def from_sumocfg(path: Path) -> Scenario:
    """The scenario of a SUMO configuration; files in it are relative to it.

    A missing end becomes the full hour after the last departure; the description says so, and names the
    options of the configuration that are not used. Raises NetworkError for a file that is missing, broken
    or without a network.
    """
    options = _options(path)
    if "net-file" not in options:
        raise NetworkError(f"{path}: expected a net-file, found {', '.join(sorted(options)) or 'no option'}")
    known = set(OPTION_NAMES.values())
    return _scenario(
        name=path.name.removesuffix(".sumocfg"),
        net=_single(path, options["net-file"]),
        routes=_paths(path, options.get("route-files", "")),
        additional=_paths(path, options.get("additional-files", "")),
        begin_s=math.floor(parse_time_s(options.get("begin", "0"), f"{path}: begin")),
        end_s=_end_s(options.get("end", "-1"), path),
        unused=sorted(set(options) - known),
    )


def from_files(
    net: Path,
    routes: Sequence[Path],
    additional: Sequence[Path] = (),
    begin_s: int = 0,
    end_s: int | None = None,
) -> Scenario:
    """The scenario of a network, route files and additional files, for [``begin_s``, ``end_s``) in seconds.

    Without ``end_s`` it ends at the full hour after the last departure; the description says so.
    Raises NetworkError for a file that is missing or no network, InputError for an empty window.
    """
    name = net.name.removesuffix(".gz").removesuffix(".xml").removesuffix(".net")
    return _scenario(name, net, tuple(routes), tuple(additional), begin_s, end_s, [])


def _scenario(
    name: str,
    net: Path,
    routes: tuple[Path, ...],
    additional: tuple[Path, ...],
    begin_s: int,
    end_s: int | None,
    unused: Sequence[str],
) -> Scenario:
    for path in (net, *routes, *additional):
        if not path.is_file():
            raise NetworkError(f"{path}: expected a file, found none")
    junctions = len(signal_ids(net))
    words = [f"{junctions} signalised junctions"]
    if end_s is None:
        end_s = _next_full_hour_s((*additional, *routes), begin_s)
        words.append(f"no end given: ends at {end_s} s, the full hour after the last departure")
    if end_s <= begin_s:
        raise InputError(f"{net}: expected an end after the begin, found {begin_s}-{end_s} s")
    if unused:
        words.append(f"options not used: {', '.join(unused)}")
    return Scenario(name, net, routes, additional, begin_s, end_s, SOURCE, "the user's own", "; ".join(words))


def _options(path: Path) -> dict[str, str]:
    options: dict[str, str] = {}

    def on_start(tag: str, attributes: Mapping[str, str]) -> None:
        value = attributes.get("value", attributes.get("v"))
        if value is not None:
            options[OPTION_NAMES.get(tag, tag)] = value

    scan(path, on_start)
    return options


def _single(cfg: Path, value: str) -> Path:
    paths = _paths(cfg, value)
    if len(paths) != 1:
        raise NetworkError(f"{cfg}: expected one net-file, found {value!r}")
    return paths[0]


def _paths(cfg: Path, value: str) -> tuple[Path, ...]:
    if "${" in value:
        raise NetworkError(f"{cfg}: expected plain file names, found {value!r}: variables are not supported")
    return tuple(cfg.parent / part.strip() for part in value.split(",") if part.strip())


def _end_s(value: str, path: Path) -> int | None:
    end_s = parse_time_s(value, f"{path}: end")
    return math.ceil(end_s) if end_s >= 0 else None


def _next_full_hour_s(paths: Sequence[Path], begin_s: int) -> int:
    lasts_s = [last_s for path in paths for last_s in _last_departures_s(path)]
    if not lasts_s:
        raise ScenarioError(
            f"{', '.join(map(str, paths)) or 'no route file'}: expected departures, found none"
        )
    return (math.floor(max(*lasts_s, begin_s)) // HOUR_S + 1) * HOUR_S


def _last_departures_s(path: Path) -> Iterator[float]:
    found: list[tuple[str, dict[str, str]]] = []

    def on_start(tag: str, attributes: Mapping[str, str]) -> None:
        if tag in DEMAND_TAGS:
            found.append((tag, dict(attributes.items())))

    scan(path, on_start)
    for tag, attributes in found:
        where = f"{path}: {tag} {attributes.get('id')!r}"
        if tag in FLOW_TAGS:
            yield _flow_end_s(attributes, where)
        elif attributes.get("depart", "begin") not in {"begin", *ON_OCCASION}:
            yield parse_time_s(attributes["depart"], where)


def _flow_end_s(attributes: Mapping[str, str], where: str) -> float:
    """The last instant before a flow's end, at which nothing departs any more."""
    if "end" not in attributes:
        raise ScenarioError(f"{where}: expected an end of the flow or of the scenario, found neither")
    return math.nextafter(parse_time_s(attributes["end"], where), -math.inf)
