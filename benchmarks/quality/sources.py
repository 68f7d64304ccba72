"""Which sources decide what a controller does, and their hash: a run is done again when it changes, and only then.

The hash of a controller covers, besides the versions of SUMO, of the networks' package and of the libraries:

- a program that SUMO runs itself: every module of ``sim`` and ``scenarios`` that preparing, running and measuring
  import, directly or through each other, at the top or inside a function;
- a policy or a mode of our own machine: the same modules, those of ``engine`` and ``controllers`` that they import,
  and the import closure of the policy's own modules;
- the conflict-free bound: as a program, and the module that makes it.

The catalogue of controllers imports all of them, so the way through it is cut: from it counts the controller's own
entry, the functions and constants that its maker names, and the modules that those name. What only renders or
stores (the reports and the log) is cut too. A module that nobody in the closure imports does not count, whatever
folder it is in. The measure of waiting calls (``calls``) counts for all but the bound, the versions of greensplit
for none.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["ROOT", "Sources", "code_hash", "import_closure"]

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "greensplit"
CATALOGUE = "controllers.catalogue"
MEASURING = "benchmarks.quality.calls"
RUNNING = ("sim.run", MEASURING)
CUT = (CATALOGUE, "engine.analytics", "engine.store")
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
    if entry.program:
        modules = import_closure(where, RUNNING, SUMO_DECIDES)
        return _digest(where, modules, [_entry_text(entry)], versions)
    texts, own = _from_catalogue(where, entry.make)
    modules = import_closure(where, [*RUNNING, *own], ALL)
    return _digest(where, modules, [_entry_text(entry), *texts], versions)


def _entry_text(entry: object) -> str:
    """The fields of an entry that decide: all but the words about it, and the maker, which is hashed by source."""
    names = [name for name in getattr(entry, "__slots__", ()) if name not in ("summary", "make")]
    return json.dumps({name: str(getattr(entry, name)) for name in names}, sort_keys=True)


def _from_catalogue(sources: Sources, make: object) -> tuple[list[str], list[str]]:
    """What the catalogue says for a maker: source texts of its own, and modules.

    A maker that the catalogue does not define may be anything, so then the whole catalogue counts.
    """
    path = sources.path(CATALOGUE)
    assert path is not None
    text = path.read_text(encoding="utf-8")
    if make is None:
        return [], []
    defined = _top_level(ast.parse(text))
    name = getattr(make, "__name__", "")
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
