"""A trained probe: ratings estimated from an interview's clip embeddings, each with an interval."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..checkpoints.tensors import check_tensors, read_safetensors
from ..errors import CheckpointError, EmoCLIPError
from ..inference.options import ReadOptions
from ..inference.stream import FaceStream
from ..results.ratings import ProbeResult, ScoreEstimate
from ..runtime.torch_state import isolated_build, isolated_inference
from .interview import interview_clips, read_interview

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ..inference.options import ReadKeywords
    from ..inference.pretrained import PretrainedModel
    from ..video import VideoInput

__all__ = ["PROBE_CONFIG_FILE", "PROBE_KIND", "PROBE_WEIGHTS_FILE", "RegressionProbe", "load_probe"]

PROBE_CONFIG_FILE = "probe.json"
PROBE_WEIGHTS_FILE = "probe.safetensors"
PROBE_KIND = "interview regression"


class RegressionProbe(nn.Module):
    """Standardised clip embeddings → hidden → scores, averaged over the clips of an interview.

    Made by :meth:`EmoCLIP.load_probe`. For research: an estimate is no diagnosis.

    Parameters
    ----------
    config : dict
        Content of ``probe.json``.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.config = config
        self.scores: list[dict[str, Any]] = config["scores"]
        width, hidden = config["width"], config["hidden"]
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.hidden = nn.Linear(width, hidden)
        self.output = nn.Linear(hidden, len(self.scores))
        self.model: PretrainedModel | None = None

    def forward(self, clips: Tensor) -> Tensor:
        """Map unnormalized clip embeddings (W, D) to scores (W, S), each in its own range."""
        hidden = self.hidden((clips - self.mean) / self.scale).relu()
        divisors = torch.tensor([score["divisor"] for score in self.scores])
        return self.output(hidden) * divisors

    def use(self, model: PretrainedModel, where: str | Path = "probe") -> None:
        """Embed videos with `model` from now on; `where` the probe is from stands in messages.

        Raises
        ------
        CheckpointError
            It is not the encoder that the probe was trained on.
        """
        encoder, width = self.config["encoder"], self.config["width"]
        if encoder["weights"] not in (None, model.encoder.video_hash()):
            raise CheckpointError(
                f"{where}: this probe was trained on '{encoder['name']}', whose weights are "
                f"not those of '{model.name}'"
            )
        if model.encoder.width != width:
            raise CheckpointError(
                f"{where}: this probe takes embeddings of width {width}, '{model.name}' makes "
                f"{model.encoder.width}"
            )
        self.model = model

    def predict(
        self, video: VideoInput | FaceStream, **reading: Unpack[ReadKeywords]
    ) -> ProbeResult:
        """Estimate the scores of one interview.

        Parameters
        ----------
        video
            As in :meth:`EmoCLIP.classify`, or an ``.npz`` file of clip embeddings (see
            :func:`~emoclip_sdk.probes.interview.read_interview`). The face that is longest in view
            counts.
        **reading
            How a video is read: the fields of :class:`ReadOptions`.

        Returns
        -------
        ProbeResult
            NaN where no face was found.

        Raises
        ------
        VideoError
            The video can't be read.
        CheckpointError
            The embeddings are of another model, or the probe has none to embed a video with.
        EmoCLIPError
            An option has no such value, or can't count.
        """
        options = ReadOptions(**reading)
        if isinstance(video, str | os.PathLike) and str(video).lower().endswith(".npz"):
            options.require_unread()
            interview = read_interview(video)
            known = self.config["encoder"]["weights"]
            if interview.weights and known and interview.weights != known:
                raise CheckpointError(
                    f"{video}: was embedded by another model than the probe's, "
                    f"'{self.config['encoder']['name']}'"
                )
            return self.predict_clips(interview.vectors, source=str(video))
        if self.model is None:
            raise CheckpointError(
                "this probe was trained on embedded interviews that don't say by which model: "
                "load it with EmoCLIP.load_probe(folder, model=...) to predict from a video"
            )
        vectors = interview_clips(self.model, video, options)
        name = os.fspath(video) if isinstance(video, str | os.PathLike) else "video"
        return self.predict_clips(vectors, source=str(name))

    def predict_clips(self, vectors: NDArray[np.float32], source: str = "clips") -> ProbeResult:
        """Estimate the scores from clip embeddings (W, D); see :meth:`predict`."""
        width = self.config["width"]
        if vectors.ndim != 2 or vectors.shape[1] != width:
            raise EmoCLIPError(
                f"{source}: expected clip embeddings (clips, {width}), found {vectors.shape}"
            )
        if len(vectors):
            with isolated_inference():
                clips = torch.from_numpy(np.asarray(vectors, np.float32))
                values = self(clips).double().mean(dim=0).tolist()
        else:
            values = [float("nan")] * len(self.scores)
        estimates = {
            score["name"]: _estimate(score, value)
            for score, value in zip(self.scores, values, strict=True)
        }
        return ProbeResult(source, estimates, len(vectors), self.config["encoder"]["name"])


def _estimate(score: dict[str, Any], value: float) -> ScoreEstimate:
    low, high = score["range"]

    def held(x: float) -> float:
        return float(np.clip(x, low, high))

    below, above = score["errors"]["interval"]
    return ScoreEstimate(
        held(value), held(value + below), held(value + above), score["errors"]["mae"]
    )


@isolated_build()
def load_probe(folder: str | Path) -> RegressionProbe:
    """Read a probe folder; it has no model yet to embed videos with.

    Raises
    ------
    CheckpointError
        Files that are missing, broken, of another kind or format, or tensors that do not fit.
    """
    folder = Path(folder)
    path = folder / PROBE_CONFIG_FILE
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if (folder / "classifier.json").is_file():
            raise CheckpointError(
                f"{folder}: holds a classifier of 'emoclip-train probe', which "
                "'emoclip-train tables' measures, and no probe for interviews. Those are made by "
                "'emoclip-train ness'"
            ) from None
        raise CheckpointError(f"{path}: no such file. Name the folder of a probe") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: can't be read as JSON ({error})") from error
    if not isinstance(config, dict) or config.get("kind") != PROBE_KIND:
        raise CheckpointError(
            f"{path}: is no probe for interviews. Those are made by 'emoclip-train ness'"
        )
    if config.get("format_version") != 1:
        raise CheckpointError(
            f"{path}: format version {config.get('format_version')} is not known: "
            "it takes a newer emoclip_sdk"
        )
    try:
        probe = RegressionProbe(config)
        _ = [_estimate(score, 0.0) for score in probe.scores]
        _ = config["encoder"]["name"], config["encoder"]["weights"]
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path}: is incomplete or broken ({error!r})") from error
    tensors = read_safetensors(folder / PROBE_WEIGHTS_FILE)
    check_tensors(
        probe.state_dict(),
        tensors,
        str(folder / PROBE_WEIGHTS_FILE),
        f"{PROBE_CONFIG_FILE} and {PROBE_WEIGHTS_FILE} must come from the same run.",
    )
    probe.load_state_dict(tensors)
    return probe.eval().requires_grad_(False)
