"""The paper's probe: a small perceptron on the frozen video encoder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...checkpoints.tensors import read_safetensors
from ...errors import CheckpointError
from ...model import EmoCLIP
from ..data.cache import FrameCache, pool_frames
from ..data.datasets.clips import Clip, ClipDataset
from ..engine.state import save_weights, write_text
from ..evaluation.frames import clip_frames
from ..evaluation.metrics import decide, recalls

__all__ = [
    "Probe",
    "evaluate_probe",
    "load_probe",
    "predict",
    "save_probe",
]

CONFIG_FILE = "probe.json"
WEIGHTS_FILE = "probe.safetensors"


class Probe(nn.Module):
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
        """Map unnormalised video embeddings (B, D) to logits (B, outputs)."""
        return self.probe(video)


def save_probe(folder: Path, probe: Probe, classes: tuple[str, ...], model: EmoCLIP) -> None:
    """Write ``probe.safetensors`` and ``probe.json``; the latter says which encoder it sits on."""
    save_weights(folder / WEIGHTS_FILE, probe.state_dict())
    first, _, last = probe.probe
    content = {
        "format_version": 1,
        "classes": list(classes),
        "width": first.in_features,
        "hidden": last.in_features,
        "encoder": {"name": model.name, "weights": model.encoder.video_hash()},
    }
    write_text(folder / CONFIG_FILE, json.dumps(content, indent=2) + "\n")


def load_probe(folder: str | Path, model: EmoCLIP | None = None) -> tuple[Probe, tuple[str, ...]]:
    """Read a probe and its classes.

    Parameters
    ----------
    folder : str or Path
    model : EmoCLIP, optional
        Checked to be the encoder that the probe was trained on.

    Raises
    ------
    CheckpointError
        Missing or broken files, or another encoder.
    """
    folder = Path(folder)
    try:
        content: dict[str, Any] = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        probe = Probe(content["width"], content["hidden"], len(content["classes"]))
        probe.load_state_dict(read_safetensors(folder / WEIGHTS_FILE))
        encoder = content["encoder"]
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise CheckpointError(f"{folder}: is no probe that can be read ({error})") from error
    if model is not None and encoder["weights"] != model.encoder.video_hash():
        raise CheckpointError(
            f"{folder}: this probe was trained on '{encoder['name']}', whose weights are not "
            f"those of '{model.name}'"
        )
    return probe.eval(), tuple(content["classes"])


def predict(probe: Probe, video: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return class probabilities (N, C) of video embeddings (N, D); NaN rows stay NaN."""
    with torch.inference_mode():
        device = next(probe.parameters()).device
        logits = probe(torch.from_numpy(video).to(device))
        return logits.softmax(dim=1).cpu().numpy()


def evaluate_probe(
    folder: str | Path,
    model: EmoCLIP,
    dataset: ClipDataset,
    split: str = "test",
    cache: FrameCache | None = None,
    *,
    workers: int = 0,
) -> dict[str, Any]:
    """Classify a split by a saved probe.

    Returns
    -------
    dict
        What :func:`~emoclip_sdk.training.evaluation.recalls` returns, and ``probabilities``,
        (N, C). A clip without a face counts as wrong.

    Raises
    ------
    CheckpointError
        A probe that can't be read, of another encoder or of other classes.
    """
    probe, classes = load_probe(folder, model)
    if classes != dataset.classes:
        raise CheckpointError(
            f"{folder}: the probe's classes {list(classes)} are not those of {dataset.name}, "
            f"{list(dataset.classes)}"
        )
    clips: list[Clip] = [clip for clip in dataset.splits[split] if clip.label is not None]
    frames = clip_frames(model, clips, cache, cropped=dataset.cropped, workers=workers)
    probabilities = predict(probe, pool_frames(model, frames))
    labels = np.array([clip.label for clip in clips])
    return {
        **recalls(decide(probabilities), labels, classes),
        "probabilities": probabilities,
    }
