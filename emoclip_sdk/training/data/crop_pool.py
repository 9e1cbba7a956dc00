"""Cropping in parallel processes, of which none can take the others down."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence

from ...faces import FaceDetector, MTCNNDetector
from ...runtime.worker_pool import WorkerPool
from .crop import CropJob, CropResult, CropSettings, crop_video, finished, partial_folder

__all__ = ["crop_videos"]


def crop_videos(
    jobs: Sequence[CropJob],
    settings: CropSettings,
    *,
    workers: int,
    done: Callable[[CropResult], None],
) -> None:
    """Crop videos in `workers` processes of one thread each.

    A video on which a process dies (a decoder that crashes, memory that runs out) is tried once
    more, and then counts as failed. Nothing of a clip is left that is not complete: neither after
    such a death nor after Ctrl-C.

    Parameters
    ----------
    jobs : sequence of CropJob
    settings : CropSettings
    workers : int
    done : callable
        Called here with each result, in the order in which they are ready.

    Raises
    ------
    MissingDependencyError
        The face detector is not installed.
    """
    unfinished = dict(enumerate(jobs))
    try:
        with WorkerPool(workers, _open_cropper, (settings,)) as pool:
            for event in pool.run(jobs):
                if event is None or event.kind == "again":
                    continue
                job = jobs[event.job]
                if event.kind == "lost":
                    done(CropResult(job.video, job.out, "failed", why=event.value))
                else:
                    del unfinished[event.job]
                    done(event.value)
    finally:
        for job in unfinished.values():
            shutil.rmtree(partial_folder(job), ignore_errors=True)


def _open_cropper(
    send: Callable[[object], None], settings: CropSettings
) -> Callable[[CropJob], CropResult]:
    """Return the function that crops a video in a worker process."""
    detector: FaceDetector | None = None
    if settings.faces.detector != "none":
        detector = MTCNNDetector(settings.faces)
        import torch

        torch.set_num_threads(1)

    def crop(job: CropJob) -> CropResult:
        try:
            # It may have been ready, and its result lost with the process that died.
            return finished(job) or crop_video(job, settings, detector)
        except Exception as error:  # one video must not stop the rest
            why = f"unexpected {type(error).__name__}: {error}"
            return CropResult(job.video, job.out, "failed", why=why)

    return crop
