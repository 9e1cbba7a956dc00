"""The layout of the page, made of Gradio's components; what they do is in :mod:`.handlers`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from ..inference.options import STEP, WINDOW
from ..video.opening import VIDEO_SUFFIXES
from .handlers import Handlers, Sessions
from .session import DOWNLOADS

if TYPE_CHECKING:
    from ..model import EmoCLIP

__all__ = ["make_page"]

TITLE = "Apparent expression in video"
NOTE = (
    "Reads **apparent expression**: what a face shows, not what a person feels. "
    "[Before you use it](#before-you-use-it)"
)
BEFORE_USE = (
    "### Before you use it\n\n"
    "The model compares a face with descriptions of faces. It does not know what a person feels, "
    "thinks or intends. A score is a share among the labels that you chose, not a probability. "
    "Load only videos of people who agreed, and decide nothing about anybody by it; at work and in "
    "schools the European Union prohibits such systems.\n\n"
    "**Your video** is read on the machine that serves this page and sent nowhere else. The upload "
    "is deleted once it is read; the small copy that plays here goes when you take another one or "
    "close the page. Faces are numbered as they appear; nobody is recognized."
)
_KEPT_S = 3600  # an upload that nobody read, as where a page was closed while it came in
_ONE_BY_ONE: dict[str, Any] = {"concurrency_id": "model", "api_visibility": "private"}
_QUIETLY: dict[str, Any] = {**_ONE_BY_ONE, "show_progress": "hidden"}
_PRESS_FILE = "() => setTimeout(() => document.querySelector('#emo-file')?.click(), 200)"
_BASELINES = {
    "Off": "off",
    "The most neutral moment of each person": "auto",
    "These seconds of the video": "span",
}


def make_page(model: EmoCLIP, root: Path) -> gr.Blocks:
    """Build the page.

    Parameters
    ----------
    model : EmoCLIP
    root : Path
        Folder for what visitors load. It has to be the one that Gradio may show files from.
    """
    sessions = Sessions(model, root)
    do = Handlers(sessions, root)
    known = [*model.prompts.names(), *model.prompts.compounds]
    first = list(model.labels)

    with gr.Blocks(
        title=f"emoclip: {TITLE}", analytics_enabled=False, delete_cache=(_KEPT_S, _KEPT_S)
    ) as page:
        gr.Markdown(f"# {TITLE}\n\n{NOTE}", elem_classes="emo-note")
        # In the order of a phone; style.css puts them beside each other where there is room.
        with gr.Row(elem_id="emo-main"):
            with gr.Column(elem_id="emo-input") as loading:
                with gr.Tabs():
                    with gr.Tab("A video"):
                        # Not `Video`, which complains where a browser can't play what we can read.
                        upload = gr.File(
                            show_label=False,
                            file_types=["video", *sorted(VIDEO_SUFFIXES)],
                            type="filepath",
                            elem_id="emo-video",
                            height=280,
                        )
                    with gr.Tab("The camera"):
                        recorded = gr.Video(
                            show_label=False,
                            sources=["webcam"],
                            webcam_options=gr.WebcamOptions(mirror=False),
                            height=280,
                        )
                with gr.Row(elem_id="emo-begin"):
                    start_reading = gr.Button(
                        "Read the video", variant="primary", interactive=False, elem_id="emo-read"
                    )
                    example = gr.Button("Try the example clip", elem_id="emo-example")
                with (
                    gr.Accordion("Only a part of it, in seconds or HH:MM:SS", open=False),
                    gr.Row(),
                ):
                    start = gr.Textbox(label="From", placeholder="beginning", min_width=120)
                    end = gr.Textbox(label="To", placeholder="end", min_width=120)
            with gr.Column(elem_id="emo-asked"):
                labels = gr.Dropdown(
                    known,
                    value=first,
                    multiselect=True,
                    allow_custom_value=True,
                    label="Labels",
                    info="Choose some, or type any word or sentence and press Enter.",
                    elem_id="emo-labels",
                )
            with gr.Column(elem_id="emo-result", visible=False) as result:
                player = gr.HTML(js_on_load=None)
                with gr.Tabs():
                    with gr.Tab("Expression"):
                        chart = gr.HTML(js_on_load=None, elem_id="emo-timeline")
                    with gr.Tab("Facial actions"):
                        actions = gr.HTML(js_on_load=None, elem_id="emo-actions")
                with gr.Row(elem_id="emo-saving") as saving:
                    kind = gr.Dropdown(
                        list(DOWNLOADS.items()),
                        value=".csv",
                        show_label=False,
                        container=False,
                        min_width=160,
                    )
                    save = gr.Button("Download", elem_id="emo-save", scale=0, min_width=140)
                    file = gr.DownloadButton("File", elem_id="emo-file", visible="hidden")
                other = gr.Button("Another video", size="md")
            with gr.Column(elem_id="emo-more"):
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
                with gr.Accordion("Windows of time", open=False, elem_id="emo-windows"):
                    window = gr.Slider(0.5, 10, WINDOW, step=0.5, label="Length in seconds")
                    step = gr.Slider(0.25, 5, STEP, step=0.25, label="Step in seconds")
                with gr.Accordion(
                    "A person's own neutral face", open=False, elem_id="emo-baseline"
                ):
                    baseline = gr.Radio(
                        list(_BASELINES.items()),
                        value="off",
                        label="Compare with",
                        info="Faces differ at rest. Scores stay as they are; changes stand beside "
                        "them, and actions are named by what changes.",
                    )
                    with gr.Row(visible=False) as span:
                        since = gr.Number(0, label="From second", minimum=0, min_width=120)
                        until = gr.Number(1, label="To second", minimum=0, min_width=120)
        gr.Markdown(BEFORE_USE, elem_classes="emo-note", elem_id="before-you-use-it")
        loaded = gr.State(False)

        given = [upload, recorded]
        outputs = [*given, loading, result, player, chart, actions, saving, loaded]
        settings = [labels, window, step, baseline, since, until]
        scored = [labels, chart, actions, which, meaning]

        changed = [upload.change, recorded.change]
        gr.on(changed, do.is_there, given, start_reading, queue=False, **_QUIETLY)
        # What was chosen last counts.
        upload.upload(lambda: None, None, recorded, queue=False, **_QUIETLY)
        recorded.stop_recording(lambda: None, None, upload, queue=False, **_QUIETLY)
        reading: dict[str, Any] = {"show_progress_on": given, **_ONE_BY_ONE}
        start_reading.click(do.read, [*given, start, end, *settings], outputs, **reading)
        example.click(do.example, settings, outputs, **reading)
        other.click(do.leave, None, outputs, **_ONE_BY_ONE)
        baseline.change(
            lambda kind: gr.Row(visible=kind == "span"), baseline, span, queue=False, **_QUIETLY
        )
        gr.on(
            [
                labels.change, window.release, step.release, baseline.input, since.submit,
                since.blur, until.submit, until.blur,
            ],
            do.score,
            [which, loaded, *settings],
            scored,
            trigger_mode="always_last",
            **_QUIETLY,
        )  # fmt: skip
        which.input(do.describe, which, meaning, **_QUIETLY)
        page.load(do.describe, which, meaning, **_QUIETLY)
        describe.click(
            do.reword, [which, meaning, loaded, *settings], [chart, actions, meaning], **_ONE_BY_ONE
        )
        build.click(
            do.compound, [parts, weights, name, labels], [labels, weights, name], **_ONE_BY_ONE
        )
        save.click(do.save, kind, file, show_progress_on=[save], **_ONE_BY_ONE).success(
            None, js=_PRESS_FILE
        )
        page.unload(sessions.end)
    return page
