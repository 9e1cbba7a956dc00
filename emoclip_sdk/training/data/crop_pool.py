"""Cropping in parallel processes, of which none can take the others down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.synchronize import Event

from ...errors import EmoCLIPError
from ...faces import FaceDetector, MTCNNDetector
from ...runtime.processes import SPAWN, end_with_parent, unheard
from .crop import CropJob, CropResult, CropSettings, crop_video, finished

__all__ = ["crop_videos"]

# Set by _start in each worker.
_settings: CropSettings
_detector: FaceDetector | None = None
_unusable: EmoCLIPError | None = None
_stop: Event


def crop_videos(
    jobs: Sequence[CropJob],
    settings: CropSettings,
    *,
    workers: int,
    done: Callable[[CropResult], None],
) -> None:
    """Crop videos in `workers` processes of one thread each.

    A video on which a process dies (a decoder that crashes, memory that runs out) is tried once
    more, alone, and then counts as failed. After Ctrl-C the processes stop at their next frame,
    leave no half clip, and KeyboardInterrupt is raised.

    Parameters
    ----------
    jobs : sequence of CropJob
    settings : CropSettings
    workers : int
    done : callable
        Called here with each result, in the order in which they are ready.
    """
    waiting = list(jobs)
    suspects: list[CropJob] = []
    while waiting or suspects:
        if waiting:
            waiting, suspects = _run(waiting, settings, workers, done)
        for job in suspects:
            # It may have been ready, and its result lost with the process beside it that died.
            ready = finished(job)
            if ready is not None:
                done(ready)
                continue
            _, died = _run([job], settings, 1, done)
            for _ in died:
                why = "the process that read it died (a crash of the decoder, or out of memory)"
                done(CropResult(job.video, job.out, "failed", why=why))
        suspects = []


def _run(
    jobs: Sequence[CropJob],
    settings: CropSettings,
    workers: int,
    done: Callable[[CropResult], None],
) -> tuple[list[CropJob], list[CropJob]]:
    """Return the jobs not begun, and those under way, when a process died; else nothing."""
    stop = SPAWN.Event()
    pool = ProcessPoolExecutor(workers, SPAWN, _start, (settings, stop))
    waiting = list(reversed(jobs))
    running: dict[Future[CropResult | None], CropJob] = {}
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                job = waiting.pop()
                with unheard():
                    running[pool.submit(_crop, job)] = job
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                result = future.result()
                del running[future]
                if result is not None:
                    done(result)
    except BrokenProcessPool:
        return waiting[::-1], list(running.values())
    finally:
        # Set on every way out: after Ctrl-C the workers end at their next frame.
        stop.set()
        pool.shutdown(cancel_futures=True)
    return [], []


def _start(settings: CropSettings, stop: Event) -> None:
    global _settings, _detector, _stop, _unusable
    _settings, _stop = settings, stop
    end_with_parent()
    if settings.faces.detector == "none":
        return
    try:
        _detector = MTCNNDetector(settings.faces)
        import torch

        torch.set_num_threads(1)
    except EmoCLIPError as error:
        _unusable = error


def _crop(job: CropJob) -> CropResult | None:
    if _unusable is not None:
        raise _unusable
    try:
        return crop_video(job, _settings, _detector, _stop.is_set)
    except Exception as error:  # one video must not stop the rest
        why = f"unexpected {type(error).__name__}: {error}"
        return CropResult(job.video, job.out, "failed", why=why)
