"""Commands that measure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...runtime.packages import require_package
from ...runtime.progress import Progress
from .application import app
from .card import run_card_suite
from .outputs import check_dataset_outputs
from .splits import chosen_split

if TYPE_CHECKING:
    from rich.console import Console

__all__: list[str] = []


@app.command()
def evaluate(
    root: Annotated[Path, typer.Option(help="Folder or file of the dataset.")],
    dataset: Annotated[
        str, typer.Option(help="mafw, dfew, ferv39k, afew, ferplus, manifest or folder.")
    ] = "ferplus",
    fold: Annotated[int, typer.Option(help="Fold of a dataset that has several.", min=1)] = 1,
    task: Annotated[str, typer.Option(help="single or compound (MAFW's 43 classes).")] = "single",
    split: Annotated[
        str | None,
        typer.Option(help="train, valid or test. [default: valid where there is one, else test]"),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Folder, Hub repository or baseline; majority or random. [default: the embedded "
            "model]"
        ),
    ] = None,
    prompts: Annotated[
        str,
        typer.Option(
            help="bank, words, templates, a template with {label} in it, or a YAML file of name: "
            "sentence."
        ),
    ] = "bank",
    frames: Annotated[
        str,
        typer.Option(
            help="temporal: as the model pools them; mean: frame ensemble; middle: middle frame; "
            "window: one random window, as the reference evaluates."
        ),
    ] = "temporal",
    compound: Annotated[
        str, typer.Option(help="average (eq. 2) or concatenate, for compound classes.")
    ] = "average",
    one_text: Annotated[
        bool,
        typer.Option("--one-text", help="Only the first text of each class: no ensemble of them."),
    ] = False,
    groups: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV", help="Attributes of clips or subjects: figures of each group as well."
        ),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="Write each clip's class, decision and scores here."),
    ] = None,
    examples: Annotated[
        Path | None,
        typer.Option(
            metavar="PNG",
            help="Draw clips that were decided rightly and wrongly (the paper's Figure 4). The "
            "pictures are the dataset's.",
        ),
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep frame embeddings here.")
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes that read video.", min=0)] = 0,
    draws: Annotated[int, typer.Option(help="Bootstrap draws; 0: no intervals.", min=0)] = 1000,
    seed: Annotated[int, typer.Option(help="Of the bootstrap, and of --model random.")] = 0,
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="auto, cpu, cuda, cuda:1.")
    ] = "auto",
    suite: Annotated[
        str | None,
        typer.Option(
            help="card: every figure of a model card instead (accuracy, wordings, synonyms, "
            "calibration, abstention; on FER+ states, facial actions, clips and speed as well). "
            "The model's own labels compete with the dataset's."
        ),
    ] = None,
    prompts_file: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="With --suite: descriptions by others, name: sentence. Repeatable."
        ),
    ] = None,
    loco: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="With --suite: a checkpoint for each class left out, under the class's name.",
        ),
    ] = None,
    heads: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="With --suite, FER+: ict_facekit.npz, for heads and portraits: actions, talk.",
        ),
    ] = None,
    clips: Annotated[
        int, typer.Option(help="With --suite: clips that are made of pictures.", min=1)
    ] = 480,
    write_card: Annotated[
        bool,
        typer.Option("--write-card", help="With --suite: put the figures into the model's card."),
    ] = False,
    multi_label: Annotated[
        bool,
        typer.Option(
            "--multi-label",
            help="FER+: the probabilities of each label against its absence instead, by the votes: "
            "AUC and calibration error of the classes, of other words and of facial actions.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Classify a labeled split zero-shot: UAR, WAR, F1 and AUC with intervals, and each class."""
    for value, allowed, option in (
        (task, ("single", "compound"), "--task"),
        (split, (None, "train", "valid", "test"), "--split"),
        (frames, ("temporal", "mean", "middle", "window"), "--frames"),
        (compound, ("average", "concatenate"), "--compound"),
        (suite, (None, "card"), "--suite"),
    ):
        if value not in allowed:
            raise typer.BadParameter(", ".join(filter(None, allowed)), param_hint=option)
    require_package("torchmetrics", "train", "Evaluation")  # now, not after the work
    if suite:
        run_card_suite(
            model,
            dataset,
            root,
            split,
            fold=fold,
            task=task,  # type: ignore[arg-type]
            prompt_files=prompts_file or [],
            loco=loco,
            heads=heads,
            clips=clips,
            draws=draws,
            seed=seed,
            device=device,
            write=write_card,
            as_json=as_json,
        )
        return
    if multi_label:
        _evaluate_presence(model, dataset, root, split, device, as_json)
        return
    if examples and examples.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise typer.BadParameter("a file that ends in .png, .svg or .pdf", param_hint="--examples")
    if write_card or loco or heads or prompts_file:
        raise typer.BadParameter("say --suite card as well", param_hint="--suite")
    if examples:
        require_package("matplotlib", "train", "The examples")
    outputs = {"--predictions": predictions, "--examples": examples}
    check_dataset_outputs(outputs, root, groups, model, prompts)
    import torch

    from ...cli.output import showing_progress
    from ...model import EmoCLIP
    from ..data.cache import FrameCache
    from ..data.datasets import open_clips
    from ..data.trained_on import read_trained_on
    from ..evaluation import (
        BLIND_BASELINES,
        blind_scores,
        draw_examples,
        labeled,
        measure_clips,
        read_attributes,
        score_clips,
        write_predictions,
    )

    loaded = open_clips(dataset, root, fold=fold, task=task)  # type: ignore[arg-type]
    split, chosen = chosen_split(loaded, split)
    options: dict[str, Any] = {
        "attributes": read_attributes(groups) if groups else None,
        "draws": draws,
        "seed": seed,
    }
    about: dict[str, Any] = {
        "dataset": dataset,
        "fold": fold,
        "task": task,
        "split": split,
        "model": model or "emoclip-mini",
    }
    labeled_clips = labeled(chosen)
    if model in BLIND_BASELINES:
        scores = blind_scores(
            model,
            loaded.splits.get("train", ()),
            len(labeled_clips),
            len(loaded.classes),
            seed=seed,
        )
    else:
        about.update(prompts=prompts, one_text=one_text, frames=frames, compound=compound)
        with showing_progress() as show:
            show(Progress("loading the model"))
            scores = score_clips(
                EmoCLIP.from_pretrained(model, device=device),
                labeled_clips,
                loaded.classes,
                prompts=prompts,
                frames=frames,  # type: ignore[arg-type]
                compound=compound,  # type: ignore[arg-type]
                one_text=one_text,
                cropped=loaded.cropped,
                cache=FrameCache(cache, torch.float32) if cache else None,
                workers=workers,
                progress=show,
            )
        trained_on = read_trained_on(model) if model else None
        if trained_on is not None:
            options["overlap"] = trained_on.overlap(dataset, labeled_clips)
    figures = measure_clips(scores, labeled_clips, loaded.classes, **options)
    if predictions:
        write_predictions(
            predictions, labeled_clips, scores, loaded.classes, options.get("overlap")
        )
    if examples:
        draw_examples(examples, labeled_clips, scores, loaded.classes)
    if figures["overlap"] and figures["overlap"]["without"]:
        del figures["overlap"]["without"]["bootstrap"]
    del figures["bootstrap"]["draws"]
    figures["bootstrap"]["n"] = draws
    if as_json:
        typer.echo(json.dumps({**about, **figures}, indent=2, ensure_ascii=False))
    else:
        _print(about, figures)


def _evaluate_presence(
    model: str | None, dataset: str, root: Path, split: str | None, device: str, as_json: bool
) -> None:
    from ...cli.output import new_table, results_console, working
    from ...model import EmoCLIP
    from ..data.ferplus import load_ferplus
    from ..evaluation.card import EvaluatedPictures
    from ..evaluation.presence import presence_figures

    if dataset != "ferplus":
        raise typer.BadParameter(
            "needs the votes of FER+: --dataset ferplus.", param_hint="--multi-label"
        )
    split = split or "valid"
    pictures = load_ferplus(root, split)  # type: ignore[arg-type]
    with working("measuring"):
        loaded = EmoCLIP.from_pretrained(model, device=device)
        figures = presence_figures(EvaluatedPictures(loaded, pictures))
    if as_json:
        about = {"dataset": dataset, "split": split, "model": loaded.name, "n": len(pictures)}
        typer.echo(json.dumps({**about, "presence": figures}, indent=2, ensure_ascii=False))
        return
    table = new_table("labels", *(f"{name}>" for name in next(iter(figures.values()))))
    for name, row in figures.items():
        table.add_row(name, *(str(v) if isinstance(v, int) else f"{v:.3f}" for v in row.values()))
    table.caption = f"FER+ {split}, {len(pictures)} pictures; {loaded.name}"
    results_console().print(table)


def _print(about: dict[str, Any], figures: dict[str, Any]) -> None:
    from ...cli.output import new_table, results_console

    console = results_console()
    console.print(", ".join(f"{key}: {value}" for key, value in about.items()))
    table = new_table("class", "recall>", "n>")
    for name, row in figures["per_class"].items():
        table.add_row(name, _number(row["recall"]), str(row["n"]))
    console.print(table)
    for name, groups in figures.get("groups", {}).items():
        table = new_table(name, "n>", "classes>", "UAR>", "WAR>")
        for kind, row in groups.items():
            cells = [_figure(row, key) for key in ("uar", "war")]
            table.add_row(kind or "(not known)", str(row["n"]), str(row["classes"]), *cells)
        table.caption = _gap(figures["gaps"][name])
        console.print()
        console.print(table)
    console.print()
    for key in ("uar", "war", "f1", "auc"):
        console.print(f"{key.upper():4}{_figure(figures, key)}")
    console.print(f"n   {figures['n']}")
    _print_overlap(console, figures)
    if figures["unusable"]:
        console.print(
            f"{len(figures['unusable'])} clips can't be read or show no face; they count as wrong: "
            + ", ".join(figures["unusable"][:5])
            + (" ..." if len(figures["unusable"]) > 5 else "")
        )


def _print_overlap(console: Console, figures: dict[str, Any]) -> None:
    overlap = figures["overlap"]
    if overlap is None or not (overlap["n"] or overlap["selection"]):
        return
    console.print(
        f"of these {figures['n']} clips {overlap['n']} were met in training, and "
        f"{overlap['selection']} chose the epoch",
        end="",
    )
    without = overlap["without"]
    if without is None:
        console.print(": this is no test")
        return
    cells = [f"{key.upper()} {_figure(without, key)}" for key in ("uar", "war", "f1", "auc")]
    console.print(f". Without them, n {without['n']}: {', '.join(cells)}")


def _gap(gap: dict[str, Any] | None) -> str:
    if gap is None:
        return "no two groups that share a class: no gap"
    low, high = gap["interval"] or (None, None)
    text = f"UAR of {gap['best']} - {gap['worst']}, over {gap['classes']} shared classes: "
    text += f"{gap['gap']:.4f}"
    if low is not None:
        text += f" [{low:.4f}, {high:.4f}] ({gap['drawn']} drawn)"
        text += f"; p = {gap['p']:.3f} ({gap['shuffled']} shuffled)"
    return text


def _figure(row: dict[str, Any], key: str) -> str:
    """Write a figure with its 95 % interval."""
    limits = row["intervals"].get(key)
    return _number(row[key]) + (f" [{limits[0]:.4f}, {limits[1]:.4f}]" if limits else "")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
