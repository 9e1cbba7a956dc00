"""The perceptrons of all folds, trained as one computation."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...errors import EmoCLIPError
from .clips import StudyClips
from .folds import Fold, Ledger

__all__ = ["FITTED", "PerceptronSettings", "Perceptrons", "fit_perceptrons"]

log = logging.getLogger(__name__)

FITTED = ("scaler of the probe", "probe")
"""What :func:`fit_perceptrons` writes into the ledger."""

_CHUNK = 4096  # clips of one forward pass at inference


@dataclass(frozen=True)
class PerceptronSettings:
    """How the probe is trained; see the recipe ``ness``.

    Attributes
    ----------
    hidden : int
    epochs, batch_size : int
        Interviews in a step.
    crop : float
        Length of the random temporal crop, as a share of the interview.
    clips : int
        Clips taken from a crop, at equal distances. Their predictions are averaged, as those of
        all clips are at inference.
    lr, weight_decay : float
        AdamW's; biases do not decay.
    """

    hidden: int
    epochs: int
    batch_size: int
    crop: float
    clips: int
    lr: float
    weight_decay: float

    @classmethod
    def read(cls, recipe: Mapping[str, Any]) -> PerceptronSettings:
        """Take the settings from a recipe.

        Raises
        ------
        EmoCLIPError
            One is missing, unknown or makes no sense.
        """
        try:
            settings = cls(**{**recipe["probe"], **recipe["optim"]})
            wrong = [
                name
                for name in ("hidden", "epochs", "batch_size", "clips", "lr")
                if getattr(settings, name) <= 0
            ]
            wrong += [] if 0 < settings.crop <= 1 else ["crop"]
            wrong += [] if settings.weight_decay >= 0 else ["weight_decay"]
        except (KeyError, TypeError) as error:
            raise EmoCLIPError(f"recipe: 'probe' and 'optim' do not fit ({error})") from error
        if wrong:
            raise EmoCLIPError(f"recipe: {wrong[0]} can't be {getattr(settings, wrong[0])}")
        return settings


class Perceptrons(nn.Module):
    """One perceptron for each of F folds: D → hidden → S, ReLU, on standardized clip embeddings.

    All folds start from the same weights, so that they differ by their patients alone.

    Parameters
    ----------
    mean, scale : Tensor, (F, D)
        Standardization of each fold.
    start : Tensor, (F, S)
        Output before training: mean rating of the fold's training interviews.
    hidden : int
    seed : int
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Tensor, scale: Tensor, start: Tensor, hidden: int, seed: int) -> None:
        super().__init__()
        folds, width = mean.shape
        outputs = start.shape[1]
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)
        generator = torch.Generator().manual_seed(seed)

        def weight(rows: int, columns: int) -> nn.Parameter:
            # As torch.nn.Linear: uniform within 1 / sqrt(inputs).
            drawn = torch.rand(rows, columns, generator=generator) * 2 - 1
            return nn.Parameter((drawn / math.sqrt(rows)).repeat(folds, 1, 1))

        self.hidden_weight = weight(width, hidden)
        self.hidden_bias = nn.Parameter(torch.zeros(folds, 1, hidden))
        self.output_weight = weight(hidden, outputs)
        self.output_bias = nn.Parameter(start[:, None].clone())

    def forward(self, clips: Tensor) -> Tensor:
        """Estimate by the mean over clips.

        Parameters
        ----------
        clips : Tensor, (B, K, D)
            K clips of B interviews, unnormalized. All folds get the same.

        Returns
        -------
        Tensor, (F, B, S)
            In the range of one item.
        """
        b, k, _ = clips.shape
        x = (clips.flatten(0, 1) - self.mean[:, None]) / self.scale[:, None]
        hidden = torch.baddbmm(self.hidden_bias, x, self.hidden_weight).relu()
        # The output layer is linear: the mean of its outputs is its output of the mean.
        pooled = hidden.unflatten(1, (b, k)).mean(dim=2)
        return torch.baddbmm(self.output_bias, pooled, self.output_weight)

    @torch.inference_mode()
    def predict(self, fold: int, clips: NDArray[np.float32]) -> NDArray[np.float64]:
        """Average the predictions of all clips (W, D) of an interview by one fold's perceptron."""
        total = torch.zeros(self.hidden_weight.shape[2], dtype=torch.float64)
        for start in range(0, len(clips), _CHUNK):
            x = torch.from_numpy(clips[start : start + _CHUNK])
            x = (x - self.mean[fold]) / self.scale[fold]
            hidden = torch.addmm(self.hidden_bias[fold], x, self.hidden_weight[fold]).relu()
            total += hidden.sum(dim=0, dtype=torch.float64)
        out = (total / len(clips)) @ self.output_weight[fold].double()
        return (out + self.output_bias[fold, 0]).numpy()

    def state_of(self, fold: int) -> dict[str, Tensor]:
        """Return one fold's tensors, named as in :class:`RegressionProbe`."""
        return {
            "mean": self.mean[fold],
            "scale": self.scale[fold],
            "hidden.weight": self.hidden_weight[fold].detach().T,
            "hidden.bias": self.hidden_bias[fold, 0].detach(),
            "output.weight": self.output_weight[fold].detach().T,
            "output.bias": self.output_bias[fold, 0].detach(),
        }


def fit_perceptrons(
    clips: StudyClips,
    targets: NDArray[np.float64],
    folds: Sequence[Fold],
    settings: PerceptronSettings,
    ledger: Ledger,
    *,
    seed: int = 0,
) -> Perceptrons:
    """Train the perceptrons of all folds on the same batches, each on its own patients.

    A batch is the same for all folds; the interviews of a fold's test patients weigh nothing in
    that fold's loss, and folds share no parameter.

    Parameters
    ----------
    clips : StudyClips
    targets : ndarray, (N, S)
        Ratings in the range of one item, NaN where missing: masked in the loss.
    folds : sequence of Fold
        Only the training sides are used.
    settings : PerceptronSettings
    ledger : Ledger
        Gets what the scalers and the perceptrons have seen.
    seed : int
    """
    member = np.zeros((len(folds), len(targets)), np.float64)
    for number, fold in enumerate(folds):
        member[number, fold.train] = 1
    mean, scale = _standardize(clips, member, ledger)
    known = ~np.isnan(targets)
    filled = np.where(known, targets, 0.0)
    counts = (member @ known).clip(1)
    model = Perceptrons(
        torch.from_numpy(mean).float(),
        torch.from_numpy(scale).float(),
        torch.from_numpy((member @ filled) / counts).float(),
        settings.hidden,
        seed,
    )
    # weights[f, n, s]: what rating s of interview n counts in fold f.
    weights = torch.from_numpy(member[:, :, None] * known).float()
    ratings = torch.from_numpy(filled).float()
    vectors = torch.from_numpy(clips.vectors)
    rng = np.random.default_rng(seed)
    usable = np.flatnonzero(member.any(axis=0))
    steps = settings.epochs * -(-len(usable) // settings.batch_size)
    # The decay that keeps so few patients from being learned by heart would draw biases, and with
    # them the mean rating, to zero.
    matrices = [model.hidden_weight, model.output_weight]
    biases = [model.hidden_bias, model.output_bias]
    groups: list[dict[str, Any]] = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": biases},
    ]
    optimizer = torch.optim.AdamW(groups, settings.lr, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    counted = torch.zeros(weights.shape[:2])
    began = time.monotonic()
    for _ in range(settings.epochs):
        order = rng.permutation(usable)
        for start in range(0, len(order), settings.batch_size):
            rows = order[start : start + settings.batch_size]
            clip_rows = np.stack([_crop(clips, int(row), settings, rng) for row in rows])
            weight = weights[:, rows]
            error = model(vectors[torch.from_numpy(clip_rows)]) - ratings[rows]
            loss = ((weight * error**2).sum((1, 2)) / weight.sum((1, 2)).clamp(min=1)).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            counted[:, rows] += weight.sum(2)
    for number, row in enumerate(counted.numpy()):
        ledger.record(FITTED[1], number, np.flatnonzero(row))
    log.info("%d folds, %d steps in %.1f s", len(folds), steps, time.monotonic() - began)
    return model.eval()


def _standardize(
    clips: StudyClips, member: NDArray[np.float64], ledger: Ledger
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation (F, D) of each fold's clips; interviews weigh alike."""
    for number, row in enumerate(member):
        ledger.record(FITTED[0], number, np.flatnonzero(row))
    share = member / member.sum(axis=1, keepdims=True)
    first, second = clips.moments
    mean = share @ first
    deviation = np.sqrt((share @ second - mean**2).clip(0))
    # A dimension that never changes is left as it is.
    return mean, np.where(deviation > 1e-8, deviation, 1.0)


def _crop(
    clips: StudyClips, row: int, settings: PerceptronSettings, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Draw a crop of an interview, and clips at equal distances from it."""
    begin, end = clips.starts[row : row + 2]
    n = int(end - begin)
    length = max(settings.crop * n, 1.0)
    places = rng.uniform(0, n - length + 1e-9) + length * (
        (np.arange(settings.clips) + rng.random()) / settings.clips
    )
    return begin + np.minimum(places.astype(np.intp), n - 1)
