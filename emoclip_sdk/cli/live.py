"""``emoclip live``."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import VideoError
from ..inference.options import WINDOW
from . import options as o
from .loading import load_model, requested_labels
from .output import NO_FACE, complain, label_text, new_table, results_console

if TYPE_CHECKING:
    from rich.console import Group

    from ..results.live import LiveResult

__all__ = ["live"]

_BAR = 20  # characters


def live(
    video: Annotated[
        str | None,
        typer.Argument(metavar="[VIDEO]", help="Play a video in real time instead of a camera."),
    ] = None,
    camera: Annotated[
        int | None, typer.Option(help="Number of the camera. [default: 0]", min=0)
    ] = None,
    window: o.Window = WINDOW,
    step: o.Step = 0.5,
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
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document a line for each window.")
    ] = False,
    fps: o.Fps = None,
    allow_network: o.AllowNetwork = False,
    device: o.Device = "auto",
    dtype: o.Dtype = "auto",
) -> None:
    """Score emotion labels while somebody is in front of the camera. Ctrl-C ends it.

    Pictures are neither stored nor sent. Where this machine is too slow, frames are left out and
    counted, but for those of a file. The model reads what a face shows, not what a person feels.
    """
    if video is not None and camera is not None:
        raise typer.BadParameter("give a video or a camera, not both.", param_hint="--camera")
    o.check_windows(window, step)
    reading = o.parse_reading(faces, fps, allow_network, min_face=min_face)
    loaded = load_model(model, device, dtype, prompts)
    requested = requested_labels(loaded, labels, label, labels_file, compound)
    source = video if video is not None else camera or 0
    results = loaded.stream(
        source,
        requested,
        window=window,
        step=step,
        min_score=min_score,
        min_quality=min_quality,
        **reading,
    )
    last: LiveResult | None = None
    try:
        with closing(results), _Shown(as_json, top) as show:
            for last in results:
                show(last)
    except KeyboardInterrupt:
        pass  # the way in which it ends
    except VideoError as error:
        complain(f"Error: {error}")
        raise typer.Exit(1) from None
    if last is not None:
        complain(f"{last.source}: {last.end:.0f} s, {last.dropped} frames dropped")


class _Shown:
    """Shows results on the terminal, or prints them as JSON Lines."""

    def __init__(self, as_json: bool, top: int) -> None:
        self._top = top
        self._screen: Any = None
        if not as_json:
            from rich.live import Live

            self._screen = Live(console=results_console(), auto_refresh=False)

    def __enter__(self) -> _Shown:
        if self._screen is not None:
            self._screen.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._screen is not None:
            self._screen.stop()
            if not self._screen.console.is_terminal and self._screen.get_renderable():
                self._screen.console.print()  # rich ends its last line on a terminal alone

    def __call__(self, result: LiveResult) -> None:
        if self._screen is None:
            print(json.dumps(result.to_dict(), allow_nan=False), flush=True)
        else:
            self._screen.update(_view(result, self._top), refresh=True)


def _view(result: LiveResult, top: int) -> Group:
    from rich.bar import Bar
    from rich.console import Group
    from rich.text import Text

    table = new_table("face>", "label", "", "score>")
    for row in result.rows:
        if not row.face_found:
            face = "" if row.track is None else str(row.track)
            table.add_row(face, Text(row.reason or NO_FACE, "yellow"), "", "")
            continue
        ranked = sorted(row.scores.items(), key=lambda item: -item[1])[:top]
        for i, (label, score) in enumerate(ranked):
            name = label_text(row) if not i else Text(label)
            bar = Bar(1.0, 0.0, score, width=_BAR, color="cyan")
            table.add_row("" if i else str(row.track), name, bar, f"{score:.2f}")
    state = (
        f"{result.source} {result.start:.1f}-{result.end:.1f} s: {result.fps:.1f} frames/s, "
        f"{result.dropped} dropped, {result.delay:.1f} s behind"
    )
    return Group(table, Text(state, "dim"))
