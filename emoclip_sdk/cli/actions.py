"""``emoclip actions``."""

from __future__ import annotations

import dataclasses
import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import BatchError, EmoCLIPError
from ..runtime.packages import require_package
from . import options as o
from .batches import carry_out
from .loading import load_model
from .output import (
    NO_FACE,
    complain,
    new_table,
    person_text,
    print_json,
    progress,
    results_console,
)
from .outputs import check_outputs
from .videos import STDIN, attempt, expand, standard_input

if TYPE_CHECKING:
    from ..export.unfinished import UnfinishedTable
    from ..inference.actions import FrameRate
    from ..inference.people import PeopleChoice
    from ..inference.stream import TrackChoice
    from ..model import EmoCLIP
    from ..results.actions import ActionRow, FaceActions
    from ..runtime.progress import ProgressHook
    from ..video import VideoInput

__all__ = ["actions"]


def actions(
    videos: Annotated[
        list[str],
        typer.Argument(
            metavar="VIDEO",
            help="Videos, pictures, folders of them (of pictures, see --as), or - for a pipe; or a "
            "manifest as of `emoclip batch` (.csv, .tsv, .xlsx).",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The table to write: .csv, .xlsx, .jsonl, .parquet; of one video also .json.",
        ),
    ] = None,
    rate: Annotated[
        str,
        typer.Option(
            metavar="sampled|all|FPS",
            help="Frames to read: about 7 a second, as the model samples; every one; or so many "
            "a second.",
        ),
    ] = "sampled",
    landmarks: Annotated[
        bool, typer.Option("--landmarks", help="Write the 478 landmarks of each face, too.")
    ] = False,
    baseline: o.Baseline = None,
    people: o.People = False,
    person: o.Persons = None,
    keep_identities: o.KeepIdentities = False,
    heatmap: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the actions of one video as colors over time."),
    ] = None,
    model: o.Model = None,
    track: o.Track = "all",
    faces: o.Faces = None,
    min_face: o.MinFace = None,
    top: Annotated[int, typer.Option(metavar="K", help="Actions to show in the table.", min=1)] = 3,
    resume: o.Resume = False,
    as_json: o.AsJSON = False,
    as_csv: o.AsCSV = False,
    fps: o.Fps = None,
    allow_network: o.AllowNetwork = False,
    timeout: o.Timeout = None,
    start: o.Start = None,
    end: o.End = None,
    device: o.Device = "auto",
    folder_as: o.FolderAs = None,
    workers: o.Workers = None,
    order: o.Order = "input",
    engine: o.Engine = "local",
    address: o.Address = None,
    overwrite: o.Overwrite = False,
    retry_failed: o.RetryFailed = False,
) -> None:
    """Read facial actions, head pose, gaze and quality: one row per face and frame.

    Actions are blendshapes, as a landmark network estimates them, by their ARKit names; they are no
    FACS coding. No label is needed, and no emotion is scored. Without -o, --json or --csv, the
    strongest actions of each face are printed. A table is written while the videos are read, and
    keeps its rows at Ctrl-C.

    With a manifest, several processes read its videos into one table with all of its columns, and
    the same command goes on where it stopped; --workers, --order, --engine, --address,
    --overwrite, --retry-failed and --keep-identities are for that.
    """
    from ..export.tables import TABLES, write_csv
    from ..results.sheets import SHEETS

    o.one_format(as_json, as_csv)
    if output is not None and (as_json or as_csv):
        raise typer.BadParameter("write a file or print: choose one.", param_hint="-o")
    chosen = o.parse_track(track)
    options: dict[str, Any]
    reading = o.parse_reading(
        faces, fps, allow_network, timeout, start=start, end=end, min_face=min_face
    )
    study: dict[str, Any] = dict(
        folder_as=folder_as,
        workers=workers,
        order=order,
        engine=engine,
        address=address,
        overwrite=overwrite,
        retry_failed=retry_failed,
        keep_identities=keep_identities,
    )
    who = o.parse_people(people, person)
    if any(video.lower().endswith(SHEETS) for video in videos):
        if output is None or baseline is not None or heatmap is not None:
            raise typer.BadParameter(
                "a manifest needs -o, and takes no --heatmap and no --baseline: it has a column "
                "'baseline_for'.",
                param_hint="VIDEO",
            )
        options = dict(
            rate=_parse_rate(rate), landmarks=landmarks, track=chosen, people=who, **reading
        )
        _read_study(videos, output, model, device, {**options, **study})
        return
    del study["folder_as"]
    if any(value not in (None, False, "input", "local") for value in study.values()):
        raise typer.BadParameter(
            "--workers, --order, --engine, --address, --overwrite, --retry-failed and "
            "--keep-identities are for a manifest (.csv, .tsv, .xlsx)."
        )
    paths = expand(videos, folder_as)
    ending = None if output is None else _check_file(output, len(paths))
    options = dict(rate=_parse_rate(rate), landmarks=landmarks, **reading)
    against = o.parse_baseline(baseline)
    photos = o.photos_of(who)
    check_outputs({"-o": output, "--heatmap": heatmap}, paths, videos, against, photos)
    if heatmap is not None:
        if len(paths) > 1:
            raise typer.BadParameter("draws one video.", param_hint="--heatmap")
        require_package("matplotlib", "plot", "Plotting")
    if against is not None and ending in TABLES and len(paths) > 1:
        raise typer.BadParameter("with a baseline, a table holds one video.", param_hint="-o")
    alone = output is not None and ending in TABLES and against is None and heatmap is None
    alone = alone and not who
    unfinished = None
    if resume:
        if output is None or not alone or chosen != "all" or STDIN in paths:
            raise typer.BadParameter(
                "goes on with a .csv, .xlsx, .jsonl or .parquet file of all faces of files, "
                "without --baseline, --people and --heatmap.",
                param_hint="--resume",
            )
        unfinished = _unfinished(output, paths)
    loaded = load_model(model, device, "auto")
    if output is not None and alone:
        _write_table(loaded, paths, output, chosen, options, unfinished)
        return
    options |= dict(track=chosen, baseline=against)
    results: list[FaceActions] = []
    for video, result, reason in _read_all(loaded, paths, who, options):
        if reason is not None:
            complain(f"Error: {video}: {reason}")
        else:
            results.append(dataclasses.replace(result, source=video))
            for line in result.baselines:
                complain(line.sentence())
    if as_json:
        print_json([result.to_dict() for result in results])
    elif as_csv:
        write_csv([record for result in results for record in result.to_records()], sys.stdout)
    elif output is None:
        _print_table(results, top)
    elif results and output is not None:
        if len(results) == 1:
            results[0].save(output)
        else:
            _save_all(results, output)
        complain(f"wrote {output}: {sum(map(len, results))} rows")
    if heatmap is not None and results:
        results[0].heatmap(heatmap)
        complain(f"wrote {heatmap}")
    if len(results) < len(paths):
        raise typer.Exit(1)


def _read_all(
    model: EmoCLIP, videos: Sequence[str], people: PeopleChoice, options: dict[str, Any]
) -> Iterator[tuple[str, FaceActions, str | None]]:
    """Read videos; yield what was found in each, or what is wrong with it."""
    with progress(len(videos)) as begin:
        if people:  # who is who, the last video tells
            given = [standard_input() if video == STDIN else video for video in videos]
            hook = begin(videos[0])
            results = model.actions(given, people=people, progress=hook, **options)
            for video, result in zip(videos, results, strict=True):
                yield video, result, result.error
            return
        for video in videos:
            yield video, *attempt(model.actions, video, progress=begin(video), **options)


def _save_all(results: Sequence[FaceActions], file: Path) -> None:
    from ..export.tables import save_records

    records = [record for result in results for record in result.to_records()]
    save_records(records, file, list(dict.fromkeys(key for row in records for key in row)))


def _read_study(
    inputs: Sequence[str],
    output: Path,
    model: str | None,
    device: str,
    options: dict[str, Any],
) -> None:
    """Read the videos of a manifest into one table."""
    from ..batch import find_inputs, run_actions
    from ..batch.store import beside
    from ..export.tables import TABLES, require_pyarrow, require_writer

    if output.suffix.lower() not in TABLES:
        raise typer.BadParameter(
            f"'{output}' does not end in {', '.join(TABLES)}.", param_hint="-o"
        )
    if options["address"] is not None and options["engine"] != "ray":
        raise typer.BadParameter("is for --engine ray.", param_hint="--address")
    check_outputs({"-o": [output, *beside(output)]}, inputs, o.photos_of(options["people"]))
    if options["keep_identities"] and not options["people"]:
        raise typer.BadParameter("is for --people.", param_hint="--keep-identities")
    require_pyarrow()  # now, not after the model was loaded
    require_writer(output)
    if options["engine"] == "ray":
        require_package("ray", "ray", "A batch on Ray")
    try:
        items = find_inputs(inputs, options.pop("folder_as"))
    except BatchError as error:
        raise typer.BadParameter(str(error), param_hint="actions") from None
    loaded = load_model(model, device, "auto")
    carry_out(
        lambda progress: run_actions(items, output, model=loaded, progress=progress, **options),
        "actions",
    )


def _parse_rate(text: str) -> FrameRate:
    from ..inference.actions import frame_rate

    try:
        rate: FrameRate = text if text in ("sampled", "all") else float(text)  # type: ignore[assignment]
        frame_rate(rate, 1.0)
    except (ValueError, EmoCLIPError):
        raise typer.BadParameter(
            f"'{text}' is not sampled, all or a number of frames a second.", param_hint="--rate"
        ) from None
    return rate


def _check_file(output: Path, n_videos: int) -> str:
    """Return the ending of the file to write."""
    from ..export.save import TABLE_ENDINGS, check_ending
    from ..export.tables import TABLES, require_writer

    try:
        ending = check_ending(output, TABLE_ENDINGS, "a table of actions")
    except EmoCLIPError as error:
        raise typer.BadParameter(str(error), param_hint="-o") from None
    if ending not in TABLES and n_videos > 1:
        raise typer.BadParameter(
            f"{ending} is for one video; a table ({', '.join(TABLES)}) takes several.",
            param_hint="-o",
        )
    require_writer(output)  # now, not after the work
    return ending


def _unfinished(file: Path, videos: Sequence[str]) -> UnfinishedTable | None:
    """Return what --resume goes on with; None where there is nothing yet."""
    from ..export.unfinished import read_unfinished

    unfinished = read_unfinished(file, "frame", "time")
    for source in unfinished.sources if unfinished is not None else ():
        if source not in videos:
            raise typer.BadParameter(
                f"{file} is about {source}, too, which is none of the videos.",
                param_hint="--resume",
            )
    return unfinished


def _write_table(
    model: EmoCLIP,
    videos: Sequence[str],
    file: Path,
    track: TrackChoice,
    options: dict[str, Any],
    unfinished: UnfinishedTable | None,
) -> None:
    """Write the rows of all videos while they are read; those that fail are named.

    Ctrl-C keeps those that are written.
    """
    from ..export.tables import save_records
    from ..inference.actions import action_columns, frame_rate
    from ..runtime.interrupts import UntilInterrupted

    failed = 0
    done = [] if unfinished is None else unfinished.sources[:-1]

    def rows(video: VideoInput, hook: ProgressHook, **part: float) -> Iterator[ActionRow]:
        reading = {**options, **part, "progress": hook}
        if track == "prominent":  # who that is, the end tells
            yield from model.actions(video, track=track, **reading)
        else:
            yield from model.actions_rows(video, track=track, **reading)

    def own_records(video: str, hook: ProgressHook) -> Iterator[dict[str, Any]]:
        given = standard_input() if video == STDIN else video
        if unfinished is None or video != unfinished.sources[-1]:
            return (row.to_record(video) for row in rows(given, hook))
        rate = frame_rate(options["rate"], model.config.sampling.rate)
        start = unfinished.begin(rate, model.reader.key_spacing(rate))
        part = {} if start is None else {"start": start}
        return unfinished.continued(row.to_record(video) for row in rows(given, hook, **part))

    def records(begin: Callable[[str], ProgressHook]) -> Iterator[dict[str, Any]]:
        nonlocal failed
        n = 0 if unfinished is None else 1  # there are rows
        for video in videos:
            hook = begin(video)
            if video in done:
                continue
            coming = own_records(video, hook)
            while True:
                record, reason = attempt(lambda _, coming=coming: next(coming, None), video)
                if record is None:
                    break
                n += 1
                yield record
            if reason is not None:
                failed += 1
                complain(f"Error: {video}: {reason}")
        if not n:  # no file without a row
            raise typer.Exit(1)

    before = iter(()) if unfinished is None else unfinished.kept()
    with progress(len(videos)) as begin, UntilInterrupted(records(begin)) as made:
        every = itertools.chain(before, made)
        n = save_records(every, file, action_columns(options["landmarks"]))
    if made.stopped:
        how = "; the same command with --resume goes on" if track == "all" else ""
        complain(f"stopped: {file} has {n} rows{how}")
        raise typer.Exit(130)
    complain(f"wrote {file}: {n} rows")
    if failed:
        raise typer.Exit(1)


def _print_table(results: Sequence[FaceActions], top: int) -> None:
    from rich.text import Text

    people = any(result.people for result in results)
    columns = ["video", "face>", *(["person"] if people else []), "frames>"]
    table = new_table(*columns, "strongest actions, at their highest")
    for result in results:
        tracks = sorted({row.track for row in result if row.track is not None})
        for track in tracks:
            frames = sum(row.track == track for row in result)
            peaks = result.strongest(track, top)
            text = "  ".join(f"{name} {value:.2f} ({time:.1f} s)" for name, value, time in peaks)
            who = [person_text(result.people[track])] if people else []
            found = text or Text("no landmarks", "yellow")
            table.add_row(result.source, str(track), *who, str(frames), found)
        if not tracks:
            empty = [""] if people else []
            table.add_row(result.source, "", *empty, "0", Text(NO_FACE, "yellow"))
    results_console().print(table)
