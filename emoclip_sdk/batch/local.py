"""Many videos on one machine: worker processes find the faces, this process runs the model."""

from __future__ import annotations

import dataclasses
import pickle
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import ModelConfig
from ..errors import EmoCLIPError, VideoError
from ..faces import FaceDetector, FaceShape
from ..inference.frames import Encode
from ..inference.options import ReadOptions
from ..inference.scorer import Scorer
from ..inference.stream import TrackChoice
from ..results.records import Prediction
from ..runtime.processes import usable_cpus
from ..runtime.worker_pool import WorkerPool
from .crops import Crops, ReadVideo, VideoPart, open_reader

__all__ = ["BatchClassifier", "in_input_order"]

TIMEOUT = 1800.0
"""Seconds that reading one video may take, unless the caller says otherwise."""

_CROPS = 64  # encoded together, of as many clips as it takes


class BatchClassifier:
    """Classifies videos with one model and any number of processes that decode.

    Parameters
    ----------
    encode : callable
        Face crops (N, S, S, 3) uint8 and their shapes to frame embeddings (N, D).
    scorer : Scorer
        The labels.
    config : ModelConfig
    track
        As in :meth:`EmoCLIP.classify`.
    options : ReadOptions, optional
        How videos are read. After `timeout` seconds a process that reads one is taken to hang.
    detector : FaceDetector, optional
        A copy goes to each process. None: MTCNN.
    actions : bool
        Find the actions of faces, too.
    workers : int
        Processes that decode videos and find faces.

    Raises
    ------
    EmoCLIPError
        The detector can't be copied to another process.

    Examples
    --------
    ::

        with BatchClassifier(encode, scorer, config, workers=4) as classify:
            for number, predictions in classify(paths):
                ...
    """

    def __init__(
        self,
        encode: Encode,
        scorer: Scorer,
        config: ModelConfig,
        *,
        track: TrackChoice = "prominent",
        options: ReadOptions | None = None,
        detector: FaceDetector | None = None,
        actions: bool = False,
        workers: int = 1,
    ) -> None:
        options = options or ReadOptions()
        _require_picklable(detector)
        self._encode = encode
        self._threads = max(usable_cpus() - workers, 1)
        self._scorer = scorer
        self._track = track
        # The pool keeps the time, and ends a process that hangs within a frame.
        reading = dataclasses.replace(options, timeout=None)
        self._pool = WorkerPool(
            workers,
            open_reader,
            (config, reading, detector, actions),
            timeout=options.timeout or TIMEOUT,
        )

    def __enter__(self) -> BatchClassifier:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pool.close()

    def __call__(self, videos: Sequence[str | VideoPart]) -> Iterator[tuple[int, list[Prediction]]]:
        """Classify videos; yield their positions and predictions as they are ready.

        One prediction for each video, or with ``track="all"`` for each face. A video that can't be
        read, or on which a process dies or hangs twice, has one with `error` set.

        Raises
        ------
        EmoCLIPError
            What is no fault of a video: a face detector that is not installed.
        """
        clips: dict[int, _Clip] = {}
        waiting = _Waiting(self._embedded)
        for event in self._pool.run(videos):
            if event is None:
                # The processes are busy: no use in waiting for the crops of further clips.
                waiting.encode(everything=True)
            elif event.kind == "part":
                waiting.add(clips.setdefault(event.job, _Clip()), event.value)
                waiting.encode()
            elif event.kind == "again":
                waiting.forget(clips.pop(event.job, None))
            elif event.kind == "lost" or isinstance(event.value, str):
                waiting.forget(clips.pop(event.job, None))
                yield event.job, [self._scorer.empty(_path(videos[event.job]), error=event.value)]
            else:
                clips.setdefault(event.job, _Clip()).read = event.value
            for job in [job for job, clip in clips.items() if clip.complete]:
                yield job, self._predictions(_path(videos[job]), clips.pop(job))
        waiting.encode(everything=True)
        for job, clip in clips.items():
            yield job, self._predictions(_path(videos[job]), clip)

    def _embedded(
        self, images: NDArray[np.uint8], shapes: Sequence[FaceShape | None]
    ) -> NDArray[np.float32]:
        with _on_threads(self._threads):
            return self._encode(images, shapes)

    def _predictions(self, path: str, clip: _Clip) -> list[Prediction]:
        assert clip.read is not None
        try:
            with _on_threads(self._threads):
                stream = clip.read.stream(clip.embedded)
                predictions = self._scorer.predictions(stream, self._track, stream.has_actions)
        except VideoError as error:  # there is no track of that number
            return [self._scorer.empty(path, error=error.reason)]
        return [dataclasses.replace(prediction, source=path) for prediction in predictions]


def _path(video: str | VideoPart) -> str:
    return video.path if isinstance(video, VideoPart) else video


@dataclass
class _Clip:
    """A video of which crops have come: not all of them, or not all embedded yet."""

    read: ReadVideo | None = None
    embedded: list[NDArray[np.float32]] = field(default_factory=list)
    waiting: int = 0  # crops

    @property
    def complete(self) -> bool:
        return self.read is not None and not self.waiting


class _Waiting:
    """Crops of several clips that wait until there are enough of them for a pass of the model."""

    def __init__(self, encode: Encode) -> None:
        self._encode = encode
        self._crops: deque[tuple[_Clip, Crops]] = deque()

    def add(self, clip: _Clip, crops: Crops) -> None:
        n = len(crops.images)
        for start in range(0, n, _CROPS):
            self._crops.append((clip, _rows(crops, slice(start, start + _CROPS))))
        clip.waiting += n

    def forget(self, clip: _Clip | None) -> None:
        self._crops = deque(item for item in self._crops if item[0] is not clip)

    def encode(self, *, everything: bool = False) -> None:
        """Embed what fills a batch, or all there is."""
        while self._crops and (everything or sum(len(c.images) for _, c in self._crops) >= _CROPS):
            batch: list[tuple[_Clip, Crops]] = []
            room = _CROPS
            while self._crops and room:
                clip, crops = self._crops.popleft()
                if len(crops.images) > room:
                    self._crops.appendleft((clip, _rows(crops, slice(room, None))))
                batch.append((clip, _rows(crops, slice(room))))
                room -= len(batch[-1][1].images)
            embedded = self._encode(
                np.concatenate([crops.images for _, crops in batch]),
                [shape for _, crops in batch for shape in crops.shapes],
            )
            start = 0
            for clip, crops in batch:
                n = len(crops.images)
                clip.embedded.append(embedded[start : start + n])
                clip.waiting -= n
                start += n


def _rows(crops: Crops, part: slice) -> Crops:
    return Crops(crops.images[part], crops.shapes[part])


def _require_picklable(detector: FaceDetector | None) -> None:
    try:
        pickle.dumps(detector)
    except Exception as error:  # a class may raise whatever it likes
        raise EmoCLIPError(
            f"the detector {type(detector).__name__} can't be sent to the processes that read "
            f"videos: it must be picklable ({error}). Define its class in a module, and load what "
            "can't be copied at its first use"
        ) from error


@contextmanager
def _on_threads(threads: int) -> Iterator[None]:
    """Let the model leave the processors to the processes: threads that wait for one are slow."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(min(threads, before))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def in_input_order(results: Iterator[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
    """Hold back what is ready too early: yield by number, from 0, without a gap."""
    early: dict[int, Any] = {}
    awaited = 0
    for number, result in results:
        early[number] = result
        while awaited in early:
            yield awaited, early.pop(awaited)
            awaited += 1
