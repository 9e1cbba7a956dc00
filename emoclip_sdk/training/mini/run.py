"""The recipe `mini` from end to end: text tower, image tower, temporal module, checkpoint."""

from __future__ import annotations

import dataclasses
import json
import logging
from pathlib import Path
from typing import Any

import torch

from ...checkpoints import model_card, save_folder
from ...errors import DatasetError, EmoCLIPError
from ...model import EmoCLIP
from ..data.datasets import ClipDataset
from ..data.ferplus import FERPLUS_CLASSES, load_ferplus
from ..engine.process import Process
from ..engine.state import write_text
from ..evaluation import evaluate_pictures
from .datasets import CaptionedDataset, FerPlusDataset, MiniDataset
from .settings import MiniSettings, read_mini_settings
from .stages import MiniStages

__all__ = ["leave_classes_out", "run_mini"]

log = logging.getLogger(__name__)


def run_mini(
    recipe: dict[str, Any],
    dataset: Path | ClipDataset,
    out: Path,
    folder: Path,
    process: Process | None = None,
) -> dict[str, Any]:
    """Train a model, or go on with it where it was interrupted.

    Parameters
    ----------
    recipe : dict
        From :func:`~emoclip_sdk.training.engine.recipe.load_recipe`.
    dataset : Path or ClipDataset
        ``ferplus.npz``, whose captions are generated, or clips that have captions.
    out : Path
        The checkpoint folder.
    folder : Path
        Run folder: a file of weights and a folder for each stage, ``metrics.json``.
    process : Process, optional
        The device; this recipe runs in one process.

    Returns
    -------
    dict
        Figures of the validation split; they also go into the model card.

    Raises
    ------
    EmoCLIPError
        A recipe, dataset or run folder that can't be used; several processes.
    """
    settings, process = read_mini_settings(recipe), _alone(process)
    if settings.loco.classes is not None:
        raise EmoCLIPError("recipe: loco.classes is for 'emoclip-train loco'")
    opened = _open(dataset, settings)
    stages = MiniStages(settings, recipe, opened, folder, folder, process)
    figures = _export(stages, out)
    write_text(folder / "metrics.json", json.dumps(figures, indent=2) + "\n")
    return figures


def leave_classes_out(
    recipe: dict[str, Any],
    dataset: Path | ClipDataset,
    out: Path,
    folder: Path,
    process: Process | None = None,
) -> dict[str, Any]:
    """Train one model for each class of FER+ without it: ``OUT/<class>``.

    Parameters
    ----------
    recipe, dataset, out, folder, process
        See :func:`run_mini`. Recipe key ``loco.classes`` names the classes; null: each. All runs
        share one text tower.

    Returns
    -------
    dict
        For each class the recall of its validation pictures, against all classes.
    """
    settings, process = read_mini_settings(recipe), _alone(process)
    if not isinstance(dataset, Path):
        raise DatasetError(
            f"{dataset.name}: captions name no class that could be left out; FER+ can"
        )
    classes = settings.loco.classes or FERPLUS_CLASSES
    unknown = sorted(set(classes) - set(FERPLUS_CLASSES))
    if unknown:
        raise EmoCLIPError(
            f"recipe: loco.classes: FER+ has no class {', '.join(unknown)}. Its classes are "
            f"{', '.join(FERPLUS_CLASSES)}"
        )
    recalls: dict[str, float | None] = {}
    for name in classes:
        log.info("without %s", name)
        opened = _open(dataset, settings, name)
        stages = MiniStages(settings, recipe, opened, folder / name, folder, process)
        if not stages.finished() or not (out / name / "config.json").is_file():
            _export(stages, out / name)
        model = EmoCLIP.from_pretrained(out / name, device="cpu")
        figures = evaluate_pictures(model, load_ferplus(dataset, "valid"))
        recalls[name] = figures["per_class"][name]["recall"]
        log.info("without %s: recall %.4f on validation", name, recalls[name])
    write_text(folder / "metrics.json", json.dumps(recalls, indent=2) + "\n")
    return recalls


def _alone(process: Process | None) -> Process:
    process = process or Process()
    if process.world > 1:
        raise EmoCLIPError(
            f"the recipe 'mini' trains in one process, and here are {process.world}: start it "
            "without torchrun"
        )
    return process


def _open(
    dataset: Path | ClipDataset, settings: MiniSettings, left_out: str | None = None
) -> MiniDataset:
    if isinstance(dataset, Path):
        return FerPlusDataset(dataset, settings.captions, settings.seed, left_out)
    return CaptionedDataset(dataset, settings.model, settings.seed)


def _export(stages: MiniStages, out: Path) -> dict[str, Any]:
    """Train what is missing, write the checkpoint in half precision, calibrate and measure it."""
    settings, state = stages.settings, stages.network().state_dict()
    save_folder(out, settings.model, state, dtype=torch.float16)
    raw = EmoCLIP.from_pretrained(out, device="cpu")
    calibration = stages.dataset.calibrate(raw, settings.calibration)
    figures = stages.dataset.measure(raw)
    info = {
        "name": settings.name,
        "license": "apache-2.0",
        "metrics": figures,
        "training": settings.training,
    }
    config = dataclasses.replace(settings.model, calibration=calibration, info=info)
    card = model_card(config, figures, settings.training)
    save_folder(out, config, state, dtype=torch.float16, card=card)
    return figures
