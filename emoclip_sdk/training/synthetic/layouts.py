"""Where the datasets keep their clips, and what stands in their lists."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import yaml

from ...video.pictures import CROP_SETTINGS
from ..data.datasets.classes import BASIC_CLASSES, MAFW_CLASSES, MAFW_COMPOUNDS
from .clips import FOLDS, PlannedClip, SyntheticOptions, plan_clips, plan_turns
from .wording import chinese

__all__ = ["LAYOUTS", "Layout", "split_of"]

# FERV39K's scenes and its words for the emotions; AFEW's are the classes with a capital.
_SCENES = ("Action", "Argue", "Business", "Crime", "DailyLife", "History", "School", "War")
_FERV39K_WORDS = {"happiness": "Happy", "sadness": "Sad", "anger": "Angry"}
# The circulating lists carry the folders of whoever wrote them.
_ELSEWHERE = "/data/datasets"
_TURN_PROMPTS = {
    "fading smile": "First a smile with raised lip corners, then it fades, the lip corners sink "
    "and the mouth is turned down at the end.",
    "growing smile": "First a mouth with lip corners turned down, then the lip corners rise, the "
    "mouth lifts and a smile is there at the end.",
}


@dataclass(frozen=True)
class Layout:
    """A dataset on disk.

    Attributes
    ----------
    clips : list of (str, PlannedClip)
        Path of each clip, relative to the root: a folder of frames, or a video with its suffix.
    files : dict of str to bytes
        Content of the text files by path.
    suffix : str
        Of the frames.
    first_frame : str
        Name of a clip's first frame without its suffix: number of digits and first number.
    """

    clips: list[tuple[str, PlannedClip]]
    files: dict[str, bytes] = field(default_factory=dict)
    suffix: str = ".png"
    first_frame: str = "00001"


def split_of(clip: PlannedClip, *, valid: bool = False) -> str:
    """Return the split of a clip where there is one fold only: the last is test."""
    return {FOLDS: "test", FOLDS - 1: "valid" if valid else "train"}.get(clip.fold, "train")


def _mafw(options: SyntheticOptions) -> Layout:
    planned = plan_clips(MAFW_CLASSES, options)
    if options.compounds:
        fewer = replace(options, clips_per_class=options.compounds, seed=options.seed + 1)
        planned += plan_clips(MAFW_COMPOUNDS, fewer)
    named = [(f"{i:05d}", clip) for i, clip in enumerate(planned, start=1)]
    files = {}
    lists, captions = "Train_Test_Set", ("with_caption_new", "no_caption_new")
    if options.as_released:
        lists, captions = "Train & Test Set", ("with_caption", "no_caption")
    for task in ("single", "compound"):
        rows = [row for row in named if task == "compound" or "_" not in row[1].label]
        for folder in captions:
            for fold in range(1, FOLDS + 1):
                for split in ("train", "test"):
                    members = [
                        row
                        for row in rows
                        if (_mafw_fold(row[1], task, options) == fold) == (split == "test")
                    ]
                    if folder == "with_caption":  # the release lists those that have one
                        members = [row for row in members if row[1].label != "neutral"]
                    text = "".join(
                        _mafw_line(name, clip, folder.startswith("with_caption"))
                        for name, clip in members
                    )
                    if folder == "no_caption":
                        text = text.replace("\t", " ")
                    path = f"{lists}/{task}/{folder}/set_{fold}/{split}.txt"
                    files[path] = text.encode("gbk")  # as the reference reads them
    if options.as_released:
        _spoil_columns(files)
    return Layout([(f"data/faces/{name}", clip) for name, clip in named], files)


def _mafw_fold(clip: PlannedClip, task: str, options: SyntheticOptions) -> int:
    """Return a clip's fold; the release cuts those of the compound task anew."""
    if task == "single" or not options.as_released:
        return clip.fold
    return clip.fold % FOLDS + 1


def _spoil_columns(files: dict[str, bytes]) -> None:
    """Take the Chinese caption out of one row, and put a tab into the English one of another."""
    for fold in range(1, FOLDS + 1):
        path = f"Train & Test Set/single/with_caption/set_{fold}/train.txt"
        first, second, *rest = files[path].decode("gbk").splitlines(keepends=True)
        name, label, _, english = first.split("\t")
        broken = second.replace(" ", "\t", 1)
        lines = [f"{name}\t{label}\t{english}", broken, *rest]
        files[path] = "".join(lines).encode("gbk")


def _mafw_line(name: str, clip: PlannedClip, caption: bool) -> str:
    columns = [f"{name}.mp4", clip.label]
    if caption and clip.label != "neutral":
        columns += [chinese(clip.actions), clip.caption]
    return "\t".join(columns) + "\n"


def _dfew(options: SyntheticOptions) -> Layout:
    planned = plan_clips(BASIC_CLASSES, options)
    named = [(f"{i:05d}", clip) for i, clip in enumerate(planned, start=1)]
    if options.as_released:
        return _dfew_as_released(named)
    files = {}
    for fold in range(1, FOLDS + 1):
        for split in ("train", "test"):
            lines = [
                f"{_ELSEWHERE}/DFEW/DFEW_Frame_Face/{name} {clip.n_frames} "
                f"{BASIC_CLASSES.index(clip.label) + options.label_base}\n"
                for name, clip in named
                if (clip.fold == fold) == (split == "test")
            ]
            files[f"DFEW_set_{fold}_{split}.txt"] = "".join(lines).encode()
    return Layout([(f"DFEW_Frame_Face/{name}", clip) for name, clip in named], files, ".jpg")


def _dfew_as_released(named: list[tuple[str, PlannedClip]]) -> Layout:
    files = {}
    for fold in range(1, FOLDS + 1):
        for split in ("train", "test"):
            lines = [
                f"{int(name)},{BASIC_CLASSES.index(clip.label) + 1}\n"
                for name, clip in named
                if (clip.fold == fold) == (split == "test")
            ]
            path = f"EmoLabel_DataSplit/{split}(single-labeled)/set_{fold}.csv"
            files[path] = ("video_name,label\n" + "".join(lines)).encode()
    return Layout([(f"Clip/clip_224x224/{name}", clip) for name, clip in named], files, ".jpg")


def _ferv39k(options: SyntheticOptions) -> Layout:
    clips, lines = [], {"train": "", "test": ""}
    for i, clip in enumerate(plan_clips(BASIC_CLASSES, options)):
        word = _FERV39K_WORDS.get(clip.label, clip.label.capitalize())
        path = f"2_ClipsforFaceCrop/{_SCENES[i % len(_SCENES)]}/{word}/{i:04d}"
        clips.append((path, clip))
        label = BASIC_CLASSES.index(clip.label)
        line = f"{_ELSEWHERE}/FERV39K/{path} {clip.n_frames} {label}\n"
        if options.as_released:
            line = f"{path.partition('/')[2]} {word}\n"
        lines[split_of(clip)] += line
    where = "4_setups/All_scenes/{}_All.csv" if options.as_released else "{}_image.txt"
    files = {where.format(split): text.encode() for split, text in lines.items()}
    return Layout(clips, files, ".jpg", "0")


def _afew(options: SyntheticOptions) -> Layout:
    folders = {"train": "train", "test": "validation"}
    clips = [
        (f"AFEW_Face/{folders[split_of(clip)]}/{clip.label.capitalize()}/{i:09d}", clip)
        for i, clip in enumerate(plan_clips(BASIC_CLASSES, options))
    ]
    return Layout(clips)


def _manifest(options: SyntheticOptions) -> Layout:
    return _with_manifest(plan_clips(MAFW_CLASSES, options), options.videos)


def _order(options: SyntheticOptions) -> Layout:
    layout = _with_manifest(plan_turns(options), options.videos)
    layout.files["prompts.yaml"] = yaml.safe_dump(_TURN_PROMPTS, width=1000).encode()
    return layout


def _with_manifest(planned: list[PlannedClip], videos: bool) -> Layout:
    suffix = ".mp4" if videos else ""
    clips = [(f"clips/{i:05d}{suffix}", clip) for i, clip in enumerate(planned, start=1)]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["path", "label", "caption", "subject", "split"])
    for path, clip in clips:
        subject = f"s{clip.subject:03d}"
        writer.writerow([path, clip.label, clip.caption, subject, split_of(clip, valid=True)])
    # The mark that the pictures are face crops already: no detector is run on them.
    crop = json.dumps({"made_by": "emoclip-train make-fixture"}) + "\n"
    return Layout(clips, {CROP_SETTINGS: crop.encode(), "manifest.csv": text.getvalue().encode()})


LAYOUTS: dict[str, Callable[[SyntheticOptions], Layout]] = {
    "mafw": _mafw,
    "dfew": _dfew,
    "ferv39k": _ferv39k,
    "afew": _afew,
    "manifest": _manifest,
    "order": _order,
}
