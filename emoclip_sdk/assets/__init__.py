"""Files inside the package: the embedded model, the prompt files and an example clip."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

__all__ = ["asset"]


def asset(name: str) -> Path:
    """Return the path of a file or folder that is shipped with the package.

    Parameters
    ----------
    name : str
        Relative to this package: ``"emoclip-mini"``, ``"prompts"``, ``"portrait.mp4"``.
    """
    return Path(str(importlib.resources.files(__name__).joinpath(name)))
