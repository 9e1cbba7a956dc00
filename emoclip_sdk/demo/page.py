"""The layout of the page, made of Gradio's components; its functions are in :mod:`.session`."""

from __future__ import annotations

import functools
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from ..errors import EmoCLIPError
from .chart import chart_html, player_html
from .gate import without_paths
from .session import DOWNLOADS, Session

if TYPE_CHECKING:
    from ..model import EmoCLIP

__all__ = ["Sessions", "make_page"]

TITLE = "Apparent expression in video"
NOTE = (
    "The model compares a face with descriptions of faces. It reads **apparent expression**: what "
    "a face shows, not what a person feels, thinks or intends. A score is a share among the labels "
    "that you chose, not a probability. Load only videos of people who agreed, and decide nothing "
    "about anybody by it; at work and in schools the European Union prohibits such systems."
)
PRIVACY = (
    "The video is read on the machine that serves this page and sent nowhere else. The upload is "
    "deleted once it is read; the small copy that plays here goes when you load another one or "
    "close the page."
)
_KEPT_S = 3600  # an upload that nobody read, as where a page was closed while it came in
_ONE_BY_ONE: dict[str, Any] = {"concurrency_id": "model", "api_visibility": "private"}
_PRESS_FILE = "() => setTimeout(() => document.querySelector('#emo-file')?.click(), 200)"


class Sessions:
    """Everybody who has the page open.

    Parameters
    ----------
    model : EmoCLIP
    root : Path
        Folder for what they load.
    """

    def __init__(self, model: EmoCLIP, root: Path) -> None:
        self._model, self._root = model, root
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def of(self, request: gr.Request) -> Session:
        """Return the session that a request belongs to."""
        with self._lock:
            key = str(request.session_hash)
            if key not in self._sessions:
                self._sessions[key] = Session(self._model, self._root)
            return self._sessions[key]

    def end(self, request: gr.Request) -> None:
        """Delete what a visitor left; called when the page is closed or loaded again."""
        with self._lock:
            session = self._sessions.pop(str(request.session_hash), None)
        if session is not None:
            session.close()


def make_page(model: EmoCLIP, root: Path) -> gr.Blocks:
    """Build the page.

    Parameters
    ----------
    model : EmoCLIP
    root : Path
        Folder for what visitors load. It has to be the one that Gradio may show files from.
    """
    sessions = Sessions(model, root)
    known = [*model.prompts.names(), *model.prompts.compounds]
    first = list(model.labels)

    with gr.Blocks(
        title=f"emoclip: {TITLE}", analytics_enabled=False, delete_cache=(_KEPT_S, _KEPT_S)
    ) as page:
        gr.Markdown(f"# {TITLE}")
        gr.Markdown(NOTE, elem_classes="emo-note")
        with gr.Row():
            with gr.Column(scale=5, min_width=320):
                video = gr.Video(
                    label="Load a video, or record one",
                    sources=["upload", "webcam"],
                    webcam_options=gr.WebcamOptions(mirror=False),
                    elem_id="emo-video",
                    height=380,
                )
                player = gr.HTML(visible=False, js_on_load=None)
                chart = gr.HTML(visible=False, js_on_load=None, elem_id="emo-timeline")
                with gr.Row(visible=False, elem_id="emo-saving") as saving:
                    kind = gr.Dropdown(
                        list(DOWNLOADS.items()), value=".csv", show_label=False, container=False
                    )
                    save = gr.Button("Download", elem_id="emo-save", scale=0, min_width=140)
                    file = gr.DownloadButton("File", elem_id="emo-file", visible="hidden")
                other = gr.Button("Another video", size="sm", visible=False)
                gr.Markdown(PRIVACY, elem_classes="emo-note")
            with gr.Column(scale=4, min_width=320):
                labels = gr.Dropdown(
                    known,
                    value=first,
                    multiselect=True,
                    allow_custom_value=True,
                    label="Labels",
                    info="Choose some, or type any word or sentence and press Enter.",
                    elem_id="emo-labels",
                )
                with gr.Accordion("What a label means", open=False, elem_id="emo-meaning"):
                    which = gr.Dropdown(first, value=first[0] if first else None, label="Label")
                    meaning = gr.Textbox(
                        label="Descriptions of the face",
                        info="One a line; what brows, eyes and mouth do. Empty it to go back to "
                        "the model's own.",
                        lines=4,
                        max_lines=10,
                    )
                    describe = gr.Button("Use these words", size="sm")
                with gr.Accordion("Build a compound", open=False, elem_id="emo-compound"):
                    parts = gr.Dropdown(known, multiselect=True, label="Parts")
                    weights = gr.Textbox(
                        label="Weights", info="One for each part, such as 2, 1. Empty: equal."
                    )
                    name = gr.Textbox(label="Name", info="Empty: the parts, joined.")
                    build = gr.Button("Add to the labels", size="sm")
                with gr.Accordion("Windows of time", open=False):
                    window = gr.Slider(0.5, 10, 1, step=0.5, label="Length in seconds")
                    step = gr.Slider(0.25, 5, 0.5, step=0.25, label="Step in seconds")
        loaded = gr.State(False)

        outputs = [video, player, other, chart, saving, loaded]
        settings = [labels, window, step, loaded]

        def read(
            upload: str | None, labels: list[str], window: float, step: float, request: gr.Request
        ) -> list[Any]:
            unchanged = [gr.skip() for _ in outputs[1:]]
            if upload is None:
                return [gr.skip(), *unchanged]
            session = sessions.of(request)
            if not Path(upload).resolve().is_relative_to(root):
                raise gr.Error("Only a video that was uploaded here can be read")
            try:
                session.model.embed_labels(
                    labels
                )  # labels that can't be used are refused before the work
                session.read(Path(upload))
                timeline = session.score(labels, window, step)
            except EmoCLIPError as error:
                gr.Warning(without_paths(error), title="This can't be read", duration=20)
                return [gr.Video(value=None), *unchanged]
            finally:
                # Gradio gives every upload a folder of its own.
                shutil.rmtree(Path(upload).parent, ignore_errors=True)
            address = f"gradio_api/file={session.played}?{session.played.stat().st_mtime_ns}"
            return [
                gr.Video(value=None, visible=False),
                gr.HTML(player_html(timeline, address, session.frame_size), visible=True),
                gr.Button(visible=True),
                gr.HTML(chart_html(timeline), visible=True),
                gr.Row(visible=True),
                True,
            ]

        @_with_errors_on_page
        def leave(request: gr.Request) -> list[Any]:
            sessions.of(request).forget_video()
            return [
                gr.Video(value=None, visible=True),
                gr.HTML("", visible=False),
                gr.Button(visible=False),
                gr.HTML("", visible=False),
                gr.Row(visible=False),
                False,
            ]

        def scored(
            session: Session, labels: list[str], window: float, step: float, loaded: bool
        ) -> Any:
            if not loaded:
                session.model.embed_labels(labels)
                return gr.skip()
            return gr.HTML(chart_html(session.score(labels, window, step)))

        @_with_errors_on_page
        def score(
            labels: list[str], window: float, step: float, loaded: bool, which: str | None,
            request: gr.Request,
        ) -> list[Any]:  # fmt: skip
            session = sessions.of(request)
            drawn = scored(session, labels, window, step, loaded)
            chosen = which if which in labels else labels[-1]
            return [drawn, gr.Dropdown(choices=labels, value=chosen), _meaning(session, chosen)]

        @_with_errors_on_page
        def describe_label(which: str | None, request: gr.Request) -> Any:
            return _meaning(sessions.of(request), which) if which else gr.skip()

        @_with_errors_on_page
        def reword(
            which: str, meaning: str, labels: list[str], window: float, step: float,
            loaded: bool, request: gr.Request,
        ) -> list[Any]:  # fmt: skip
            session = sessions.of(request)
            session.describe(which, [line for line in meaning.splitlines() if line.strip()])
            return [scored(session, labels, window, step, loaded), _meaning(session, which)]

        @_with_errors_on_page
        def compound(
            parts: list[str], weights: str, name: str, labels: list[str], request: gr.Request
        ) -> list[Any]:
            added = sessions.of(request).add_compound(name, parts, weights)
            extended = list(dict.fromkeys([*labels, added]))
            return [gr.Dropdown(value=extended), gr.Textbox(""), gr.Textbox("")]

        @_with_errors_on_page
        def export(kind: str, request: gr.Request) -> Any:
            return gr.DownloadButton(value=str(sessions.of(request).save(kind)))

        gr.on(
            [video.upload, video.stop_recording],
            read,
            [video, labels, window, step],
            outputs,
            show_progress_on=[video],
            **_ONE_BY_ONE,
        )
        other.click(leave, None, outputs, **_ONE_BY_ONE)
        gr.on(
            [labels.change, window.release, step.release],
            score,
            [*settings, which],
            [chart, which, meaning],
            trigger_mode="always_last",
            show_progress="hidden",
            **_ONE_BY_ONE,
        )
        which.input(describe_label, which, meaning, show_progress="hidden", **_ONE_BY_ONE)
        page.load(describe_label, which, meaning, show_progress="hidden", **_ONE_BY_ONE)
        describe.click(reword, [which, meaning, *settings], [chart, meaning], **_ONE_BY_ONE)
        build.click(
            compound, [parts, weights, name, labels], [labels, weights, name], **_ONE_BY_ONE
        )
        save.click(export, kind, file, show_progress_on=[save], **_ONE_BY_ONE).success(
            None, js=_PRESS_FILE
        )
        page.unload(sessions.end)
    return page


def _with_errors_on_page(work: Callable[..., Any]) -> Callable[..., Any]:
    """Show an error of ours on the page, in its own words."""

    @functools.wraps(work)
    def run(*arguments: Any) -> Any:
        try:
            return work(*arguments)
        except EmoCLIPError as error:
            raise gr.Error(without_paths(error), duration=20, print_exception=False) from None

    return run


def _meaning(session: Session, label: str) -> Any:
    text = session.text(label)
    about = {
        "bank": "of the prompt bank",
        "custom": "your own words",
        "template": "not in the prompt bank: put into sentence templates",
        "caption": "a sentence, used word for word",
    }.get(text.kind, "")
    if text.kind == "compound":
        about = "compound: " + ", ".join(f"{share:.0%} {part}" for part, share in text.parts)
    return gr.Textbox(
        "\n".join(text.texts),
        label=f"Descriptions of the face ({about})" if about else "Descriptions of the face",
        interactive=text.kind != "compound",
    )
