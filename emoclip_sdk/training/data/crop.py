"""A folder of videos to folders of face crops: the layout that the dataset readers want.

A clip is written to a folder beside its own and renamed when it is complete, so that a folder of a
clip is a finished clip, whatever interrupts the run.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...config import FaceConfig
from ...errors import DatasetError, VideoError
from ...faces import FaceDetector, TrackTable, face_frames, most_prominent
from ...video import open_video
from ...video.opening import VIDEO_SUFFIXES
from ...video.pictures import CROP_SETTINGS
from .datasets.locate import has_pictures, is_visible

__all__ = [
    "CROP_REPORT",
    "CropJob",
    "CropResult",
    "CropSettings",
    "crop_video",
    "find_videos",
    "finished",
    "partial_folder",
    "prepare_folder",
    "write_crop_report",
]

CROP_REPORT = "crop-report.csv"


@dataclass(frozen=True)
class CropSettings:
    """What the crops of a folder have in common.

    Parameters
    ----------
    size : int
        Side of a crop in pixels.
    rate : float, optional
        Frames per second; None keeps every frame of the video.
    faces : FaceConfig
        Detection and margin.
    """

    size: int = 224
    rate: float | None = None
    faces: FaceConfig = field(default_factory=FaceConfig)


@dataclass(frozen=True)
class CropJob:
    """A video and the folder that its crops go to."""

    video: Path
    out: Path


@dataclass(frozen=True)
class CropResult:
    """What became of a video.

    Attributes
    ----------
    video, out : Path
    status : {"done", "no face", "failed"}
    frames : int
        Crops written; frames without the face are not among them.
    why : str
        The reason of a failure.
    """

    video: Path
    out: Path
    status: Literal["done", "no face", "failed"]
    frames: int = 0
    why: str = ""


def find_videos(videos: Path, out: Path) -> tuple[list[CropJob], list[CropResult]]:
    """Return a job for every video below a folder, and what can't be one.

    Of two videos whose names differ in the suffix only, the second one would overwrite the first.

    Raises
    ------
    DatasetError
        There is no such folder, or no video in it.
    """
    if not videos.is_dir():
        raise DatasetError(f"{videos}: no such folder. Give a folder that holds videos")
    jobs: dict[Path, CropJob] = {}
    refused = []
    for path in _walk(videos, out):
        target = out / path.relative_to(videos).with_suffix("")
        if target in jobs:
            why = f"{jobs[target].video.name} has the same name and would share its folder"
            refused.append(CropResult(path, target, "failed", why=why))
        else:
            jobs[target] = CropJob(path, target)
    if not jobs:
        raise DatasetError(f"{videos}: holds no video ({', '.join(sorted(VIDEO_SUFFIXES))})")
    return list(jobs.values()), refused


def _walk(videos: Path, out: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(videos):
        here = Path(folder)
        # Not into the crops, if they are put below the videos.
        folders[:] = sorted(
            name
            for name in folders
            if is_visible(name) and (here / name).resolve() != out.resolve()
        )
        for name in sorted(files):
            if is_visible(name) and os.path.splitext(name)[1].lower() in VIDEO_SUFFIXES:
                yield here / name


def prepare_folder(out: Path, settings: CropSettings) -> None:
    """Make the folder of the crops, or make sure that it was begun with the same settings.

    Raises
    ------
    DatasetError
        It holds crops of other settings, or can't be written.
    """
    path = out / CROP_SETTINGS
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(json.dumps(asdict(settings), indent=2) + "\n", encoding="utf-8")
        earlier = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DatasetError(f"{out}: can't be written ({error.strerror or error})") from error
    except ValueError as error:
        raise DatasetError(f"{path}: is no JSON ({error}). Delete it to go on") from error
    if earlier != asdict(settings):
        raise DatasetError(
            f"{path}: the crops in this folder were made with other settings. "
            "Use the same ones to go on, or another folder"
        )


def finished(job: CropJob) -> CropResult | None:
    """Return the result of a clip that an earlier run has finished, or None."""
    if not job.out.is_dir() or not has_pictures(job.out):
        return None
    return CropResult(
        job.video, job.out, "done", sum(p.suffix == ".png" for p in job.out.iterdir())
    )


def partial_folder(job: CropJob) -> Path:
    """Return the folder that a clip is in until it is complete."""
    return job.out.with_name(f".{job.out.name}.partial")


def crop_video(
    job: CropJob,
    settings: CropSettings,
    detector: FaceDetector | None = None,
) -> CropResult:
    """Write the crops of the most prominent face of a video as ``00000.png``, ``00001.png`` ...

    ``crop.json`` beside them has the rate of the frames: a folder has no other clock. Frames in
    which that face is not there are left out. A result says what went wrong with the video.
    """
    # Who matters most is known at the end. Until then everybody's crops are on disk and not in
    # memory: an interview has a hundred thousand frames.
    partial = partial_folder(job)
    table = TrackTable()
    written: dict[int, int] = {}
    times: list[float] = []
    try:
        shutil.rmtree(partial, ignore_errors=True)
        source = open_video(job.video)
        frames = source.frames() if settings.rate is None else source.sample(settings.rate)
        for frame in face_frames(frames, settings.faces, size=settings.size, detector=detector):
            table.add(frame)
            times.append(frame.time)
            for face in frame.faces:
                number = written.get(face.track, 0)
                _save(face.crop, partial / str(face.track) / f"{number:05d}.png")
                written[face.track] = number + 1
        best = most_prominent(table.stats())
        if best is None:
            return CropResult(job.video, job.out, "no face")
        if job.out.is_dir():
            if any(job.out.iterdir()):
                why = "its folder is taken by the clips of a folder of the same name"
                return CropResult(job.video, job.out, "failed", why=why)
            job.out.rmdir()
        crops = partial / str(best.track)
        if len(times) > 1:
            rate = round((len(times) - 1) / (times[-1] - times[0]), 4)
            (crops / CROP_SETTINGS).write_text(json.dumps({"rate": rate}) + "\n", encoding="utf-8")
        crops.rename(job.out)
        return CropResult(job.video, job.out, "done", written[best.track])
    except VideoError as error:
        return CropResult(job.video, job.out, "failed", why=error.reason)
    except OSError as error:
        return CropResult(job.video, job.out, "failed", why=error.strerror or str(error))
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _save(crop: NDArray[np.uint8], path: Path) -> None:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(crop).save(path, compress_level=3)


def write_crop_report(results: Iterable[CropResult], out: Path) -> None:
    """Write ``crop-report.csv``: video, clip (relative to the folder), status, frames, why."""
    path = out / CROP_REPORT
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["video", "clip", "status", "frames", "why"])
        for r in sorted(results, key=lambda r: (r.out, r.video)):
            clip = r.out.relative_to(out).as_posix()
            writer.writerow([r.video, clip, r.status, r.frames, r.why])
    partial.replace(path)
