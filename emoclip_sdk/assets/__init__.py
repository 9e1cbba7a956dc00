"""Files inside the package: the embedded model, the prompt files and an example clip."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

__all__ = ["asset", "package_file"]


def asset(name: str) -> Path:
    """Return the path of a file or folder that is shipped with the package.

    Parameters
    ----------
    name : str
        Relative to this package: ``"emoclip-mini"``, ``"prompts"``, ``"portrait.mp4"``.
    """
    return package_file(__name__, name)


def package_file(package: str | None, name: str) -> Path:
    """Return the path of a file that lies beside the modules of a package.

    Parameters
    ----------
    package : str
        Its dotted name: ``__package__`` of a module in it.
    name : str
    """
    return Path(str(importlib.resources.files(package or "").joinpath(name)))
