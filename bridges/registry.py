"""Bridges and fronts by name, from entry points: found when asked for, so that no protocol's libraries load before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

from greensplit.engine.errors import InputError
from greensplit.engine.model.site import Junction

from .base import Bridge, BridgeSettings
from .standin.controller import StandIn
from .standin.front import Front

__all__ = ["BRIDGES", "FRONTS", "MakeBridge", "MakeFront", "between", "find_bridge", "find_front", "names"]

BRIDGES = "greensplit.bridges"
FRONTS = "greensplit.fronts"

MakeBridge = Callable[[Sequence[Junction], Mapping[str, str], Mapping[str, str], BridgeSettings], Bridge]
"""Junctions, the address of each by its id, options, settings."""
MakeFront = Callable[[Sequence[StandIn], Mapping[str, str], Callable[[], int]], Front]
"""Stand-ins, options, and the clock that they are brought to."""
Words = Mapping[str, str]


def names(group: str) -> list[str]:
    """What is registered in a group of entry points."""
    return sorted(entry_points(group=group).names)


def find_bridge(name: str) -> MakeBridge:
    """What makes the bridge of that name. InputError where there is none, or its libraries are not installed."""
    return cast(MakeBridge, _find(BRIDGES, "bridge", name))


def find_front(name: str) -> MakeFront:
    """What makes the front of that name. InputError likewise."""
    return cast(MakeFront, _find(FRONTS, "stand-in", name))


def between(name: str, options: Words) -> AbstractContextManager[tuple[Words, Words]]:
    """What stands between the two ends of a run: the options of the bridge, and those of the front.

    A protocol that needs something there has a function ``between`` in the module of its bridge; for the others the
    two are as given. Raises InputError as ``find_bridge`` does.
    """
    find_bridge(name)
    make = getattr(import_module(_entry_point(BRIDGES, "bridge", name).module), "between", None)
    if make is None:
        return nullcontext((options, options))
    return cast(AbstractContextManager[tuple[Words, Words]], make(options))


def _entry_point(group: str, what: str, name: str) -> EntryPoint:
    found = entry_points(group=group, name=name)
    if not found:
        raise InputError(f"{what}: expected one of {', '.join(names(group)) or 'none'}, found {name}")
    return next(iter(found))


def _find(group: str, what: str, name: str) -> Any:
    entry_point = _entry_point(group, what, name)
    try:
        return entry_point.load()
    except ImportError as err:
        raise InputError(
            f"{what} {name}: expected its libraries (pip install 'greensplit[{name}]'), found: {err}"
        ) from err
