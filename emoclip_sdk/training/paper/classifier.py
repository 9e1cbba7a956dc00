"""The paper's linear probe (LP): a small classifier on the frozen video encoder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...checkpoints.tensors import read_safetensors
from ...config import Window
from ...errors import CheckpointError
from ...model import EmoCLIP
from ...probes.probe import PROBE_CONFIG_FILE
from ..data.cache import FrameCache, pool_frames
from ..data.datasets.clips import Clip, ClipDataset
from ..engine.state import save_weights, write_text
from ..evaluation.frames import clip_frames
from ..evaluation.metrics import decide, recalls
from ..evaluation.pooling import FrameMode, clip_embeddings

__all__ = [
    "Classifier",
    "class_probabilities",
    "evaluate_classifier",
    "load_classifier",
    "save_classifier",
]

CONFIG_FILE = "classifier.json"
WEIGHTS_FILE = "classifier.safetensors"
KIND = "classifier"


class Classifier(nn.Module):
    """A perceptron with one hidden layer and ReLU: width → hidden → outputs (512 → 256 → C).

    Parameters
    ----------
    width : int
        D of the video embedding.
    hidden, outputs : int
    """

    def __init__(self, width: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.probe = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, outputs))

    def forward(self, video: Tensor) -> Tensor:
        """Map unnormalized video embeddings (B, D) to logits (B, outputs)."""
        return self.probe(video)


def save_classifier(
    folder: Path, classifier: Classifier, classes: tuple[str, ...], model: EmoCLIP
) -> None:
    """Write ``classifier.safetensors``, and ``classifier.json``, which names the encoder.

    And the window by which short clips were filled, which may be another than the encoder's own.
    """
    save_weights(folder / WEIGHTS_FILE, classifier.state_dict())
    first, _, last = classifier.probe
    content = {
        "format_version": 1,
        "kind": KIND,
        "classes": list(classes),
        "width": first.in_features,
        "hidden": last.in_features,
        "window": model.config.sampling.window,
        "encoder": {"name": model.name, "weights": model.encoder.video_hash()},
    }
    write_text(folder / CONFIG_FILE, json.dumps(content, indent=2) + "\n")


def load_classifier(
    folder: str | Path, model: EmoCLIP | None = None
) -> tuple[Classifier, tuple[str, ...], Window | None]:
    """Read a classifier, its classes, and the window by which its training filled short clips.

    Parameters
    ----------
    folder : str or Path
    model : EmoCLIP, optional
        Checked to be the encoder that the classifier was trained on.

    Raises
    ------
    CheckpointError
        Missing or broken files, a probe for interviews, or another encoder.
    """
    folder = Path(folder)
    path = folder / CONFIG_FILE
    if not path.exists() and (folder / PROBE_CONFIG_FILE).exists():
        raise CheckpointError(
            f"{folder}: holds a probe for interviews, which EmoCLIP.load_probe reads, and no "
            "classifier. Those are made by 'emoclip-train probe'"
        )
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if (content["format_version"], content["kind"]) != (1, KIND):
            raise ValueError("another kind of file, or of a newer emoclip_sdk")
        classifier = Classifier(content["width"], content["hidden"], len(content["classes"]))
        classifier.load_state_dict(read_safetensors(folder / WEIGHTS_FILE))
        encoder = content["encoder"]
        window = content.get("window")
        if window not in (None, *get_args(Window)):
            raise ValueError(f"unknown window {window!r}")
    except FileNotFoundError:
        raise CheckpointError(
            f"{path}: no such file. Name the folder that 'emoclip-train probe' wrote"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"{path}: is no classifier that can be read ({error!r})") from error
    if model is not None and encoder["weights"] != model.encoder.video_hash():
        raise CheckpointError(
            f"{folder}: this classifier was trained on '{encoder['name']}', whose weights are not "
            f"those of '{model.name}'"
        )
    return classifier.eval(), tuple(content["classes"]), window


def class_probabilities(classifier: Classifier, video: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return class probabilities (N, C) of video embeddings (N, D); NaN rows stay NaN."""
    with torch.inference_mode():
        device = next(classifier.parameters()).device
        logits = classifier(torch.from_numpy(video).to(device))
        return logits.softmax(dim=1).cpu().numpy()


def evaluate_classifier(
    folder: str | Path,
    model: EmoCLIP,
    dataset: ClipDataset,
    split: str = "test",
    cache: FrameCache | None = None,
    *,
    frames: FrameMode = "temporal",
    workers: int = 0,
) -> dict[str, Any]:
    """Classify a split by a saved classifier.

    Parameters
    ----------
    folder, model
        See :func:`load_classifier`.
    dataset : ClipDataset
    split : str
    cache : FrameCache, optional
    frames : {"temporal", "window"}
        See :func:`~emoclip_sdk.training.evaluation.clip_embeddings`.
    workers : int
        Processes that read video.

    Returns
    -------
    dict
        What :func:`~emoclip_sdk.training.evaluation.recalls` returns, and ``probabilities``,
        (N, C). A clip without a face counts as wrong.

    Raises
    ------
    CheckpointError
        A classifier that can't be read, of another encoder or of other classes.
    """
    classifier, classes, window = load_classifier(folder, model)
    if classes != dataset.classes:
        raise CheckpointError(
            f"{folder}: the classifier's classes {list(classes)} are not those of {dataset.name}, "
            f"{list(dataset.classes)}"
        )
    clips: list[Clip] = [clip for clip in dataset.splits[split] if clip.label is not None]
    embedded = clip_frames(model, clips, cache, cropped=dataset.cropped, workers=workers)
    if frames == "window":
        video = clip_embeddings(model, embedded, "window")
    else:
        video = pool_frames(model, embedded, window)
    probabilities = class_probabilities(classifier, video)
    labels = np.array([clip.label for clip in clips])
    return {
        **recalls(decide(probabilities), labels, classes),
        "probabilities": probabilities,
    }
