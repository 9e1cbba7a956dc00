"""``emoclip timeline``."""

from __future__ import annotations

import dataclasses
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import EmoCLIPError
from ..inference.options import STEP, WINDOW
from ..results.records import ModelInfo
from ..runtime.packages import require_package
from . import options as o
from .dynamics import Dynamics, Events, Features, Synchrony, Threshold, Tier
from .loading import load_model, requested_labels
from .output import (
    NO_FACE,
    complain,
    in_number,
    label_text,
    new_table,
    person_text,
    print_json,
    print_reliability,
    results_console,
    score_list,
    working,
)
from .outputs import check_outputs
from .speaking import Silent, Speakers, SpeechFile, Spoken
from .videos import STDIN, attempt, one_video

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from ..export.unfinished import UnfinishedTable
    from ..model import EmoCLIP
    from ..results.timeline import Timeline
    from ..runtime.progress import ProgressHook
    from ..video import VideoInput

__all__ = ["timeline"]


def timeline(
    video: o.Video,
    window: o.Window = WINDOW,
    step: o.Step = STEP,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write a file; the ending says which kind: .csv, .xlsx, .jsonl, .parquet, .json, "
            ".vtt, .srt, .eaf (ELAN), .TextGrid (Praat), .rttm. May be repeated.",
        ),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the scores: .png, .pdf, .svg.")
    ] = None,
    heatmap: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw every label's scores as colors over time."),
    ] = None,
    features: Features = None,
    synchrony: Synchrony = None,
    events: Events = None,
    tier: Tier = None,
    threshold: Threshold = None,
    speech: SpeechFile = None,
    speaker: Speakers = None,
    silent: Silent = False,
    labels: o.Labels = None,
    label: o.Label = None,
    labels_file: o.LabelsFile = None,
    compound: o.Compounds = None,
    model: o.Model = None,
    faces: o.Faces = None,
    min_face: o.MinFace = None,
    prompts: o.Prompts = None,
    top: o.Top = 3,
    min_score: o.MinScore = None,
    min_quality: o.MinQuality = 0.0,
    multi_label: o.MultiLabel = False,
    resume: o.Resume = False,
    actions: o.Actions = False,
    baseline: o.Baseline = None,
    people: o.People = False,
    person: o.Persons = None,
    as_json: o.AsJSON = False,
    as_csv: o.AsCSV = False,
    fps: o.Fps = None,
    allow_network: o.AllowNetwork = False,
    timeout: o.Timeout = None,
    start: o.Start = None,
    end: o.End = None,
    device: o.Device = "auto",
    dtype: o.Dtype = "auto",
) -> None:
    """Score emotion labels over time: one row per face and window.

    A window in which a face is not seen is a row without scores. Without an option that writes
    something else, a table is printed. One .csv, .xlsx, .jsonl or .parquet file alone is written
    while the video is read, in order of time, and keeps its rows at Ctrl-C; everything else is in
    order of faces, then of time.
    """
    from ..export.save import check_ending
    from ..export.tables import TABLES, require_writer, write_csv

    o.one_format(as_json, as_csv)
    video = one_video(video)
    o.check_windows(window, step)
    files = output or []
    for file in files:
        try:
            check_ending(file)
        except EmoCLIPError as error:
            raise typer.BadParameter(str(error), param_hint="-o") from None
    pictures = [plot, heatmap]
    if any(pictures):  # now, not after the work
        require_package("matplotlib", "plot", "Plotting")
    for file in filter(None, (*files, features, synchrony)):
        require_writer(file)
    reading = o.parse_reading(
        faces, fps, allow_network, timeout, start=start, end=end, min_face=min_face
    )
    against = o.parse_baseline(baseline)
    who = o.parse_people(people, person)
    dynamics = Dynamics(features, synchrony, events, tier, threshold)
    dynamics.check()
    spoken = Spoken.parse(speech, speaker, silent, video)
    outputs = {"-o": files, "--plot": plot, "--heatmap": heatmap, **dynamics.outputs}
    photos = o.photos_of(who)
    check_outputs(outputs, video, against, labels_file, prompts, events, speech, photos)
    table = files[0] if len(files) == 1 and files[0].suffix.lower() in TABLES else None
    if against is not None or who or any(pictures) or dynamics or as_json or as_csv:
        table = None
    unfinished = _unfinished(table, video) if resume else None
    loaded = load_model(model, device, dtype, prompts)
    requested = requested_labels(loaded, labels, label, labels_file, compound)
    options: dict[str, Any] = dict(
        window=window,
        step=step,
        min_score=min_score,
        min_quality=min_quality,
        multi_label=multi_label,
        actions=actions,
        **reading,
    )
    if table is not None:
        # A table alone is written while the video is read, however long that is.
        _write_table(loaded, video, table, requested, options, unfinished, spoken)
        return
    with working(video) as hook:
        scored, reason = attempt(
            loaded.timeline,
            video,
            requested,
            baseline=against,
            people=who,
            progress=hook,
            **options,
        )
    _stop_if(video, reason)
    scored = spoken.timeline(dataclasses.replace(scored, source=video))
    for line in scored.baselines:
        complain(line.sentence())
    if as_json:
        print_json(scored.to_dict())
    elif as_csv:
        write_csv(scored.to_records(), sys.stdout)
    elif not files and not any(pictures) and not dynamics:
        _print_table(scored, top)
    for file in files:
        scored.save(file)
        complain(f"wrote {file}")
    for picture, draw in zip(pictures, (scored.plot, scored.heatmap), strict=True):
        if picture is not None:
            draw(picture)
            complain(f"wrote {picture}")
    dynamics.write(scored)


def _unfinished(table: Path | None, video: str) -> UnfinishedTable | None:
    """Return what --resume goes on with; None where there is nothing yet."""
    from ..export.unfinished import read_unfinished

    if table is None or video == STDIN:
        raise typer.BadParameter(
            "goes on with one .csv, .xlsx, .jsonl or .parquet file alone, of a file, and without a "
            "baseline and --people.",
            param_hint="--resume",
        )
    unfinished = read_unfinished(table, "start", "start")
    if unfinished is not None and unfinished.sources != [video]:
        raise typer.BadParameter(
            f"{table} is about {', '.join(unfinished.sources)}, not about {video}.",
            param_hint="--resume",
        )
    return unfinished


def _write_table(
    model: EmoCLIP,
    video: str,
    table: Path,
    labels: Sequence[str],
    options: dict[str, Any],
    unfinished: UnfinishedTable | None,
    spoken: Spoken,
) -> None:
    """Write rows while the video is read; Ctrl-C keeps those that are written."""
    from ..export.tables import save_records, save_rows
    from ..runtime.interrupts import UntilInterrupted

    about = ModelInfo(model.name, model.revision, model.prompts.hash)
    if unfinished is not None:
        config = model.config
        begin = unfinished.begin(config.sampling.rate, config.faces.detect_every)
        options = options if begin is None else {**options, "start": begin}

    def write(given: VideoInput, hook: ProgressHook) -> tuple[int, bool]:
        rows = spoken.rows(model.timeline_rows(given, labels, progress=hook, **options))
        if unfinished is None:
            with UntilInterrupted(rows) as made:
                n = save_rows(made, table, source=video, labels=labels, model=about, origin=video)
            return n, made.stopped
        records = (row.to_record(video, about) for row in rows)
        with UntilInterrupted(unfinished.continued(records)) as more:
            every = itertools.chain(unfinished.kept(), more)
            n = save_records(every, table, unfinished.columns, origin=video)
        return n, more.stopped

    with working(video) as hook:
        written, reason = attempt(write, video, hook)
    _stop_if(video, reason)
    n, stopped = written
    if stopped:
        complain(f"stopped: {table} has {n} rows; the same command with --resume goes on")
        raise typer.Exit(130)
    complain(f"wrote {table}: {n} rows")


def _stop_if(video: str, reason: str | None) -> None:
    if reason is not None:
        complain(f"Error: {video}: {reason}")
        raise typer.Exit(1)


def _print_table(scored: Timeline, top: int) -> None:
    from rich.text import Text

    with_actions = any(row.actions is not None for row in scored)
    people = scored.people
    columns = ["face>", *(["person"] if people else []), "start>", "end>", "label", "scores"]
    columns += ["actions"] if with_actions else []
    if scored.speech is not None:
        columns.append("speaks")
    table = new_table(*columns)
    for row in scored:
        label = Text(row.reason or NO_FACE, "yellow")
        scores: RenderableType = ""
        if row.face_found:
            ranked = sorted(row.scores.items(), key=lambda item: -item[1])[:top]
            label, scores = label_text(row), score_list(ranked)
        face: list[str | Text] = ["" if row.track is None else str(row.track)]
        face += [person_text(row.person)] if people else []
        words = [row.action_text or ""] if with_actions else []
        if scored.speech is not None:
            words.append(f"{row.speaking:.0%} {row.speaker or ''}" if row.speaking else "")
        table.add_row(*face, f"{row.start:.2f}", f"{row.end:.2f}", label, scores, *words)
    faces = in_number(len(scored.tracks), "face")
    table.caption = f"{Path(scored.source).name or scored.source}: {faces}"
    if scored.model is not None:
        table.caption += f"; {scored.model.name}, prompt bank {scored.model.prompt_bank}"
    console = results_console()
    console.print(table)
    print_reliability(console, scored.reliability)
