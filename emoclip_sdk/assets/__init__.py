"""Data files of this package and of those it depends on.

Here: the embedded model, the prompt files and the example clips.
"""

from __future__ import annotations

import importlib.resources
from importlib.util import find_spec
from pathlib import Path

__all__ = ["asset", "dependency_file", "package_file"]


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


def dependency_file(package: str, name: str) -> Path:
    """Return the path of a data file of another package, without importing that package.

    ``importlib.resources`` would import it, and with open_clip or facenet-pytorch also torchvision
    and torch's compiler.

    Parameters
    ----------
    package : str
        Import name.
    name : str
        Relative to the package's folder.

    Raises
    ------
    ImportError
        The package is not installed, or has no such file.
    """
    try:
        spec = find_spec(package)
    except ValueError:  # what lies in sys.modules under this name is no package
        spec = None
    folders = (spec.submodule_search_locations if spec else None) or ()
    if not folders:
        raise ImportError(f"No module named '{package}'", name=package)
    paths = [Path(folder) / name for folder in folders]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise ImportError(f"{paths[0]} is missing", name=package)
    return path
