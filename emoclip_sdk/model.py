"""EmoCLIP: the one object that a user needs. It joins the rooms and holds no logic of theirs."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from .errors import EmoCLIPError
from .inference.clips import track_clips
from .inference.explain import explain_video
from .inference.live import live_results
from .inference.pretrained import PretrainedModel
from .inference.reader import FaceMode, ReadOptions
from .inference.stream import FaceStream, TrackChoice, check_track, choose_tracks
from .inference.videos import each_video
from .inference.windows import check_windows
from .prompts import CompoundMode
from .results.explanation import Explanation
from .results.live import LiveResult
from .results.records import Prediction, TimelineRow
from .results.timeline import Timeline
from .selection.few_shot import FewShotReport, fit_prototypes
from .video import SamplingMode

if TYPE_CHECKING:
    import torch

    from .probes.probe import RegressionProbe

__all__ = ["EmoCLIP"]

log = logging.getLogger(__name__)


class EmoCLIP(PretrainedModel):
    """Zero-shot recognition of apparent expressions in video.

    Made by :meth:`from_pretrained`. The model reads what a face shows, not what a person feels.
    Loading, saving, labels and texts are those of :class:`PretrainedModel`.
    """

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
        from .probes.probe import load_probe

        probe = load_probe(folder)
        name = probe.config["encoder"]["name"]
        if model is None and name is not None:
            model = cls.from_pretrained(name, device=device)
        if model is not None:
            probe.use(model, folder)
        return probe

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
        options = ReadOptions(faces, sampling, seed, fps, allow_network)
        return self.reader(video, options).kept()

    def classify(
        self,
        video: Any,
        labels: Sequence[str] | None = None,
        *,
        track: TrackChoice = "prominent",
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
        track = check_track(track)
        options = ReadOptions(faces, sampling, seed, fps, allow_network)
        scorer = self.scorer(labels, compound, min_score)

        def shown(found: list[Prediction]) -> Any:
            return found if track == "all" else found[0]

        return each_video(
            video,
            lambda item: shown(scorer.predictions(self.reader(item, options), track)),
            lambda name, reason: shown([scorer.empty(name, error=reason)]),
        )

    def classify_batch(
        self,
        videos: Sequence[str | os.PathLike[str]],
        labels: Sequence[str] | None = None,
        *,
        track: TrackChoice = "prominent",
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
        from .runtime.processes import usable_cpus

        track, faces = check_track(track), ReadOptions(faces).faces
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
        wanted = check_track(track)
        options = ReadOptions(faces, sampling, seed, fps, allow_network)
        nothing = np.full(self.encoder.width, np.nan, np.float32)

        def one(item: Any) -> NDArray[np.float32]:
            stream = self.reader(item, options)
            clips = track_clips(stream, self.config.sampling.n_frames, self.encoder.pool)
            chosen = choose_tracks(stream, wanted)
            return np.asarray(clips[chosen[0]].mean(axis=0)) if chosen else nothing

        def failed(name: str, reason: str) -> NDArray[np.float32]:
            log.warning("%s: %s", name, reason)
            return nothing

        found = each_video(video, one, failed)
        if isinstance(found, list):
            return np.stack(found) if found else np.zeros((0, self.encoder.width), np.float32)
        return found

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
        options = ReadOptions(faces, fps=fps, allow_network=allow_network)
        scorer = self.scorer(labels, compound, min_score)
        return scorer.timeline(self.reader(video, options), window, step)

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
        options = ReadOptions(faces, fps=fps, allow_network=allow_network)
        scorer = self.scorer(labels, compound, min_score)
        return scorer.rows(self.reader(video, options), window, step)

    def stream(
        self,
        source: Any,
        labels: Sequence[str] | None = None,
        *,
        window: float = 2.0,
        step: float = 0.5,
        compound: CompoundMode = "average",
        faces: FaceMode | None = None,
        min_score: float | None = None,
        fps: float | None = None,
        allow_network: bool = False,
    ) -> Generator[LiveResult, None, None]:
        """Score labels while it happens: one result for each window, with the faces in it.

        A thread takes frames when they come. Where the model is too slow, the oldest frames that
        wait are dropped and counted, so a result comes about a second after its window at most,
        plus what a few frames cost. Leave the loop to close the camera.

        Parameters
        ----------
        source : int, path or iterator
            A camera's number; a video, which is played in real time; or an iterator of frames
            (H, W, 3) uint8 RGB or of pairs (seconds, frame). Frames without a time count from when
            they come. Each must be an array of its own.
        window, step : float
            Length and distance of windows in seconds. The first result comes when the first window
            is over.
        labels, compound, faces, min_score, fps, allow_network
            As in :meth:`classify`.

        Raises
        ------
        EmoCLIPError
            As by :meth:`timeline`.
        VideoError
            At the first result: there is no such camera, or the video can't be read.
        """
        check_windows(window, step)
        options = ReadOptions(faces, fps=fps, allow_network=allow_network)
        scorer = self.scorer(labels, compound, min_score)
        return live_results(*self.reader.live(source, options), scorer, window, step)

    def explain(
        self,
        video: Any,
        labels: Sequence[str] | None = None,
        *,
        track: int | Literal["prominent"] = "prominent",
        n_pictures: int = 8,
        compound: CompoundMode = "average",
        faces: FaceMode | None = None,
        min_score: float | None = None,
        fps: float | None = None,
        allow_network: bool = False,
    ) -> Explanation:
        """Score labels on a video as :meth:`classify` does, and find out what the result rests on.

        Every sampled frame is left out once, which takes some milliseconds each; the video is
        decoded a second time for pictures of the most telling faces.

        Parameters
        ----------
        n_pictures : int
            Faces to keep pictures of, for :meth:`Explanation.strip`.
        video, labels, track, compound, faces, min_score, fps, allow_network
            As in :meth:`classify`; one video and one face.
        """
        return explain_video(
            video,
            check_track(track),
            options=ReadOptions(faces, fps=fps, allow_network=allow_network),
            reader=self.reader,
            scorer=self.scorer(labels, compound, min_score),
            encoder=self.encoder,
            labels=self._labels,
            n_pictures=n_pictures,
        )

    def fit_labels(
        self,
        videos: Sequence[Any],
        labels: Sequence[str],
        *,
        faces: FaceMode | None = None,
        fps: float | None = None,
        folds: int = 5,
        seed: int = 0,
    ) -> FewShotReport:
        """Move labels towards your own example clips, if that helps.

        How far is chosen by cross-validation, and whether it helps is measured on clips that had
        no part in it; where it doesn't help, the labels stay as they are. Then :meth:`classify`
        and all others use the moved labels, until :meth:`unfit_labels`. Compounds of them don't
        move, and neither do labels without an example.

        Clips of one person or one recording resemble each other: fitted and tested on the same
        people, the gain is smaller on others than the report says.

        Parameters
        ----------
        videos : sequence
            Anything that :meth:`classify` takes. The most prominent face counts.
        labels : sequence of str
            What each of them shows; at least two different labels, with three clips of each.
        faces, fps
            As in :meth:`classify`.
        folds : int
            Parts of the cross-validation; fewer where a label has fewer clips.
        seed : int

        Raises
        ------
        EmoCLIPError
            Too few clips of a label show a face, or the two lists differ in length.
        PromptError
            A label can't be used.
        """
        names = list(dict.fromkeys(labels))
        if len(videos) != len(labels):
            raise EmoCLIPError(f"{len(videos)} videos and {len(labels)} labels: one label for each")
        self.unfit_labels()
        texts, _ = self.embed_labels(names)
        vectors = self.embed(list(videos), faces=faces, fps=fps)
        if vectors.ndim != 2:
            raise EmoCLIPError("a list of pictures is one video: put each into a list of its own")
        report, shifts = fit_prototypes(vectors, labels, texts, names, folds=folds, seed=seed)
        self._labels.fit(shifts)
        return report

    def unfit_labels(self) -> None:
        """Undo :meth:`fit_labels`: labels are their texts again."""
        self._labels.fit({})
