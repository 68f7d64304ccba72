"""Which sources decide what a controller does, and their hash: a run is done again when it changes, and only then.

The hash of a controller covers, besides the versions of SUMO, of the networks' package and of the libraries:

- a program that SUMO runs itself: every module of ``sim`` and ``scenarios`` that preparing, running and measuring
  import, directly or through each other, at the top or inside a function;
- a policy or a mode of our own machine: the same modules, those of ``engine`` and ``controllers`` that they import,
  and the import closure of the policy's own modules;
- the conflict-free bound: as a program, and the module that makes it.

The catalogue of controllers imports all of them, so the way through it is cut: from it counts the controller's own
entry, the functions and constants that its maker names, and the modules that those name. What only renders or
stores (the reports and the log) is cut too, and what only runs over a bridge or with incidents use: there are none.
A module that nobody in the closure imports does not count, whatever folder it is in. The measure of waiting calls
(``calls``) counts for all but the bound, the versions of greensplit for none.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

__all__ = ["ROOT", "Sources", "code_hash", "import_closure"]

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "greensplit"
CATALOGUE = "controllers.catalogue"
MEASURING = "benchmarks.quality.calls"
RUNNING = ("sim.run", MEASURING)
NEVER_RUN = ("sim.field_drive", "sim.stand_ins", "sim.incidents", "scenarios.incidents", "engine.field_loop")
CUT = (CATALOGUE, "engine.analytics", "engine.store", *NEVER_RUN)
SUMO_PROGRAMS = ("deployed", "actuated", "delay_based")
SUMO_DECIDES = ("sim", "scenarios", MEASURING)
ALL = (*SUMO_DECIDES, "controllers", "engine", MEASURING)
BOUND_MODULE = "benchmarks.quality.bound"


@dataclass(frozen=True, slots=True)
class Sources:
    """A checkout to read from; module names are relative to it, such as ``engine.loop``."""

    root: Path = ROOT

    def path(self, module: str) -> Path | None:
        """The file of a module or package, None where there is none."""
        place = self.root / module.replace(".", "/")
        for path in (place.with_suffix(".py"), place / "__init__.py"):
            if path.is_file():
                return path
        return None

    def imports(self, module: str) -> Iterator[str]:
        """Modules of ours that a module imports, anywhere in it."""
        path = self.path(module)
        if path is None:
            return
        is_package = path.name == "__init__.py"
        for node in _import_statements(path, path.stat().st_mtime_ns):
            yield from self.named(node, module, is_package=is_package)

    def named(self, node: ast.AST, module: str, *, is_package: bool = False) -> Iterator[str]:
        """Modules of ours that an import statement in ``module`` names."""
        if isinstance(node, ast.Import):
            yield from (name for alias in node.names for name in _ours(alias.name))
        elif isinstance(node, ast.ImportFrom):
            for base in _base(node, module, is_package):
                inner = [f"{base}.{alias.name}".lstrip(".") for alias in node.names]
                found = [name for name in inner if self.path(name)]
                yield from found
                if len(found) < len(inner) and base:
                    yield base


@cache
def _import_statements(path: Path, _changed_ns: int) -> tuple[ast.AST, ...]:
    tree = ast.parse(path.read_bytes())
    return tuple(node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))


def _base(node: ast.ImportFrom, module: str, is_package: bool) -> Iterator[str]:
    """The package that ``from ... import`` names, when it is ours."""
    if not node.level:
        yield from _ours(node.module or "")
        return
    parts = module.split(".")
    parts = parts[: len(parts) - node.level + is_package]
    yield ".".join([*parts, *([node.module] if node.module else [])])


def _ours(name: str) -> Iterator[str]:
    if name == PACKAGE or name.startswith(f"{PACKAGE}."):
        yield name.removeprefix(PACKAGE).lstrip(".")


def import_closure(sources: Sources, start: Iterable[str], within: Iterable[str]) -> frozenset[str]:
    """``start`` and all that they import, directly or not, inside the packages ``within`` and not through ``CUT``."""
    allowed = tuple(within)
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        module = waiting.pop()
        if module in found or not _is_in(module, allowed) or _is_in(module, CUT):
            continue
        found.add(module)
        waiting += sources.imports(module)
    return frozenset(found)


def _is_in(module: str, packages: Iterable[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def code_hash(controller: str, versions: dict[str, str], sources: Sources | None = None) -> str:
    """16 hex digits over everything that decides the runs of a controller.

    Raises InputError where there is no such controller. ``versions`` are those of SUMO and the libraries;
    ``sources`` is this checkout where none is given.
    """
    from greensplit.controllers.catalogue import find

    from .measure import CONFLICT_FREE

    where = sources or Sources()
    if controller == CONFLICT_FREE:
        modules = import_closure(where, ["sim.run", BOUND_MODULE], ("sim", "scenarios", BOUND_MODULE))
        return _digest(where, modules, [CONFLICT_FREE], versions)
    entry = find(controller)
    values = {field.name: getattr(entry, field.name) for field in fields(entry) if field.name != "summary"}
    plain = {name: repr(value) for name, value in values.items() if not callable(value)}
    texts, own = [json.dumps(plain, sort_keys=True)], []
    for maker in filter(callable, values.values()):
        more_texts, more_modules = _made_by(where, maker)
        texts += more_texts
        own += more_modules
    is_sumos = entry.program in SUMO_PROGRAMS
    modules = import_closure(where, [*RUNNING, *own], SUMO_DECIDES if is_sumos else ALL)
    return _digest(where, modules, texts, versions)


def _made_by(sources: Sources, maker: Callable[..., object]) -> tuple[list[str], list[str]]:
    """What stands behind a function of a catalogue entry: source texts of the catalogue, and modules.

    One that neither the catalogue nor another module of ours defines by name may be anything, so then the whole
    catalogue counts.
    """
    home = next(_ours(maker.__module__), "")
    name = getattr(maker, "__name__", "")
    if name.isidentifier() and home not in ("", CATALOGUE):
        return [f"{home}.{name}"], [home]
    path = sources.path(CATALOGUE)
    assert path is not None
    text = path.read_text(encoding="utf-8")
    defined = _top_level(ast.parse(text))
    if name not in defined:
        return [text], list(sources.imports(CATALOGUE))
    texts: list[str] = []
    modules: list[str] = []
    waiting, seen = [name], {name}
    while waiting:
        node = defined[waiting.pop()]
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules += sources.named(node, CATALOGUE)
            continue
        texts.append(ast.unparse(node))
        modules += [found for inner in ast.walk(node) for found in sources.named(inner, CATALOGUE)]
        used = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)} & set(defined)
        waiting += sorted(used - seen)
        seen |= used
    return sorted(texts), modules


def _top_level(tree: ast.Module) -> dict[str, ast.stmt]:
    """The statement that gives each name of a module its meaning; an import of several names is one for each."""
    found: dict[str, ast.stmt] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found.update({target.id: node for target in targets if isinstance(target, ast.Name)})
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                found[alias.asname or alias.name.split(".")[0]] = _alone(node, alias)
    return found


def _alone(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> ast.stmt:
    if isinstance(node, ast.Import):
        return ast.Import([alias])
    return ast.ImportFrom(node.module, [alias], node.level)


def _digest(sources: Sources, modules: Iterable[str], texts: Iterable[str], versions: dict[str, str]) -> str:
    digest = hashlib.sha256(json.dumps([versions, list(texts)], sort_keys=True).encode())
    for module in sorted(modules):
        path = sources.path(module)
        if path is not None:
            digest.update(f"\n{module} {_file_digest(path, path.stat().st_mtime_ns)}".encode())
    return digest.hexdigest()[:16]


@cache
def _file_digest(path: Path, _changed_ns: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
