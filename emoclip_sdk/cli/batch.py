"""``emoclip batch``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import BatchError
from ..runtime.packages import require_package
from . import options as o
from .batches import carry_out
from .loading import load_model, requested_labels
from .outputs import check_outputs
from .speaking import Silent, Speakers
from .videos import refuse_labels

if TYPE_CHECKING:
    from ..batch import BatchReport
    from ..runtime.progress import ProgressHook

__all__ = ["batch"]


def batch(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT",
            help="Folders, which are searched for videos; manifests (.csv, .tsv or .xlsx with a "
            "column 'path' or 'video', whose other columns are carried along; start and end: "
            "seconds; baseline_for: the person whose neutral face it shows; speech: with windows "
            "or events, the .rttm, .srt, .vtt or .eaf file that says who speaks); videos; "
            "pictures.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A .parquet, .csv, .xlsx or .jsonl file.")
    ],
    labels: o.Labels = None,
    label: o.Label = None,
    labels_file: o.LabelsFile = None,
    compound: o.Compounds = None,
    model: o.Model = None,
    window: Annotated[
        float | None,
        typer.Option(metavar="S", help="A row per face and window of so many seconds."),
    ] = None,
    step: Annotated[
        float | None,
        typer.Option(metavar="S", help="From one window to the next, in seconds; 1 if not given."),
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A row per face and event, with mean, maximum and latency of each label: a table "
            "of trials (.csv, .tsv or .xlsx with the columns start, end and, if you like, file and "
            "name), a document of ELAN (.eaf), or a folder of them.",
            exists=True,
        ),
    ] = None,
    tier: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the .eaf file: which tier.")
    ] = None,
    threshold: Annotated[
        float,
        typer.Option(
            metavar="P", min=0, max=1, help="Score from which on latencies count a label as shown."
        ),
    ] = 0.5,
    track: Annotated[
        str | None,
        typer.Option(
            metavar="prominent|all|ID",
            help="Which face of several. [default: prominent; with windows or events, all]",
        ),
    ] = None,
    faces: o.Faces = None,
    min_face: o.MinFace = None,
    sampling: o.Sampling = "deterministic",
    seed: o.Seed = 0,
    prompts: o.Prompts = None,
    min_score: o.MinScore = None,
    min_quality: o.MinQuality = 0.0,
    multi_label: o.MultiLabel = False,
    actions: o.Actions = False,
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="auto|A-B",
            help="Of windows: say what differs from each face's own neutral moment, where there is "
            "one, or from seconds A to B; across files: a column baseline_for in the manifest.",
        ),
    ] = None,
    people: o.People = False,
    person: o.Persons = None,
    keep_identities: o.KeepIdentities = False,
    speaker: Speakers = None,
    silent: Silent = False,
    folder_as: o.FolderAs = None,
    workers: o.Workers = None,
    order: o.Order = "input",
    engine: o.Engine = "local",
    address: o.Address = None,
    fps: o.Fps = None,
    allow_network: o.AllowNetwork = False,
    timeout: o.Timeout = None,
    start: o.Start = None,
    end: o.End = None,
    overwrite: o.Overwrite = False,
    retry_failed: o.RetryFailed = False,
    device: o.Device = "auto",
    dtype: o.Dtype = "auto",
) -> None:
    """Score emotion labels on many videos, into one table.

    One row per video (with --track all, per face), also where it failed; with --window or --step,
    per face and window; with --events, per face and event. However it ends, the same command goes
    on where it stopped.
    """
    from ..batch import find_inputs, run_batch
    from ..batch.store import beside
    from ..export.tables import TABLES, require_pyarrow, require_writer

    chosen = None if track is None else o.parse_track(track)
    reading = o.parse_reading(
        faces, fps, allow_network, timeout, sampling, seed, start=start, end=end, min_face=min_face
    )
    o.check_windows(window, step)
    against: Any = o.parse_baseline(baseline)
    who = o.parse_people(people, person)
    if keep_identities and not who:
        raise typer.BadParameter("is for --people.", param_hint="--keep-identities")
    if output.suffix.lower() not in TABLES:
        raise typer.BadParameter(
            f"'{output}' does not end in {', '.join(TABLES)}.", param_hint="-o"
        )
    if address is not None and engine != "ray":
        raise typer.BadParameter("is for --engine ray.", param_hint="--address")
    refuse_labels(inputs, labels)
    require_pyarrow()  # now, not after the model was loaded
    require_writer(output)
    if engine == "ray":
        require_package("ray", "ray", "A batch on Ray")
    try:
        items = find_inputs(inputs, folder_as)
    except BatchError as error:
        raise typer.BadParameter(str(error), param_hint="batch") from None
    written = [output, *beside(output)]
    check_outputs({"-o": written}, inputs, labels_file, prompts, events, o.photos_of(who))
    loaded = load_model(model, device, dtype, prompts)
    requested = requested_labels(loaded, labels, label, labels_file, compound)

    def run(progress: ProgressHook) -> BatchReport:
        reading["progress"] = progress
        return run_batch(
            items,
            output,
            model=loaded,
            labels=requested,
            window=window,
            step=step,
            events=events,
            tier=tier,
            threshold=threshold,
            track=chosen,
            min_score=min_score,
            min_quality=min_quality,
            multi_label=multi_label,
            actions=actions,
            baseline=against,
            people=who,
            keep_identities=keep_identities,
            speakers=speaker,
            silent=silent,
            workers=workers,
            order=order,
            engine=engine,
            address=address,
            overwrite=overwrite,
            retry_failed=retry_failed,
            **reading,
        )

    carry_out(run, "batch")
