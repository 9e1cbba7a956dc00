"""Many videos on one machine: worker processes find the faces, this process runs the model."""

from __future__ import annotations

import dataclasses
import pickle
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..config import ModelConfig
from ..errors import EmoCLIPError, VideoError
from ..faces import FaceDetector, FaceShape
from ..inference.frames import Encode
from ..inference.options import ReadOptions
from ..runtime.metering import count_progress
from ..runtime.processes import usable_cpus
from ..runtime.progress import ProgressHook
from ..runtime.worker_pool import WorkerPool
from .crops import Crops, ReadVideo, VideoPart, open_reader, part_path
from .tasks import BatchTask

__all__ = ["TIMEOUT", "BatchEngine", "in_input_order", "reported", "require_picklable"]

R = TypeVar("R")

TIMEOUT = 1800.0
"""Seconds that reading one video may take, unless the caller says otherwise."""

_CROPS = 64  # encoded together, of as many clips as it takes


class BatchEngine(Generic[R]):
    """Reads videos with one model and any number of processes that decode.

    Parameters
    ----------
    encode : callable
        Face crops (N, S, S, 3) uint8 and their shapes to frame embeddings (N, D).
    task : BatchTask
        What is done with each of them.
    config : ModelConfig
    options : ReadOptions, optional
        How videos are read. After `timeout` seconds a process that reads one is taken to hang.
    detector : FaceDetector, optional
        A copy goes to each process. None: MTCNN.
    actions : bool
        Find the actions of faces, too.
    people : bool
        Find what tells persons apart, too.
    workers : int
        Processes that decode videos and find faces.

    Raises
    ------
    EmoCLIPError
        The detector can't be copied to another process.

    Examples
    --------
    ::

        with BatchEngine(encode, ClipTask(scorer), config, workers=4) as engine:
            for number, predictions in engine(paths):
                ...
    """

    def __init__(
        self,
        encode: Encode,
        task: BatchTask[R],
        config: ModelConfig,
        *,
        options: ReadOptions | None = None,
        detector: FaceDetector | None = None,
        actions: bool = False,
        people: bool = False,
        workers: int = 1,
    ) -> None:
        options = options or ReadOptions()
        require_picklable(detector)
        self._encode = encode
        self._threads = max(usable_cpus() - workers, 1)
        self._task = task
        # The pool keeps the time, and ends a process that hangs within a frame.
        reading = dataclasses.replace(options, timeout=None, progress=None)
        self._pool = WorkerPool(
            workers,
            open_reader,
            (config, reading, detector, actions, task.needs_boxes, people),
            timeout=options.timeout or TIMEOUT,
        )

    def __enter__(self) -> BatchEngine[R]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pool.close()

    def __call__(self, videos: Sequence[str | VideoPart]) -> Iterator[tuple[int, R]]:
        """Read videos; yield their positions and results as they are ready.

        A video that can't be read, or on which a process dies or hangs twice, has the result that
        the task has for it.

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
                yield event.job, self._task.failed(part_path(videos[event.job]), event.value)
            else:
                clips.setdefault(event.job, _Clip()).read = event.value
            for job in [job for job, clip in clips.items() if clip.complete]:
                yield job, self._result(part_path(videos[job]), clips.pop(job))
        waiting.encode(everything=True)
        for job, clip in clips.items():
            yield job, self._result(part_path(videos[job]), clip)

    def _embedded(
        self, images: NDArray[np.uint8], shapes: Sequence[FaceShape | None]
    ) -> NDArray[np.float32]:
        with _on_threads(self._threads):
            return self._encode(images, shapes)

    def _result(self, path: str, clip: _Clip) -> R:
        assert clip.read is not None
        try:
            with _on_threads(self._threads):
                return self._task.result(path, clip.read.stream(clip.embedded))
        except VideoError as error:  # there is no track of that number
            return self._task.failed(path, error.reason)


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


def require_picklable(detector: FaceDetector | None) -> None:
    """Refuse a detector that can't be sent to another process.

    Raises
    ------
    EmoCLIPError
    """
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


def reported(
    results: Iterator[tuple[int, R]], hook: ProgressHook, videos: Sequence[str]
) -> Iterator[tuple[int, R]]:
    """Hand on results, and tell how many of all videos are done."""
    report = count_progress(hook, len(videos))
    report(0, "")
    for done, (number, result) in enumerate(results, 1):
        report(done, videos[number])
        yield number, result


def in_input_order(results: Iterator[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
    """Hold back what is ready too early: yield by number, from 0, without a gap."""
    early: dict[int, Any] = {}
    awaited = 0
    for number, result in results:
        early[number] = result
        while awaited in early:
            yield awaited, early.pop(awaited)
            awaited += 1
