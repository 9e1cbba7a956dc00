"""From the name of a model to its checkpoint."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

import torch

from ..assets import asset
from ..errors import CheckpointError
from .baselines import BASELINES, Baseline, load_baseline
from .folder import Checkpoint, load_folder
from .hub import download_folder

__all__ = ["EMBEDDED", "embedded_folder", "load", "resolve"]

EMBEDDED = "emoclip-mini"
_EMBEDDED_NAMES = (EMBEDDED, "embedded")

_HUB_NAME = re.compile(r"[\w][\w.-]*/[\w][\w.-]*")


def resolve(
    name: str | Path | None = None,
    *,
    revision: str | None = None,
    cache_dir: str | Path | None = None,
    token: str | bool | None = None,
    local_files_only: bool = False,
) -> Path | Baseline:
    """Find the checkpoint that `name` means; download it if it lives on the Hub.

    Parameters
    ----------
    name : str or Path, optional
        In this order: None, ``"emoclip-mini"`` or ``"embedded"``, the embedded model; an existing
        folder; a named baseline; ``"org/name"`` on the Hub. A Path is always a folder.
    revision : str, optional
        Branch, tag or commit on the Hub.
    cache_dir : str or Path, optional
        Where downloads are kept. None: the Hub's own cache (``HF_HOME``).
    token : str or bool, optional
        Access token of the Hub. None: the one that ``hf auth login`` stored.
    local_files_only : bool
        Use what was downloaded before and never touch the network.

    Returns
    -------
    Path or Baseline
        A checkpoint folder, or a baseline, whose weights are not downloaded yet.

    Raises
    ------
    CheckpointError
        No such folder; a name that means nothing; a broken installation.
    HubError
        The Hub, or a repository on it, can't be used. The message says why and what to do.
    """
    if name == "":
        raise CheckpointError("'' is the name of no model: leave it out for the embedded one")
    if isinstance(name, str):
        if name in BASELINES:
            folder = Path(name)
            return folder if folder.is_dir() else BASELINES[name]
        remote = name not in _EMBEDDED_NAMES and not _looks_local(name)
        if remote and _HUB_NAME.fullmatch(name):
            return download_folder(
                name,
                revision=revision,
                cache_dir=cache_dir,
                token=token,
                local_files_only=local_files_only,
            )
        if remote:
            raise CheckpointError(_unknown(name))
    if revision is not None:
        raise CheckpointError(f"revision='{revision}' means something on the Hub only")
    if name is None or (name in _EMBEDDED_NAMES and not Path(name).exists()):
        return embedded_folder()
    folder = Path(name).expanduser()
    if not folder.exists():
        raise CheckpointError(f"{folder}: no such folder. Other models: {_known()}")
    return folder


def load(
    name: str | Path | None = None,
    *,
    dtype: torch.dtype | None = None,
    revision: str | None = None,
    cache_dir: str | Path | None = None,
    token: str | bool | None = None,
    local_files_only: bool = False,
) -> Checkpoint:
    """Resolve `name` and load it.

    Parameters
    ----------
    name, revision, cache_dir, token, local_files_only
        As in :func:`resolve`.
    dtype : torch.dtype, optional
        Cast the weights. None keeps the precision of the file.

    Returns
    -------
    Checkpoint
        Unpacks as ``config, model, prompts, reliability``.

    Raises
    ------
    CheckpointError, HubError
        As in :func:`resolve` and :func:`load_folder`.
    """
    resolved = resolve(
        name,
        revision=revision,
        cache_dir=cache_dir,
        token=token,
        local_files_only=local_files_only,
    )
    if isinstance(resolved, Path):
        return load_folder(resolved, dtype=dtype)
    checkpoint = load_baseline(
        resolved,
        revision=revision,
        cache_dir=cache_dir,
        token=token,
        local_files_only=local_files_only,
    )
    if dtype is not None:
        checkpoint.model.to(dtype)
    return checkpoint


def embedded_folder() -> Path:
    """Return the folder of the model inside the package.

    Raises
    ------
    CheckpointError
        The installation is incomplete.
    """
    folder = asset(EMBEDDED)
    if not folder.is_dir():
        raise CheckpointError(
            f"{folder}: the embedded model is missing, so this installation is incomplete. "
            "Repair it with: pip install --force-reinstall --no-deps emoclip_sdk"
        )
    return folder


def _looks_local(name: str) -> bool:
    return Path(name).expanduser().exists() or name.startswith((".", "~", "/")) or "\\" in name


def _known() -> str:
    return f"{', '.join((EMBEDDED, *BASELINES))}, or org/name for a repository on the Hub"


def _unknown(name: str) -> str:
    close = difflib.get_close_matches(name.lower(), (EMBEDDED, *BASELINES), n=1)
    hint = f" Did you mean '{close[0]}'?" if close else ""
    return f"'{name}': no folder and no model of that name.{hint} There are: {_known()}"
