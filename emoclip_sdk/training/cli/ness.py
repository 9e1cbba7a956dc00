"""``emoclip-train ness``: parse, call, print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ...runtime.packages import require_package
from ...runtime.progress import Progress
from .application import app

if TYPE_CHECKING:
    from ..ness.study import StudyResult

__all__: list[str] = []


@app.command()
def ness(
    manifest: Annotated[
        Path,
        typer.Option(
            help="CSV file: video (or embeddings, .npz), patient, one column for each score."
        ),
    ],
    scale: Annotated[str, typer.Option(help="panss, cains, or a scale of --scales.")],
    scales: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Scales of your own (YAML).")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="Folder of the results. [default: ness-SCALE beside M]"
        ),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(metavar="K", help="Folds of patients. [default: leave one patient out]"),
    ] = None,
    control: Annotated[
        bool,
        typer.Option(help="Train once more on ratings shuffled between patients: finds nothing."),
    ] = True,
    model: Annotated[
        str | None,
        typer.Option(help="Encoder of videos: folder or Hub name. [default: the embedded model]"),
    ] = None,
    faces: Annotated[
        Literal["detect", "none"] | None,
        typer.Option(help="none: the frames are face crops already. [default: as the model says]"),
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Clip embeddings. [default: OUTPUT/cache]")
    ] = None,
    recipe: Annotated[str, typer.Option(help="Name of a recipe, or a YAML file.")] = "ness",
    change: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Overrides the recipe; repeatable."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Overrides the recipe's.")] = None,
    draws: Annotated[int, typer.Option(help="Draws of the bootstrap.", min=0)] = 1000,
    device: Annotated[str, typer.Option(metavar="DEVICE", help="Of the encoder.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Estimate patients' ratings from their interviews, by cross-validation over patients.

    For research; no diagnosis. OUTPUT holds the tables beside the paper's figures, a prediction for
    each patient, scatter plots, and the probe for EmoCLIP.load_probe. All of it is as private as
    the recordings.
    """
    # Now, not after the work.
    require_package("sklearn", "train", "A probe's baseline")
    require_package("matplotlib", "train", "A scatter plot")
    import torch

    from ...cli.output import showing_progress
    from ...errors import EmoCLIPError
    from ...model import EmoCLIP
    from ..data.cache import FrameCache
    from ..ness.clips import embed_study
    from ..ness.manifest import read_study
    from ..ness.report import published_rows, save_rating_probe, write_study
    from ..ness.scales import read_scales, shipped_scales
    from ..ness.study import fit_final, run_study
    from .train import experiment_recipe

    content = experiment_recipe("ness", recipe, change, seed)
    known = shipped_scales() | (read_scales(scales) if scales else {})
    if scale not in known:
        raise EmoCLIPError(f"--scale {scale}: no such scale. There are: {', '.join(known)}")
    study = read_study(manifest, known[scale])
    folder = out or study.path.with_name(f"ness-{scale}")
    with showing_progress() as show:
        study, clips, unusable = embed_study(
            study,
            lambda: EmoCLIP.from_pretrained(model, device=device),
            FrameCache(cache or folder / "cache", torch.float32),
            faces=faces,
            progress=show,
        )
        show(Progress("cross-validation"))
        result = run_study(study, clips, content, k=folds, control=control, draws=draws)
        result.document["unusable"] = unusable
        result.document["published"] = published_rows(scale)
        write_study(result, folder)
        show(Progress("the final probe"))
        save_rating_probe(result, fit_final(study, clips, content), folder / "probe")
    if as_json:
        typer.echo(json.dumps(result.document, indent=2, ensure_ascii=False))
    else:
        _print(result, folder)


def _print(result: StudyResult, folder: Path) -> None:
    from ...cli.output import new_table, results_console
    from ..ness.report import comparison

    console = results_console()
    document = result.document
    table = new_table("MAE / RMSE / PCC", *(f"{s.title}>" for s in result.study.scores))
    for name, figures in comparison(result):
        table.add_row(name, *[_cell(figures.get(score)) for score in document["scores"]])
    if document["best_possible"]:
        best = [f"- / - / {value:.2f}" for value in document["best_possible"].values()]
        table.add_row("best possible in this generated study", *best)
    console.print(
        f"{result.study.scale.title}: {document['interviews']} interviews of "
        f"{document['patients']} patients, {document['folds']} folds by patient"
    )
    console.print(table)
    console.print(f"For research; no diagnosis. Intervals, predictions and probe: {folder}")


def _cell(figures: dict[str, Any] | None) -> str:
    if figures is None:
        return "-"
    values = [figures[figure] for figure in ("mae", "rmse", "pcc")]
    return " / ".join("-" if value is None else f"{value:.2f}" for value in values)
