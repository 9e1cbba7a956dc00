"""Optional packages, asked for before the work that needs them at its end."""

from __future__ import annotations

import importlib.util

from ..errors import MissingDependencyError

__all__ = ["require_package"]


def require_package(package: str, extra: str, purpose: str) -> None:
    """Refuse to begin what would fail at its end; nothing is imported.

    Raises
    ------
    MissingDependencyError
        The package is not installed; parameters are those of the error.
    """
    if importlib.util.find_spec(package) is None:
        raise MissingDependencyError(package, extra, purpose)
