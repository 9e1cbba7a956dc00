"""``emoclip info``."""

from __future__ import annotations

import importlib.metadata
import platform
from typing import TYPE_CHECKING, Any

import typer

from .. import __version__
from ..errors import CheckpointError
from . import options as o
from .loading import load_model
from .output import complain, new_table, print_json, results_console

if TYPE_CHECKING:
    from ..model import EmoCLIP

__all__ = ["info"]

_PACKAGES = ("torch", "open_clip_torch", "timm", "facenet-pytorch", "av", "numpy")


def info(
    model: o.Model = None,
    as_json: o.AsJSON = False,
    device: o.Device = "auto",
    dtype: o.Dtype = "auto",
) -> None:
    """Show versions, and what a model is made of."""
    facts: dict[str, Any] = {"versions": _versions()}
    error = None
    try:
        facts |= _facts(load_model(model, device, dtype))
    except CheckpointError as failure:
        error = facts["error"] = str(failure)  # what is installed is worth knowing just then
    if as_json:
        print_json(facts)
    else:
        table = new_table("", "")
        table.show_header = False
        for name, value in facts.items():
            if name != "error":
                table.add_row(name.replace("_", " "), _text(value))
        results_console().print(table)
    if error is not None:
        complain(f"Error: {error}")
        raise typer.Exit(1)


def _versions() -> dict[str, str | None]:
    versions: dict[str, str | None] = {
        "emoclip_sdk": __version__,
        "python": platform.python_version(),
    }
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    return versions


def _facts(model: EmoCLIP) -> dict[str, Any]:
    from ..checkpoints import embedded_folder

    network, config, bank = model.encoder.network, model.config, model.prompts
    try:
        embedded = str(embedded_folder())
    except CheckpointError:
        embedded = None
    parts = (network.towers.visual, network.shape, network.temporal, network.actions, network)
    image, shape, temporal, actions, every = map(_parameters, parts)
    return {
        "model": model.name,
        "parameters": {
            "all": every,
            "image_tower": image,
            "text_tower": every - image - shape - temporal - actions,
            "shape_stream": shape,
            "temporal": temporal,
            "action_space": actions,
        },
        "embedding": model.encoder.width,
        "temporal": config.temporal.kind,
        "text_tower": config.towers.text,
        "clip": f"{config.sampling.n_frames} frames at {config.sampling.rate:g} per second",
        "faces": config.faces.detector,
        "device": str(model.encoder.device),
        "dtype": str(model.encoder.dtype).removeprefix("torch."),
        "labels": list(model.labels),
        "prompt_bank": {
            "hash": bank.hash,
            "version": bank.version,
            "labels": len(bank.names()),
            "compounds": len(bank.compounds),
        },
        "embedded_model": embedded,
    }


def _parameters(module: Any) -> int:
    return 0 if module is None else sum(p.numel() for p in module.parameters())


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')} {_text(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "missing"}[value]
    return f"{value:,}" if isinstance(value, int) else str(value)
