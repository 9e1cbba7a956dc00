"""A checkpoint in use: weights, labels and texts, loaded and saved; its reader and its scorer."""

from __future__ import annotations

import copy
import dataclasses
import functools
import logging
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..config import FaceConfig, ModelConfig
from ..errors import CheckpointError, EmoCLIPError
from ..faces import FaceDetector
from ..faces.shapes import crop_shapes
from ..nn.architecture import reads_english
from ..prompts import CompoundMode, LabelEncoder, LabelSet, LabelText, PromptBank
from ..results.records import ModelInfo
from ..results.reliability import LabelReliability
from .presence import MIN_PRESENCE, label_presence
from .reader import FaceReader
from .reliability import LabelJudge
from .scorer import Scorer

if TYPE_CHECKING:
    import torch

    from ..checkpoints.reliability import MeasuredReliability
    from ..faces.landmarks import FaceLandmarker
    from ..nn import DualEncoder

__all__ = ["PretrainedModel"]

log = logging.getLogger(__name__)

_REPR_LABELS = 4
Model = TypeVar("Model", bound="PretrainedModel")


class PretrainedModel:
    """What :class:`EmoCLIP` is below its calls: a network, its labels, its checkpoint.

    Parameters
    ----------
    config : ModelConfig
        Architecture, sampling, faces, preprocessing and label set.
    network : DualEncoder
        The weights.
    prompts : PromptBank, optional
        Descriptions of labels; the shipped bank by default.
    name, revision : str
        Written into results.
    device, dtype : str
        ``"auto"``: a GPU if there is one; for the image tower the fastest precision that keeps its
        embeddings, see :func:`~emoclip_sdk.inference.devices.pick_dtype`.
    detector : "mtcnn" or FaceDetector
        What finds faces, wherever they are looked for.
    reliability : MeasuredReliability, optional
        What was measured of the labels that it can read.

    Attributes
    ----------
    encoder : Encoder
        The network as it is run.
    detector : FaceDetector or None
        The caller's own; None: MTCNN.
    """

    def __init__(
        self,
        config: ModelConfig,
        network: DualEncoder,
        *,
        prompts: PromptBank | None = None,
        name: str = "unnamed",
        revision: str | None = None,
        device: str | torch.device = "auto",
        dtype: str | torch.dtype = "auto",
        detector: Literal["mtcnn"] | FaceDetector = "mtcnn",
        reliability: MeasuredReliability | None = None,
    ) -> None:
        from .encoder import Encoder

        if detector != "mtcnn" and not isinstance(detector, FaceDetector):
            raise EmoCLIPError(
                "detector must be 'mtcnn' or an object with the method detect(frames), "
                f"not {detector!r}"
            )
        self.detector = None if isinstance(detector, str) else detector
        self.config = config
        self.name = name
        self.revision = revision
        self.measured_reliability = reliability
        self.encoder = Encoder(network, config, device, dtype)
        self._labels = self._label_encoder(prompts or PromptBank.default())
        self._warned: set[str] = set()  # labels that can't be read, of which was said so

    def __repr__(self) -> str:
        """Return name, device and the first labels."""
        labels = self.labels
        names = ", ".join(labels[:_REPR_LABELS])
        names += f" and {len(labels) - _REPR_LABELS} more" if len(labels) > _REPR_LABELS else ""
        revision = f" ({self.revision})" if self.revision else ""
        return (
            f"<{type(self).__name__} {self.name!r}{revision} on {self.encoder.device}, "
            f"labels: {names or 'none of its own'}>"
        )

    def _label_encoder(self, prompts: PromptBank) -> LabelEncoder:
        def encode(texts: list[str]) -> NDArray[np.float32]:
            vectors: NDArray[np.float32] = self.encode_text(texts).float().cpu().numpy()
            return vectors

        prompts = prompts.copy()
        prompts.name_share = self.config.prompts.name_share
        return LabelEncoder(prompts, encode, english=reads_english(self.config.towers))

    def __getstate__(self) -> dict[str, Any]:
        """Return what a model is in another process: everything but its caches."""
        state = {k: v for k, v in vars(self).items() if k not in ("reader", "landmarker", "judge")}
        state["_labels"] = (self.prompts, self._labels.shifts)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        prompts, shifts = state.pop("_labels")
        vars(self).update(state)
        self._labels = self._label_encoder(prompts)
        self._labels.shifts = shifts

    @classmethod
    def from_pretrained(
        cls: type[Model],
        name: str | Path | None = None,
        *,
        revision: str | None = None,
        cache_dir: str | Path | None = None,
        token: str | bool | None = None,
        local_files_only: bool = False,
        device: str | torch.device = "auto",
        dtype: str | torch.dtype = "auto",
        detector: Literal["mtcnn"] | FaceDetector = "mtcnn",
        faces: FaceConfig | None = None,
    ) -> Model:
        """Load a model.

        Parameters
        ----------
        name : str or Path, optional
            None: the embedded model, which needs no network. A local folder, a repository
            ``"org/name"`` on the Hugging Face Hub, or a named baseline: ``clip-vit-b-32``,
            ``clip-vit-b-32-openai``, ``farl-vit-b-16``.
        revision, cache_dir, token, local_files_only
            As in huggingface_hub.
        device, dtype : str
            See :class:`EmoCLIP`.
        detector : "mtcnn" or FaceDetector
            What finds faces: MTCNN, or an object of your own with the method ``detect(frames)``.
        faces : FaceConfig, optional
            How faces are found and cropped. None: as the checkpoint says, which is how the model
            was trained.

        Raises
        ------
        CheckpointError
            The checkpoint is missing, incomplete or of a newer format.
        HubError
            The repository can't be reached or read.
        EmoCLIPError
            A device that is not here, or a detector that can't detect.

        Examples
        --------
        >>> model = EmoCLIP.from_pretrained()
        >>> model.labels[:3]
        ('neutral', 'happiness', 'surprise')
        """
        from ..checkpoints import load

        checkpoint = load(
            name,
            revision=revision,
            cache_dir=cache_dir,
            token=token,
            local_files_only=local_files_only,
        )
        config = checkpoint.config
        if faces is not None:
            config = dataclasses.replace(config, faces=faces)
        return cls(
            config,
            checkpoint.model,
            prompts=PromptBank.from_yaml(checkpoint.prompts) if checkpoint.prompts else None,
            name=str(name or config.info.get("name", "emoclip-mini")),
            revision=revision,
            device=device,
            dtype=dtype,
            detector=detector,
            reliability=checkpoint.reliability,
        )

    def save_pretrained(self, folder: str | Path) -> None:
        """Write config, weights, prompt bank and model card, so that `from_pretrained` reads them.

        Weights come back bit for bit as they are in memory. Labels that :meth:`EmoCLIP.fit_labels`
        moved are saved as their texts alone: fit them again.
        """
        from ..checkpoints import model_card, save_folder

        if self._labels.is_fitted:
            log.warning("%s: fitted labels are not saved, only their texts", folder)
        info = self.config.info
        save_folder(
            folder,
            self.config,
            self.encoder.network.state_dict(),
            prompts_yaml=self.prompts.to_yaml(),
            card=model_card(self.config, info.get("metrics"), info.get("training")),
            reliability=self.measured_reliability,
        )

    def push_to_hub(
        self,
        repo: str,
        *,
        token: str | bool | None = None,
        private: bool | None = None,
        revision: str | None = None,
        commit_message: str = "Upload an EmoCLIP checkpoint",
        create_pr: bool = False,
    ) -> str:
        """Save to a repository on the Hub, with a generated model card; returns its address."""
        from ..checkpoints import push_to_hub

        with tempfile.TemporaryDirectory() as folder:
            self.save_pretrained(folder)
            return push_to_hub(
                folder,
                repo,
                token=token,
                private=private,
                revision=revision,
                commit_message=commit_message,
                create_pr=create_pr,
            )

    # Labels

    @property
    def prompts(self) -> PromptBank:
        """The model's prompt bank. Models don't share what is added to it."""
        return self._labels.bank

    @property
    def labels(self) -> tuple[str, ...]:
        """The label set that is scored when a call names none."""
        return self.config.prompts.labels

    def add_label(
        self, name: str, descriptions: str | Sequence[str], *, aliases: Sequence[str] = ()
    ) -> None:
        """Describe a label in your own words: what brows, eyes and mouth do.

        Examples
        --------
        >>> model.add_label("boredom", "Half-closed eyes, a slack mouth and a tilted head")
        >>> model.classify("portrait.mp4", ["happiness", "boredom"]).label
        'happiness'
        """
        self.prompts.add_label(name, descriptions, aliases=aliases)

    def add_compound(
        self,
        name: str,
        parts: Sequence[str] | Mapping[str, float],
        weights: Sequence[float] | None = None,
    ) -> None:
        """Define a compound emotion as the mean of its parts' text embeddings (eq. 2).

        Examples
        --------
        >>> model.add_compound("happily surprised", {"happiness": 2, "surprise": 1})
        >>> sorted(model.classify("portrait.mp4", ["happily surprised", "anger"]).scores)
        ['anger', 'happily surprised']
        """
        self.prompts.add_compound(name, parts, weights)

    def with_prompts(self: Model, prompts: PromptBank | None = None) -> Model:
        """Return a model with the same weights, not copied, and a bank of its own.

        Parameters
        ----------
        prompts : PromptBank, optional
            None: a copy of this model's bank.
        """
        other = copy.copy(self)
        other._labels = other._label_encoder(prompts or self.prompts.copy())
        return other

    def embed_labels(
        self, labels: LabelSet | None = None, *, compound: CompoundMode = "average"
    ) -> tuple[NDArray[np.float32], list[LabelText]]:
        """Embed labels as `classify` does.

        Returns
        -------
        embeddings : ndarray, (N, D)
            Unnormalized.
        texts : list of LabelText
            What each label was turned into.
        """
        chosen = self._chosen(labels)
        return self._labels.described(chosen).embed(chosen, compound=compound)

    def reliability(self, labels: LabelSet | None = None) -> dict[str, LabelReliability]:
        """Say how far labels can be trusted, by what was measured of this model. Needs no video.

        Parameters
        ----------
        labels : sequence of str, or mapping of str to descriptions, optional
            As in :meth:`EmoCLIP.classify`.

        Raises
        ------
        PromptError, CheckpointError
            Labels can't be used; the model has no text tower.

        Examples
        --------
        >>> known = model.reliability(["joy", "gleeful", "young woman"])
        >>> [known[label].level for label in known]
        ['measured', 'likeness', 'unreadable']
        >>> known["gleeful"].text
        'read through its likeness to happiness'
        """
        return self.judge(*self.embed_labels(labels))

    @functools.cached_property
    def judge(self) -> LabelJudge:
        """Tells how far labels can be trusted."""

        def encode(texts: list[str]) -> NDArray[np.float32]:
            vectors: NDArray[np.float32] = self.encoder.texts(texts, head=False).cpu().numpy()
            return vectors

        return LabelJudge(self.measured_reliability, encode)

    def _chosen(self, labels: LabelSet | None) -> LabelSet:
        """Return the labels, or the model's own ones for None."""
        if labels is None and not self.labels:
            raise EmoCLIPError(f"{self.name} has no label set of its own: name some labels")
        return self.labels if labels is None else labels

    def embed_text(self, texts: str | Sequence[str]) -> NDArray[np.float32]:
        """Embed texts word for word: one text to (D,), a list of N to (N, D), unnormalized."""
        sentences = [texts] if isinstance(texts, str) else list(texts)
        vectors: NDArray[np.float32] = self.encode_text(sentences).float().cpu().numpy()
        return vectors[0] if isinstance(texts, str) else vectors

    # Reading and scoring

    @functools.cached_property
    def reader(self) -> FaceReader:
        """Reads videos; its detector is made once."""
        return FaceReader(self.config, self.encoder.frames, self.detector)

    @functools.cached_property
    def landmarker(self) -> FaceLandmarker | None:
        """Finds what the shape stream looks at; None: the model has no shape stream."""
        if self.config.shape is None:
            return None
        from ..faces.landmarks import FaceLandmarker

        return FaceLandmarker(device=self.encoder.device)

    def embed_crops(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed face crops (N, S, S, 3) uint8 one by one to (N, D), as frames of a video are."""
        shapes = None if self.landmarker is None else crop_shapes(self.landmarker, list(crops))
        return self.encoder.frames(crops, shapes)

    def scorer(
        self,
        labels: LabelSet | None,
        compound: CompoundMode,
        min_score: float | None,
        min_quality: float = 0.0,
        multi_label: bool = False,
    ) -> Scorer:
        """Make labels ready, once for any number of videos; parameters as in :meth:`classify`."""
        calibration = self.config.calibration
        if min_score is None:
            min_score = MIN_PRESENCE if multi_label else calibration.min_score
        elif not 0 <= min_score <= 1:
            raise EmoCLIPError(f"min_score must be in [0, 1], not {min_score}")
        if not 0 <= min_quality <= 1:
            raise EmoCLIPError(f"min_quality must be in [0, 1], not {min_quality}")
        chosen = self._chosen(labels)
        encoder = self._labels.described(chosen)
        vectors, texts = encoder.embed(chosen, compound=compound)
        encoder.note(texts, multi_label)
        reliability = self.judge(vectors, texts)
        presence = None
        if multi_label:
            presence = label_presence(self.measured_reliability, texts, reliability, self.name)
        self._warn_of(reliability.values())
        return Scorer(
            vectors,
            texts,
            self.encoder.pool,
            self.encoder.logit_scale / calibration.temperature,
            self.config.sampling.n_frames,
            ModelInfo(self.name, self.revision, encoder.hash),
            encoder.embed(self.labels)[0] if self.labels else vectors[:0],
            min_score,
            min_quality,
            calibration.margin,
            reliability,
            presence,
        )

    def _warn_of(self, labels: Iterable[LabelReliability]) -> None:
        """Log, once, which labels can't be read."""
        for known in labels:
            if not known.readable and known.label not in self._warned:
                self._warned.add(known.label)
                log.warning("%r is %s. Where it wins, there is no answer", known.label, known.text)

    # Low level, torch in and out

    def encode_video(self, clips: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Embed preprocessed clips, by their pixels alone.

        Parameters
        ----------
        clips : Tensor, (B, T, 3, H, W)
            Normalized as ``config.image`` says.
        mask : Tensor of bool, (B, T), optional
            True where there is a frame, False where there is padding.

        Returns
        -------
        Tensor, (B, D)
            Unnormalized, as eq. 2 needs.
        """
        return self.encoder.video(clips, mask)

    def encode_text(self, texts: Sequence[str]) -> torch.Tensor:
        """Embed N texts to (N, D), unnormalized.

        Raises
        ------
        CheckpointError
            The checkpoint has no text tower.
        """
        if not self.config.towers.text:
            raise CheckpointError(
                f"{self.name}: this checkpoint has no text tower. It can embed video, but scoring "
                "labels needs text: convert it again with --text-from, or use another model"
            )
        return self.encoder.texts(texts)

    def compile(self: Model) -> Model:
        """Compile the image tower with torch.compile, and return the model itself.

        Takes seconds for a small transformer and minutes for a convolutional tower, and once more
        after the weights have changed; results differ by rounding only. Measure whether it pays.

        Raises
        ------
        EmoCLIPError
            torch can't compile here, as without a C++ compiler; the model works as before.
        """
        self.encoder.compile()
        return self
