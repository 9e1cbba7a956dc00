"""The experiments from end to end: train, select, and write what came out."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...checkpoints import model_card, save_folder
from ...errors import DatasetError, EmoCLIPError
from ...model import EmoCLIP
from ...runtime.worker_pool import WorkerPool
from ..data.datasets.clips import Clip, ClipDataset
from ..data.samples import ClipSource
from ..data.trained_on import TrainedOn, read_trained_on
from ..engine.loop import Trainer
from ..engine.optim import freeze
from ..engine.process import Process
from ..engine.state import write_text
from ..evaluation.metrics import decide
from .classifier import Classifier, class_probabilities, save_classifier
from .settings import ExperimentSettings, read_settings
from .setup import (
    Experiment,
    encoded_texts,
    split_embeddings,
    training_source,
    without_class,
    zero_shot,
)
from .start import start_model
from .tasks import ClassifierTask, ContrastiveTask
from .texts import text_table
from .zero_shot import class_scores, label_figures

__all__ = ["run_experiment", "train_contrastive"]

log = logging.getLogger(__name__)


def run_experiment(
    recipe: dict[str, Any],
    dataset: ClipDataset,
    out: Path,
    folder: Path,
    *,
    process: Process | None = None,
    fold: int = 1,
) -> dict[str, Any]:
    """Run a recipe, or go on with it where it was interrupted.

    Parameters
    ----------
    recipe : dict
        From :func:`~emoclip_sdk.training.engine.recipe.load_recipe`.
    dataset : ClipDataset
    out : Path
        `contrastive`, `supervised`: the checkpoint folder. `probe`: the folder of the classifier.
        `loco`: the folder of ``metrics.json``.
    folder : Path
        Run folder: ``recipe.yaml``, ``state.pt``, ``log.csv``, ``metrics.json``, the frame cache.
    process : Process, optional
        From :func:`~emoclip_sdk.training.engine.process.distributed`.
    fold : int
        For the record.

    Returns
    -------
    dict
        What ``metrics.json`` holds.

    Raises
    ------
    EmoCLIPError
        A recipe, dataset, checkpoint or run folder that can't be used.
    """
    settings = read_settings(recipe)
    process = process or Process()
    if dataset.problems:
        log.warning(
            "%s: %d problems, listed by 'emoclip-train check'", dataset.name, len(dataset.problems)
        )
    # Two runs of one state must not differ by the choice of a kernel.
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    runs = {"loco": _loco, "probe": _probe}
    with WorkerPool(settings.data.workers) as workers:
        experiment = Experiment(settings, recipe, dataset, folder, process, workers, fold)
        figures = runs.get(settings.experiment, _contrastive)(experiment, out)
    if process.main:
        text = json.dumps(figures, indent=2, ensure_ascii=False) + "\n"
        write_text(folder / "metrics.json", text)
        if settings.experiment == "loco":
            write_text(out / "metrics.json", text)
    process.barrier()
    return figures


def train_contrastive(experiment: Experiment) -> tuple[EmoCLIP, dict[str, Any]]:
    """Train by contrast with texts; return the model of the selected epoch, and its figures."""
    settings, process = experiment.settings, experiment.process
    train, valid = experiment.splits()
    model = start_model(
        settings.model,
        experiment.dataset.classes,
        seed=settings.seed,
        device=process.device,
        window=settings.data.window,
    )
    experiment.claim(model, train, valid)
    network, optim = model.encoder.network, settings.optim
    table = text_table(train, experiment.dataset.classes, model.prompts, settings.objective)
    source, usable = training_source(experiment, model, table.clips)
    if len(usable) < len(table.clips):
        table = text_table(usable, experiment.dataset.classes, model.prompts, settings.objective)
    frozen_text = optim.lr.text_blocks is None and optim.lr.text_rest is None
    texts = encoded_texts(model, table, frozen_text)
    validate = zero_shot(experiment, model, valid)
    freeze(network, optim.lr)
    if optim.grad_checkpointing:
        _checkpoint_gradients(network)
    task = ContrastiveTask(
        network,
        source,
        table,
        texts,
        settings.objective.positives,
        settings.objective.negatives == "gathered",
        optim.accumulate,
        settings.seed,
        process,
    )
    plan = experiment.plan(len(table.clips))
    figures = Trainer(task, plan, optim, settings.run, validate, experiment.folder, process).fit()
    network.requires_grad_(False).eval()
    return model, _with_left_out(figures, source, process)


def _with_left_out(figures: dict[str, Any], source: ClipSource, process: Process) -> dict[str, Any]:
    """Add to a run's figures which of its clips could not be used, since it was last begun."""
    left_out = dict(item for part in process.gathered(source.left_out) for item in part.items())
    if left_out and process.main:
        log.warning(
            "%d training clips could not be used, or not always: %s%s",
            len(left_out),
            ", ".join(sorted(left_out)[:5]),
            " ..." if len(left_out) > 5 else "",
        )
    return {**figures, "left out": dict(sorted(left_out.items()))}


def _contrastive(experiment: Experiment, out: Path) -> dict[str, Any]:
    model, figures = train_contrastive(experiment)
    if experiment.process.main:
        _export(experiment, model, figures, out)
        _record_clips(experiment, out)
    return figures


def _record_clips(experiment: Experiment, out: Path) -> None:
    """Write down what was trained on, beside what the start of the run had seen."""
    start = experiment.settings.model.start
    before = None if start is None else read_trained_on(start)
    TrainedOn.of(experiment.dataset.name, *experiment.splits(), before).write(out)


def _probe(experiment: Experiment, out: Path) -> dict[str, Any]:
    settings, process = experiment.settings, experiment.process
    if settings.optim.accumulate != 1 or not experiment.frozen:
        raise EmoCLIPError("recipe: a probe has a frozen encoder, and optim.accumulate is 1")
    train, valid = experiment.splits()
    classes = experiment.dataset.classes
    model = start_model(
        settings.model,
        classes,
        seed=settings.seed,
        device=process.device,
        window=settings.data.window,
        learns=False,
    )
    experiment.claim(model, train, valid)
    labeled = [clip for clip in train if clip.label is not None]
    source, usable = training_source(experiment, model, labeled)
    torch.manual_seed(settings.seed)
    classifier = Classifier(model.encoder.width, settings.probe.hidden, len(classes))
    freeze(classifier.to(process.device), settings.optim.lr)
    labels = torch.tensor([clip.label for clip in usable])
    validation = _labeled(valid, experiment.dataset.name)
    video = split_embeddings(experiment, model, validation)()

    def validate() -> dict[str, float]:
        scores = class_probabilities(classifier.eval(), video)
        return label_figures(scores, validation, classes, settings.selection.figure)

    task = ClassifierTask(model.encoder.network, classifier, source, labels, process)
    figures = Trainer(
        task,
        experiment.plan(len(usable)),
        settings.optim,
        settings.run,
        validate,
        experiment.folder,
        process,
    ).fit()
    figures = _with_left_out(figures, source, process)
    if process.main:
        save_classifier(out, classifier, classes, model)
        _record_clips(experiment, out)
    return figures


def _loco(experiment: Experiment, out: Path) -> dict[str, Any]:
    """Leave one class after the other out, and test its clips against all labels.

    ``auc`` beside the recall: whether the class's description ranks its own clips over the others,
    which a model may well know while its decisions still go to the classes that it was trained on.
    ``others``: the mean recall of the classes that were trained.
    """
    dataset = experiment.dataset
    test = _labeled(dataset.splits.get("test", ()), dataset.name)
    per_class: dict[str, Any] = {}
    labels = np.array([clip.label for clip in test])
    hits = n = 0
    left_out_clips: dict[str, str] = {}
    selection, objective = experiment.settings.selection, experiment.settings.objective
    left_out = experiment.settings.loco.classes or dataset.classes
    unknown = sorted(set(left_out) - set(dataset.classes))
    if unknown:
        raise EmoCLIPError(
            f"recipe: loco.classes: {dataset.name} has no class {', '.join(unknown)}. Its classes "
            f"are {', '.join(dataset.classes)}"
        )
    for label, name in enumerate(dataset.classes):
        if name not in left_out:
            continue
        of_class = labels == label
        if not of_class.any():
            log.warning("%s: no test clip, not left out", name)
            continue
        log.info("without %s", name)
        one = dataclasses.replace(
            experiment,
            dataset=without_class(dataset, label, test=selection.split == "test"),
            folder=experiment.folder / name,
            settings=_shared_cache(experiment),
        )
        model, figures = train_contrastive(one)
        left_out_clips |= figures["left out"]
        video = split_embeddings(one, model, test)()
        scores = class_scores(model, video, dataset.classes, one_text=objective.one_text)
        right = decide(scores) == labels
        others = [right[labels == c].mean() for c in np.unique(labels) if c != label]
        decisions = decide(scores[of_class])
        counts = np.bincount(decisions[decisions >= 0], minlength=len(dataset.classes))
        per_class[name] = {
            "recall": float(right[of_class].mean()),
            "others": float(np.mean(others)) if others else None,
            "auc": _ranking(scores[:, label], of_class),
            "n": int(of_class.sum()),
            "best epoch": figures["best"]["epoch"],
            "taken for": {
                other: int(count)
                for other, count in zip(dataset.classes, counts, strict=True)
                if count
            },
            "decisions": {
                test[i].id: None if decision < 0 else dataset.classes[decision]
                for i, decision in zip(np.flatnonzero(of_class), decisions, strict=True)
            },
        }
        hits += int((decisions == label).sum())
        n += int(of_class.sum())
        log.info(
            "without %s: recall %.4f of %d clips", name, per_class[name]["recall"], of_class.sum()
        )
    recalls = [row["recall"] for row in per_class.values()]
    return {
        "uar": float(np.mean(recalls)),
        "war": hits / n,
        "n": n,
        "chance": 1 / len(dataset.classes),
        "left out": dict(sorted(left_out_clips.items())),
        "per_class": per_class,
    }


def _ranking(scores: NDArray[np.float64], of_class: NDArray[np.bool_]) -> float | None:
    """Return the area under the ROC curve of (N,) scores; NaN (no face) ranks last."""
    from torchmetrics.functional.classification import binary_auroc

    if of_class.all():
        return None
    order = np.nan_to_num(scores, nan=-1.0) / 2 + 0.5  # cosines to [0, 1]
    return float(binary_auroc(torch.from_numpy(order), torch.from_numpy(of_class.astype(np.int64))))


def _shared_cache(experiment: Experiment) -> ExperimentSettings:
    """Return settings in which all classes' runs use the frames of the whole run."""
    data = dataclasses.replace(experiment.settings.data, cache=str(experiment.cache.folder))
    return dataclasses.replace(experiment.settings, data=data)


def _labeled(clips: Sequence[Clip], name: str) -> list[Clip]:
    labeled = [clip for clip in clips if clip.label is not None]
    if not labeled:
        raise DatasetError(f"{name}: the split that is needed has no labeled clip")
    return labeled


def _checkpoint_gradients(network: Any) -> None:
    towers = network.towers
    towers.visual.set_grad_checkpointing(True)
    if hasattr(towers.text, "set_grad_checkpointing"):
        towers.text.set_grad_checkpointing(True)
    else:
        towers.text.transformer.grad_checkpointing = True


def _export(experiment: Experiment, model: EmoCLIP, figures: dict[str, Any], out: Path) -> None:
    """Write the checkpoint folder, with a model card that says where its figures are from."""
    dataset, best = experiment.dataset, figures["best"]
    split = (
        "test split, on which the epoch was chosen"
        if experiment.settings.selection.split == "test"
        else ("validation split")
    )
    measured = {key.upper() if len(key) == 3 else key: value
                for key, value in best.items() if key not in ("epoch", "score")}  # fmt: skip
    metrics = {f"{dataset.name}, fold {experiment.fold}, {split}": measured}
    training = {
        **experiment.settings.training,
        "data set": f"{dataset.name}, fold {experiment.fold}; its terms apply to these weights",
        "epoch": f"{best['epoch']:.0f} of {experiment.settings.optim.epochs}",
        "recipe": experiment.settings.name,
    }
    info = {
        "name": experiment.settings.name,
        "metrics": metrics,
        "training": training,
        "start": experiment.settings.model.start or "random weights",
    }
    config = dataclasses.replace(model.config, info=info)
    bank = model.prompts
    shipped = type(bank).default().hash == bank.hash
    save_folder(
        out,
        config,
        model.encoder.network.state_dict(),
        prompts_yaml=None if shipped else bank.to_yaml(),
        card=model_card(config, metrics, training),
    )
