"""Options that several commands share."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from ..errors import EmoCLIPError, MissingDependencyError
from ..inference.options import MIN_FACE, FaceMode, ReadKeywords, ReadOptions
from ..inference.people import PeopleChoice, check_people
from ..inference.stream import TrackChoice
from ..video import SamplingMode

__all__ = [
    "Actions",
    "Address",
    "AllowNetwork",
    "AsCSV",
    "AsJSON",
    "Baseline",
    "Compounds",
    "Device",
    "Dtype",
    "End",
    "Engine",
    "Faces",
    "FolderAs",
    "Fps",
    "KeepIdentities",
    "Label",
    "Labels",
    "LabelsFile",
    "MinFace",
    "MinQuality",
    "MinScore",
    "Model",
    "MultiLabel",
    "OneTrack",
    "Order",
    "Overwrite",
    "People",
    "Persons",
    "Prompts",
    "RetryFailed",
    "Sampling",
    "Seed",
    "Start",
    "Step",
    "Timeout",
    "Top",
    "Track",
    "Video",
    "Videos",
    "Window",
    "Workers",
    "check_windows",
    "one_format",
    "parse_baseline",
    "parse_one_track",
    "parse_people",
    "parse_reading",
    "parse_track",
    "photos_of",
]


def _named(videos: str | list[str]) -> str | list[str]:
    if "" in ([videos] if isinstance(videos, str) else videos):
        raise typer.BadParameter("'' is the name of no file: it is empty.")
    return videos


Video = Annotated[
    str,
    typer.Argument(
        metavar="VIDEO",
        help="A video, a picture, a folder of one video or of its frames, or - for a pipe.",
        callback=_named,
    ),
]
Videos = Annotated[
    list[str],
    typer.Argument(
        metavar="VIDEO",
        help="Videos, pictures, folders of them (of pictures, see --as), or - for a pipe.",
        callback=_named,
    ),
]
Faces = Annotated[
    FaceMode | None,
    typer.Option(
        help="detect: look for faces; none: the frames are face crops already. "
        "[default: as the model says]"
    ),
]
MinFace = Annotated[
    float | None,
    typer.Option(
        metavar="PX",
        min=MIN_FACE,
        help="Side of the smallest face that is looked for, in pixels of the original frame; the "
        "smaller, the slower. [default: a 16th of the frame's long side, a 40th where faces are "
        "small]",
    ),
]
Sampling = Annotated[
    SamplingMode,
    typer.Option(help="By time; spread over the clip; or the paper's random window."),
]
Seed = Annotated[int, typer.Option(metavar="N", help="Of the random window of --sampling paper.")]
Timeout = Annotated[
    float | None,
    typer.Option(
        metavar="S",
        min=0.1,
        help="Seconds that reading one video may take. [default: no limit; in processes, 1800]",
    ),
]
Start = Annotated[
    float | None,
    typer.Option(
        metavar="S",
        min=0,
        help="Read from second S of the file's clock on; times in results stay those of the file.",
    ),
]
End = Annotated[
    float | None,
    typer.Option(metavar="S", min=0, help="Read up to second S of the file's clock."),
]
Track = Annotated[str, typer.Option(metavar="prominent|all|ID", help="Which face of several.")]
OneTrack = Annotated[str, typer.Option(metavar="prominent|ID", help="Which face of several.")]
Fps = Annotated[
    float | None,
    typer.Option(
        help="Frame rate of a folder of frames or a bare stream (.h264); other files have their "
        "own. [default: 25, or what the stream says]",
        min=1e-3,
    ),
]
AllowNetwork = Annotated[
    bool, typer.Option("--allow-network", help="Open addresses such as https:// and rtsp://.")
]
Labels = Annotated[
    str | None,
    typer.Option(
        metavar="A,B,...",
        help="Comma-separated: names, any other words, or sentences. "
        "[default: the model's label set]",
    ),
]
Label = Annotated[
    list[str] | None,
    typer.Option(
        metavar="LABEL",
        help="One label, commas and all, such as a sentence. May be repeated.",
    ),
]
LabelsFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="One label per line; a .csv file with the columns label and, if you like, "
        "description; or a .yaml file of 'name: description'.",
        exists=True,
        dir_okay=False,
    ),
]
Compounds = Annotated[
    list[str] | None,
    typer.Option(
        "--compound",
        metavar="NAME=A+B",
        help="Also score a compound, e.g. 'happily surprised=happiness+surprise' or, "
        "weighted, 'wry=2*amusement+contempt'. May be repeated.",
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="MODEL",
        help="A checkpoint folder, org/name on the Hub, or a named baseline (clip-vit-b-32, "
        "clip-vit-b-32-openai, clip-vit-b-16-openai, clip-vit-l-14-openai, farl-vit-b-16). "
        "[default: the embedded model]",
    ),
]
Device = Annotated[str, typer.Option(metavar="DEVICE", help="cpu, cuda, cuda:1, mps.")]
Dtype = Annotated[
    Literal["auto", "float32", "bfloat16", "float16"],
    typer.Option(help="Precision of the image tower."),
]
Prompts = Annotated[
    list[Path] | None,
    typer.Option(
        "--prompts",
        metavar="FILE",
        help="A prompt file (.yaml) whose descriptions go before those of the prompt bank. "
        "May be repeated.",
        exists=True,
        dir_okay=False,
    ),
]
MultiLabel = Annotated[
    bool,
    typer.Option(
        "--multi-label",
        help="Score each label against its absence: a calibrated probability of each, whatever the "
        "other labels are. --min-score: from where on a label is present; 0.5 if not given.",
    ),
]
MinScore = Annotated[
    float | None,
    typer.Option(
        metavar="P",
        min=0,
        max=1,
        help="Say 'none of these' where the confidence is below; 0: never. [default: as the "
        "model was calibrated]",
    ),
]
Window = Annotated[float, typer.Option(metavar="S", help="Length of a window in seconds.")]
Step = Annotated[float, typer.Option(metavar="S", help="From one window to the next, in seconds.")]
Actions = Annotated[
    bool,
    typer.Option("--actions", help="Also facial actions, head pose and gaze, averaged."),
]
Baseline = Annotated[
    str | None,
    typer.Option(
        metavar="auto|A-B|VIDEO",
        help="Say what differs from the person's own neutral face: the most neutral moment of each "
        "face, where there is one; seconds A to B; or another video of the person.",
    ),
]
People = Annotated[
    bool,
    typer.Option(
        "--people",
        help="Say which faces are the same person again: person 1, person 2 ... Needs the extra "
        "'people'.",
    ),
]
Persons = Annotated[
    list[str] | None,
    typer.Option(
        "--person",
        metavar="NAME=PHOTO",
        help="With --people, call a person so, by a photo. May be repeated, also with further "
        "photos of one person.",
    ),
]
KeepIdentities = Annotated[
    bool,
    typer.Option(
        "--keep-identities",
        help="With --people, leave what faces look like in the Parquet file, so that it takes "
        "further videos later: biometric data.",
    ),
]
MinQuality = Annotated[
    float,
    typer.Option(
        metavar="Q",
        min=0,
        max=1,
        help="Leave out what shows the face too small, blurred, dark or cut off; 0.3 is strict "
        "about little, 0.7 about much.",
    ),
]
FolderAs = Annotated[
    Literal["pictures", "video"] | None,
    typer.Option(
        "--as",
        help="What the pictures in folders are: each for itself, or in each folder the frames of "
        "one video.",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Processes that decode; with Ray, actors. [default: one for each processor]",
    ),
]
Order = Annotated[Literal["input", "completed"], typer.Option(help="Order of the rows.")]
Engine = Annotated[Literal["local", "ray"], typer.Option(help="This machine, or a Ray cluster.")]
Address = Annotated[
    str | None,
    typer.Option(metavar="A", help="Of the cluster, e.g. auto. [default: a new one, here]"),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Begin anew where the output exists.")]
RetryFailed = Annotated[
    bool, typer.Option("--retry-failed", help="Read those again that failed before.")
]
Top = Annotated[int, typer.Option(metavar="K", help="Scores to show in the table.", min=1)]
AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
AsCSV = Annotated[bool, typer.Option("--csv", help="Print CSV on standard output.")]


def parse_reading(
    faces: FaceMode | None,
    fps: float | None,
    allow_network: bool,
    timeout: float | None = None,
    sampling: SamplingMode = "deterministic",
    seed: int = 0,
    *,
    start: float | None = None,
    end: float | None = None,
    min_face: float | None = None,
) -> ReadKeywords:
    """Check what the options say of reading videos; return it as keyword arguments.

    Raises
    ------
    typer.BadParameter
        An option that can't count.
    """
    reading = ReadKeywords(
        faces=faces,
        sampling=sampling,
        seed=seed,
        fps=fps,
        allow_network=allow_network,
        timeout=timeout,
        start=start,
        end=end,
        min_face=min_face,
    )
    try:
        ReadOptions(**reading)
    except EmoCLIPError as error:
        raise typer.BadParameter(str(error)) from None
    return reading


Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Go on with a table that Ctrl-C ended, with the same options as before.",
    ),
]


def parse_baseline(text: str | None) -> str | tuple[float, float] | None:
    """Read ``--baseline``."""
    if text is None or text == "auto":
        return text
    span = re.fullmatch(r"(\d+(?:\.\d*)?)-(\d+(?:\.\d*)?)", text)
    if span is None:
        if not text or ("://" not in text and not Path(text).exists()):
            raise typer.BadParameter(
                f"'{text}' is not auto, a span such as 0-10, or a video.", param_hint="--baseline"
            )
        return text
    start, end = float(span[1]), float(span[2])
    if start >= end:
        raise typer.BadParameter(f"'{text}' ends before it starts.", param_hint="--baseline")
    return start, end


def parse_people(people: bool, persons: list[str] | None) -> PeopleChoice:
    """Read ``--people`` and ``--person``, of which the latter asks for the former.

    Raises
    ------
    typer.BadParameter
        A value that is not NAME=PHOTO, or not a photo's.
    MissingDependencyError
        What tells persons apart is not installed.
    """
    photos: dict[str, list[str]] = {}
    for text in persons or ():
        name, equals, photo = (part.strip() for part in text.partition("="))
        if not (name and equals and photo):
            raise typer.BadParameter(f"'{text}' does not read NAME=PHOTO.", param_hint="--person")
        if not Path(photo).is_file():
            raise typer.BadParameter(f"there is no file '{photo}'.", param_hint="--person")
        photos.setdefault(name, []).append(photo)
    choice: PeopleChoice = {**photos} or people
    try:
        check_people(choice)
    except MissingDependencyError:
        raise
    except EmoCLIPError as error:
        raise typer.BadParameter(str(error), param_hint="--person") from None
    return choice


def photos_of(choice: PeopleChoice) -> list[str]:
    """Return the reference photos, which are read."""
    return [photo for photos in (check_people(choice) or {}).values() for photo in photos]


def parse_one_track(text: str) -> int | Literal["prominent"]:
    """Read ``--track`` of a command that takes one face."""
    track = parse_track(text)
    if track == "all":
        raise typer.BadParameter("one face: prominent or a number.", param_hint="--track")
    return track


def parse_track(text: str) -> TrackChoice:
    """Read ``--track``."""
    if text == "prominent":
        return "prominent"
    if text == "all":
        return "all"
    if text.isascii() and text.isdigit():
        return int(text)
    raise typer.BadParameter(f"'{text}' is not prominent, all or a number.", param_hint="--track")


def check_windows(window: float | None, step: float | None) -> None:
    """Refuse windows that are none."""
    for name, seconds in (("--window", window), ("--step", step)):
        if seconds is not None and not (seconds > 0 and math.isfinite(seconds)):
            raise typer.BadParameter(f"{seconds} is not a positive number.", param_hint=name)


def one_format(as_json: bool, as_csv: bool) -> None:
    """Refuse ``--json`` together with ``--csv``."""
    if as_json and as_csv:
        raise typer.BadParameter("choose one of the two.", param_hint="--json / --csv")
