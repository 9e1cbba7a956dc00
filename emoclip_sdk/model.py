"""EmoCLIP: the one object that a user needs. It joins the rooms and holds no logic of theirs."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from .clips import track_clips
from .config import ModelConfig
from .errors import CheckpointError, EmoCLIPError, VideoError
from .prompts import CompoundMode, LabelEncoder, LabelText, PromptBank
from .reading import (
    FaceMode,
    FaceReader,
    FaceStream,
    Track,
    check_options,
    check_windows,
    choose_tracks,
    failed_name,
    is_batch,
)
from .results import ModelInfo, Prediction, Timeline, TimelineRow
from .scoring import Scorer
from .video import SamplingMode

if TYPE_CHECKING:
    import torch

    from .nn import DualEncoder
    from .probe import RegressionProbe

__all__ = ["EmoCLIP"]

log = logging.getLogger(__name__)


class EmoCLIP:
    """Zero-shot recognition of apparent expressions in video.

    Made by :meth:`from_pretrained`. The model reads what a face shows, not what a person feels.

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
        embeddings, see :func:`~emoclip_sdk.nn.inference.pick_dtype`.
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
    ) -> None:
        from .nn.inference import Encoder

        self.config = config
        self.name = name
        self.revision = revision
        self.encoder = Encoder(network, config, device, dtype)
        self._labels = LabelEncoder(
            prompts or PromptBank.default(),
            lambda texts: self.encode_text(texts).float().cpu().numpy(),
        )
        self.reader = FaceReader(config, self.encoder.frames)

    # Checkpoints

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path | None = None,
        *,
        revision: str | None = None,
        cache_dir: str | Path | None = None,
        token: str | bool | None = None,
        local_files_only: bool = False,
        device: str | torch.device = "auto",
        dtype: str | torch.dtype = "auto",
    ) -> EmoCLIP:
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

        Raises
        ------
        CheckpointError
            The checkpoint is missing, incomplete or of a newer format.
        HubError
            The repository can't be reached or read.
        """
        from .checkpoints import load

        checkpoint = load(
            name,
            revision=revision,
            cache_dir=cache_dir,
            token=token,
            local_files_only=local_files_only,
        )
        config = checkpoint.config
        return cls(
            config,
            checkpoint.model,
            prompts=PromptBank.from_yaml(checkpoint.prompts) if checkpoint.prompts else None,
            name=str(name or config.info.get("name", "emoclip-mini")),
            revision=revision,
            device=device,
            dtype=dtype,
        )

    def save_pretrained(self, folder: str | Path) -> None:
        """Write config, weights, prompt bank and model card, so that `from_pretrained` reads them.

        Weights come back bit for bit as they are in memory.
        """
        from .checkpoints import model_card, save_folder

        info = self.config.info
        save_folder(
            folder,
            self.config,
            self.encoder.network.state_dict(),
            prompts_yaml=self.prompts.to_yaml(),
            card=model_card(self.config, info.get("metrics"), info.get("training")),
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
        from .checkpoints import push_to_hub

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

    @classmethod
    def load_probe(
        cls,
        folder: str | Path,
        *,
        model: EmoCLIP | None = None,
        device: str | torch.device = "auto",
    ) -> RegressionProbe:
        """Load a probe for interviews, which ``emoclip-train ness`` made.

        Parameters
        ----------
        folder : str or Path
        model : EmoCLIP, optional
            Checked to be the encoder that the probe was trained on. None: the model that the
            probe names is loaded.
        device : str
            Of a model that is loaded.

        Raises
        ------
        CheckpointError
            The folder can't be read, or the model is another one.
        """
        from .probe import load_probe

        probe = load_probe(folder)
        encoder = probe.config["encoder"]
        if model is None and encoder["name"] is not None:
            model = cls.from_pretrained(encoder["name"], device=device)
        if model is not None:
            if encoder["weights"] not in (None, model.encoder.video_hash()):
                raise CheckpointError(
                    f"{folder}: this probe was trained on '{encoder['name']}', whose weights are "
                    f"not those of '{model.name}'"
                )
            if model.encoder.width != probe.config["width"]:
                raise CheckpointError(
                    f"{folder}: this probe takes embeddings of width {probe.config['width']}, "
                    f"'{model.name}' makes {model.encoder.width}"
                )
        probe.model = model
        return probe

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
        """Describe a label in your own words: what brows, eyes and mouth do."""
        self.prompts.add_label(name, descriptions, aliases=aliases)

    def add_compound(
        self,
        name: str,
        parts: Sequence[str] | Mapping[str, float],
        weights: Sequence[float] | None = None,
    ) -> None:
        """Define a compound emotion as the mean of its parts' text embeddings (eq. 2)."""
        self.prompts.add_compound(name, parts, weights)

    def embed_labels(
        self, labels: Sequence[str] | None = None, *, compound: CompoundMode = "average"
    ) -> tuple[NDArray[np.float32], list[LabelText]]:
        """Embed labels as `classify` does.

        Returns
        -------
        embeddings : ndarray, (N, D)
            Unnormalised.
        texts : list of LabelText
            What each label was turned into.
        """
        if labels is None and not self.labels:
            raise EmoCLIPError(f"{self.name} has no label set of its own: name some labels")
        return self._labels.embed(self.labels if labels is None else labels, compound=compound)

    def embed_text(self, texts: str | Sequence[str]) -> NDArray[np.float32]:
        """Embed texts word for word: one text to (D,), a list of N to (N, D), unnormalised."""
        wanted = [texts] if isinstance(texts, str) else list(texts)
        vectors: NDArray[np.float32] = self.encode_text(wanted).float().cpu().numpy()
        return vectors[0] if isinstance(texts, str) else vectors

    # Low level, torch in and out

    def encode_video(self, clips: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Embed preprocessed clips.

        Parameters
        ----------
        clips : Tensor, (B, T, 3, H, W)
            Normalised as ``config.image`` says.
        mask : Tensor of bool, (B, T), optional
            True where there is a frame, False where there is padding.

        Returns
        -------
        Tensor, (B, D)
            Unnormalised, as eq. 2 needs.
        """
        return self.encoder.video(clips, mask)

    def encode_text(self, texts: Sequence[str]) -> torch.Tensor:
        """Embed N texts to (N, D), unnormalised.

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

    def compile(self) -> EmoCLIP:
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

    # Video

    def read(
        self,
        video: Any,
        *,
        faces: FaceMode | None = None,
        sampling: SamplingMode = "deterministic",
        seed: int = 0,
        fps: float | None = None,
        allow_network: bool = False,
    ) -> FaceStream:
        """Decode, detect and embed a video once, to be scored many times.

        What is returned takes the place of `video` in :meth:`classify`, :meth:`embed` and
        :meth:`timeline`: other labels or windows then cost milliseconds. It holds an embedding for
        each sampled face, about 40 megabytes an hour. Parameters and errors are those of
        :meth:`classify`; they count here, and no more where the result is used.
        """
        check_options("all", faces, sampling)
        return self.reader(
            video,
            faces=faces,
            sampling=sampling,
            seed=seed,
            fps=fps,
            allow_network=allow_network,
        ).kept()

    def classify(
        self,
        video: Any,
        labels: Sequence[str] | None = None,
        *,
        track: Track = "prominent",
        compound: CompoundMode = "average",
        faces: FaceMode | None = None,
        sampling: SamplingMode = "deterministic",
        seed: int = 0,
        min_score: float | None = None,
        fps: float | None = None,
        allow_network: bool = False,
    ) -> Any:
        """Score labels on a video.

        Parameters
        ----------
        video
            Path, bytes or binary file, folder of frames, array or tensor (T, H, W, 3) uint8, a list
            of PIL images, or what :meth:`read` returned. A list of paths (or of any other of these)
            is a batch: one that can't be read gets a `Prediction` with `error` set, and the rest
            goes on.
        labels : sequence of str, optional
            Names that the prompt bank knows, any other words, or whole sentences. None: the
            model's own label set.
        track : {"prominent", "all"} or int
            The most prominent face, one prediction for each face, or the face of that number.
        compound : {"average", "concatenate"}
            Eq. 2, or the paper's baseline of joined prompts.
        faces : {"mtcnn", "none"}, optional
            "none": the frames are face crops already. None: as the model's config says.
        sampling : {"deterministic", "uniform", "paper"}
            See DESIGN: by time; spread over the clip; the reference's random window with `seed`.
        min_score : float, optional
            A result whose confidence is below has `abstained` set. None: the threshold that was
            calibrated with the model. 0: never abstain.
        fps : float, optional
            Frame rate of a source that has none.
        allow_network : bool
            Open network addresses.

        Returns
        -------
        Prediction
            A list of them with ``track="all"``; for a batch, a list of what one video gives.

        Raises
        ------
        VideoError
            A single video can't be read, or has faces but none of the number `track`.
        PromptError, CheckpointError
            Labels can't be used; the model has no text tower.
        EmoCLIPError
            An option has no such value.
        """
        track = check_options(track, faces, sampling)
        options: dict[str, Any] = dict(
            faces=faces, sampling=sampling, seed=seed, fps=fps, allow_network=allow_network
        )
        scorer = self.scorer(labels, compound, min_score)

        def one(item: Any) -> Prediction | list[Prediction]:
            found = scorer.predictions(self.reader(item, **options), track)
            return found if track == "all" else found[0]

        if not is_batch(video):
            return one(video)
        results: list[Any] = []
        for item in video:
            try:
                results.append(one(item))
            except VideoError as error:
                name, reason = failed_name(item, error)
                failed = scorer.empty(name, error=reason)
                results.append([failed] if track == "all" else failed)
        return results

    def classify_batch(
        self,
        videos: Sequence[str | os.PathLike[str]],
        labels: Sequence[str] | None = None,
        *,
        track: Track = "prominent",
        compound: CompoundMode = "average",
        faces: FaceMode | None = None,
        min_score: float | None = None,
        workers: int | None = None,
        ordered: bool = True,
        limit_s: float | None = None,
    ) -> Iterator[Any]:
        """Score labels on many video files, decoded by several processes; yields as it goes.

        The scores are those of :meth:`classify`. A video that can't be read, or whose decoder
        crashes or hangs, gives a `Prediction` with `error` set. For a result on disk that survives
        an interruption, see :func:`emoclip_sdk.batch.run_batch`.

        Processes are started by "spawn": a script that calls this needs the line
        ``if __name__ == "__main__":``.

        Parameters
        ----------
        videos : sequence of path
        labels, track, compound, faces, min_score
            As in :meth:`classify`.
        workers : int, optional
            Processes that decode videos and find faces. None: one for each processor.
        ordered : bool
            In the order of `videos`; else as they are ready.
        limit_s : float, optional
            Seconds that reading one video may take. None: half an hour.

        Yields
        ------
        Prediction
            For each video; its `source` is the path as given. A list of them with ``track="all"``.

        Raises
        ------
        PromptError, CheckpointError, EmoCLIPError
            As by :meth:`classify`.
        """
        from .batch import LIMIT_S, BatchClassifier, in_order
        from .processes import usable_cpus

        track = check_options(track, faces, "deterministic")
        scorer = self.scorer(labels, compound, min_score)
        paths = [os.fsdecode(video) for video in videos]
        if not paths:
            return
        with BatchClassifier(
            self.encoder.frames,
            scorer,
            self.config,
            track=track,
            faces=faces,
            workers=min(workers or usable_cpus(), len(paths)),
            limit_s=limit_s or LIMIT_S,
        ) as classify:
            results = classify(paths)
            for _, predictions in in_order(results) if ordered else results:
                yield predictions if track == "all" else predictions[0]

    def embed(
        self,
        video: Any,
        *,
        track: int | Literal["prominent"] = "prominent",
        faces: FaceMode | None = None,
        sampling: SamplingMode = "deterministic",
        seed: int = 0,
        fps: float | None = None,
        allow_network: bool = False,
    ) -> NDArray[np.float32]:
        """Embed a video: (D,) float32, unnormalised; a list of N gives (N, D).

        The clips of a long video are averaged. NaN where there is no face and, in a list, where a
        video can't be read (which is logged). Parameters and errors are those of :meth:`classify`.
        """
        if track == "all":  # type: ignore[comparison-overlap]
            raise EmoCLIPError("embed takes one face per video: track='prominent' or a number")
        wanted = check_options(track, faces, sampling)
        options: dict[str, Any] = dict(
            faces=faces, sampling=sampling, seed=seed, fps=fps, allow_network=allow_network
        )
        nothing = np.full(self.encoder.width, np.nan, np.float32)

        def one(item: Any) -> NDArray[np.float32]:
            stream = self.reader(item, **options)
            clips = track_clips(stream, self.config.sampling.n_frames, self.encoder.pool)
            chosen = choose_tracks(stream, wanted)
            return np.asarray(clips[chosen[0]].mean(axis=0)) if chosen else nothing

        if not is_batch(video):
            return one(video)
        rows = []
        for item in video:
            try:
                rows.append(one(item))
            except VideoError as error:
                log.warning("%s: %s", *failed_name(item, error))
                rows.append(nothing)
        return np.stack(rows) if rows else np.zeros((0, self.encoder.width), np.float32)

    def timeline(
        self,
        video: Any,
        labels: Sequence[str] | None = None,
        *,
        window: float = 2.0,
        step: float = 1.0,
        compound: CompoundMode = "average",
        faces: FaceMode | None = None,
        min_score: float | None = None,
        fps: float | None = None,
        allow_network: bool = False,
    ) -> Timeline:
        """Score labels over time: one row per face track and window.

        Parameters
        ----------
        window, step : float
            Length and distance of windows in seconds. A window longer than the model's span is
            thinned to its number of frames.
        video, labels, compound, faces, min_score, fps, allow_network
            As in :meth:`classify`.

        Raises
        ------
        EmoCLIPError
            A window or step that is not positive and finite, or another option has no such value.
        VideoError
            The video can't be read.
        """
        check_windows(window, step)
        check_options("all", faces, "deterministic")
        scorer = self.scorer(labels, compound, min_score)
        stream = self.reader(video, faces=faces, fps=fps, allow_network=allow_network)
        return scorer.timeline(stream, window, step)

    def timeline_rows(
        self,
        video: Any,
        labels: Sequence[str] | None = None,
        *,
        window: float = 2.0,
        step: float = 1.0,
        compound: CompoundMode = "average",
        faces: FaceMode | None = None,
        min_score: float | None = None,
        fps: float | None = None,
        allow_network: bool = False,
    ) -> Iterator[TimelineRow]:
        """Score labels over time as :meth:`timeline`, row by row while the video is read.

        However long the video, memory stays the same. Rows come in order of time, then of tracks,
        some seconds after what they are about. Parameters and errors are those of
        :meth:`timeline`; what is wrong with the video itself is raised at the first row.
        """
        check_windows(window, step)
        check_options("all", faces, "deterministic")
        scorer = self.scorer(labels, compound, min_score)
        stream = self.reader(video, faces=faces, fps=fps, allow_network=allow_network)
        return scorer.rows(stream, window, step)

    def scorer(
        self, labels: Sequence[str] | None, compound: CompoundMode, min_score: float | None
    ) -> Scorer:
        """Make labels ready, once for any number of videos; parameters as in :meth:`classify`."""
        calibration = self.config.calibration
        if min_score is None:
            min_score = calibration.min_score
        elif not 0 <= min_score <= 1:
            raise EmoCLIPError(f"min_score must be in [0, 1], not {min_score}")
        vectors, texts = self.embed_labels(labels, compound=compound)
        return Scorer(
            vectors,
            texts,
            self.encoder.pool,
            self.encoder.logit_scale / calibration.temperature,
            self.config.sampling.n_frames,
            ModelInfo(self.name, self.revision, self.prompts.hash),
            self._labels.embed(self.labels)[0] if self.labels else vectors[:0],
            min_score,
        )
