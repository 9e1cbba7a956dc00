"""Make a small study whose results are known: python examples/study/make_study.py [FOLDER]

Three drawn participants watch plain and funny pictures, and smile at the funny ones. As in a real
study, not all is well: sound begins before the pictures (p02_task.mp4), a telephone filmed in HDR
(p02_rest.mp4), a participant leaves for three seconds and returns (p03_task.mp4), and a file was
cut off when it was copied (p03_pilot.mp4). The faces are drawn: nobody's picture is in here. It
takes half a minute.

In the folder: seven videos, study.csv (who is in which), trials.csv (what was shown when), and
truth.csv: for each frame whether the participant is there, and how much they smile.
"""

from __future__ import annotations

import csv
import dataclasses
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from emoclip_sdk.training.synthetic.actions import UNITS
from emoclip_sdk.training.synthetic.face import draw_faces
from emoclip_sdk.training.synthetic.subject import Scene, Subject

FPS = 25
SIDE = 256  # pixels
REST = 4.0  # seconds
TRIAL, PAUSE, LEAD = 2.0, 1.6, 1.0
RISE, DELAY = 0.4, 0.3  # a smile begins so many seconds after the picture, and takes so long
AWAY = 3.0
LATE = 1.6
CONDITIONS = ("plain", "funny", "plain", "funny")
SMILES = {"p01": 1.0, "p02": 0.7, "p03": 0.5}  # how much each of them smiles, at most
TO_BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])


@dataclass(frozen=True)
class Recording:
    """A video of the study and what it shows.

    Attributes
    ----------
    name, participant, session : str
    seconds : float
        Of pictures.
    trials : tuple of (float, str)
        Start on the file's clock, and condition.
    away : (float, float), optional
        When the participant is out of the picture.
    late : float
        Seconds of sound before the first picture.
    """

    name: str
    participant: str
    session: str
    seconds: float
    trials: tuple[tuple[float, str], ...] = ()
    away: tuple[float, float] | None = None
    late: float = 0.0

    @property
    def times(self) -> NDArray[np.float64]:
        """When each frame is shown, on the file's clock."""
        return np.arange(round(self.seconds * FPS)) / FPS + self.late

    @property
    def present(self) -> NDArray[np.bool_]:
        """In which frames the participant is there."""
        if self.away is None:
            return np.ones(len(self.times), bool)
        return (self.times < self.away[0] - 1e-6) | (self.times > self.away[1] - 1e-6)

    @property
    def smile(self) -> NDArray[np.float64]:
        """How much the participant smiles in each frame, in [0, 1]."""
        smile = np.zeros(len(self.times))
        for start, condition in self.trials:
            if condition == "funny":
                rises = _smooth((self.times - start - DELAY) / RISE)
                falls = _smooth((self.times - start - TRIAL) / RISE)
                smile += SMILES[self.participant] * (rises - falls)
        return smile * self.present


def _smooth(x: NDArray[np.float64]) -> NDArray[np.float64]:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def recordings() -> list[Recording]:
    """Return what the study consists of, but for the file that is broken."""
    plan = []
    for participant in SMILES:
        late = LATE if participant == "p02" else 0.0
        gap = AWAY if participant == "p03" else 0.0
        starts = [late + LEAD + i * (TRIAL + PAUSE) + (gap if i > 1 else 0) for i in range(4)]
        end = starts[-1] + TRIAL + 1.0
        left = starts[1] + TRIAL + PAUSE / 2
        away = (left, left + AWAY) if gap else None
        trials = tuple(zip(starts, CONDITIONS, strict=True))
        plan += [
            Recording(f"{participant}_rest.mp4", participant, "rest", REST),
            Recording(
                f"{participant}_task.mp4", participant, "task", end - late, trials, away, late
            ),
        ]
    return plan


def draw(recording: Recording) -> NDArray[np.uint8]:
    """Draw the frames of a recording, (T, SIDE, SIDE, 3)."""
    number = list(SMILES).index(recording.participant)
    subject = Subject.draw(np.random.default_rng([7, number]))
    scene = dataclasses.replace(Scene.draw(np.random.default_rng([8, number]), 0.3), noise=1.0)
    units = np.zeros((len(recording.times), len(UNITS)))
    units[:, UNITS.index("AU12")] = recording.smile
    units[:, UNITS.index("AU6")] = 0.7 * recording.smile
    blinks = (recording.times - recording.late) % 2.7
    units[:, UNITS.index("AU43")] = np.clip(1 - np.abs(blinks - 2.5) / 0.12, 0, 1)
    frames = draw_faces(units, subject, scene, SIDE)
    if recording.away is not None:
        empty = dataclasses.replace(scene, center=(9.0, 9.0))
        away = ~recording.present
        frames[away] = draw_faces(units[away], subject, empty, SIDE)
    return frames


def write(path: Path, frames: NDArray[np.uint8], late: float = 0.0) -> None:
    """Write frames as H.264; with silence from 0 on, if the pictures come late."""
    with av.open(str(path), "w") as out:
        video: Any = out.add_stream("libx264", rate=FPS)
        video.width = video.height = SIDE
        video.pix_fmt = "yuv420p"
        video.options = {"crf": "18", "preset": "veryfast", "threads": "1"}
        if late:
            sound: Any = out.add_stream("aac", rate=16000, layout="mono")
            silence = np.zeros((1, 1024), np.float32)
            for start in range(0, round((late + len(frames) / FPS) * 16000), 1024):
                samples = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
                samples.sample_rate, samples.pts = 16000, start
                out.mux(sound.encode(samples))
            out.mux(sound.encode())
        for i, rgb in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts, frame.time_base = round((late + i / FPS) * 1000), Fraction(1, 1000)
            out.mux(video.encode(frame))
        out.mux(video.encode())


def write_hdr(path: Path, frames: NDArray[np.uint8]) -> None:
    """Write frames as HEVC of ten bits in HLG and BT.2020, as telephones do (BT.2100, BT.2408)."""
    with av.open(str(path), "w") as out:
        video: Any = out.add_stream("libx265", rate=FPS)
        video.width = video.height = SIDE
        video.pix_fmt = "yuv420p10le"
        video.codec_context.color_primaries, video.codec_context.color_trc = 9, 18
        video.codec_context.colorspace, video.codec_context.color_range = 9, 1
        colors = "colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc:log-level=none"
        video.options = {"crf": "16", "preset": "ultrafast", "x265-params": f"{colors}:pools=1"}
        for rgb in frames:
            frame = av.VideoFrame(SIDE, SIDE, "yuv420p10le")
            for plane, values in zip(frame.planes, _hlg_planes(rgb / 255), strict=True):
                rows = np.zeros((plane.height, plane.line_size // 2), np.uint16)
                rows[:, : values.shape[1]] = values
                plane.update(rows.tobytes())
            frame.color_primaries, frame.color_trc = 9, 18
            frame.colorspace, frame.color_range = 9, 1
            out.mux(video.encode(frame))
        out.mux(video.encode())


def _hlg_planes(rgb: NDArray[np.float64]) -> list[NDArray[np.uint16]]:
    """Return Y, Cb and Cr of a picture in [0, 1], with white at 203 cd/m2 of 1000."""
    light = np.maximum(0.203 * rgb**2.4 @ TO_BT2020.T, 0)
    luminance = np.maximum(light @ [0.2627, 0.6780, 0.0593], 1e-9)[..., None]
    scene = light * luminance ** (1 / 1.2 - 1)
    high = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    r, g, b = np.moveaxis(np.where(scene <= 1 / 12, np.sqrt(3 * scene), high), -1, 0)
    y = 0.2627 * r + 0.6780 * g + 0.0593 * b
    chroma = [(b - y) / 1.8814, (r - y) / 1.4746]
    halved = [c.reshape(SIDE // 2, 2, SIDE // 2, 2).mean(axis=(1, 3)) for c in chroma]
    planes = [876 * y + 64, *(896 * c + 512 for c in halved)]
    return [np.rint(plane).astype(np.uint16) for plane in planes]


def make(folder: Path) -> None:
    """Write the study.

    Raises
    ------
    SystemExit
        The folder is not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise SystemExit(f"{folder}: is not empty. Name another folder, or delete it first")
    folder.mkdir(parents=True, exist_ok=True)
    plan = recordings()
    for recording in plan:
        frames = draw(recording)
        if recording.name == "p02_rest.mp4":
            write_hdr(folder / recording.name, frames)
        else:
            write(folder / recording.name, frames, recording.late)
        print(f"{recording.name}: {len(frames)} frames")
    whole = (folder / "p03_rest.mp4").read_bytes()
    (folder / "p03_pilot.mp4").write_bytes(whole[: len(whole) // 3])
    write_lists(folder, plan)


def write_lists(folder: Path, plan: Sequence[Recording]) -> None:
    """Write the manifest, the list of trials, and what is true of each frame."""
    files = [
        (r.name, r.participant, r.session, r.participant if r.session == "rest" else "")
        for r in plan
    ]
    files.append(("p03_pilot.mp4", "p03", "pilot", ""))
    trials = [
        (r.name, f"{start:g}", f"{start + TRIAL:g}", f"trial {i}", condition)
        for r in plan
        for i, (start, condition) in enumerate(r.trials, 1)
    ]
    truth = [
        (r.name, i, f"{time:g}", int(there), f"{smile:.4f}")
        for r in plan
        for i, (time, there, smile) in enumerate(zip(r.times, r.present, r.smile, strict=True))
    ]
    for name, columns, rows in (
        ("study.csv", ("path", "participant", "session", "baseline_for"), files),
        ("trials.csv", ("file", "start", "end", "name", "condition"), trials),
        ("truth.csv", ("file", "frame", "time", "present", "smile"), truth),
    ):
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(rows)


if __name__ == "__main__":
    make(Path(sys.argv[1] if len(sys.argv) > 1 else "study"))
