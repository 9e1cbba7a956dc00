"""What happens when a visitor does something: from values of the page to values of the page."""

from __future__ import annotations

import functools
import logging
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from ..assets import asset
from ..errors import EmoCLIPError
from ..inference.baseline import BaselineChoice, baseline_kind
from ..inference.options import ReadOptions
from ..results.records import OK
from ..results.sheets import time_seconds
from .action_chart import actions_html
from .chart import chart_html
from .gate import without_paths
from .player import player_html
from .session import Session, VideoResult

if TYPE_CHECKING:
    from ..model import EmoCLIP
    from ..runtime.progress import Progress, ProgressHook

__all__ = ["EXAMPLE", "Handlers", "Sessions"]

EXAMPLE = "portrait.mp4"
"""The clip of the package that a visitor may try."""

_SHOWN_S = 20  # how long a message stays
_READING = 0.8  # share of the progress; the rest is the copy that plays
_FAILED = (
    "Something went wrong here that is no fault of yours. The terminal in which the page was "
    "started says what."
)
_PROGRESS = gr.Progress()  # Gradio hands it over where it is the default of a parameter
log = logging.getLogger(__name__)


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


@dataclass(frozen=True)
class Settings:
    """What is asked of a video, in the order of the page's components."""

    labels: list[str]
    window: float
    step: float
    baseline: str
    begin: float | None
    end: float | None

    @property
    def baseline_choice(self) -> BaselineChoice:
        """The same as an argument of :meth:`EmoCLIP.timeline`."""
        if self.baseline == "off":
            return None
        if self.baseline == "auto":
            return "auto"
        if self.begin is None or self.end is None:
            raise EmoCLIPError("Say from which to which second the neutral face is shown")
        return self.begin, self.end

    def check(self, session: Session) -> None:
        """Refuse what can't be asked of any video."""
        session.model.embed_labels(self.labels)
        baseline_kind(self.baseline_choice)


def _answering(work: Callable[..., Any]) -> Callable[..., Any]:
    """Show what goes wrong in one message, and leave the page as it is."""

    @functools.wraps(work)
    def run(*arguments: Any) -> Any:
        try:
            return work(*arguments)
        except Exception as error:
            _complain(error)
            return gr.skip()

    return run


def _complain(error: Exception) -> None:
    if isinstance(error, EmoCLIPError):
        gr.Warning(without_paths(error), duration=_SHOWN_S)
        return
    log.error("the page failed", exc_info=error)
    gr.Warning(_FAILED, duration=_SHOWN_S)


class Handlers:
    """The functions of the page.

    Parameters
    ----------
    sessions : Sessions
    root : Path
        The folder of uploads.
    """

    def __init__(self, sessions: Sessions, root: Path) -> None:
        self._sessions, self._root = sessions, root

    def is_there(self, uploaded: str | None, recorded: str | None) -> Any:
        """Let a video be read where there is one."""
        return gr.Button(interactive=bool(uploaded or recorded))

    @_answering
    def read(
        self, request: gr.Request, progress: Any = _PROGRESS, uploaded: str | None = None,
        recorded: str | None = None, start: str | None = None, end: str | None = None,
        *settings: Any,
    ) -> Any:  # fmt: skip
        """Read what was loaded, and show what comes out."""
        given = uploaded or recorded
        if given is None:
            return gr.skip()
        path = Path(given)
        if not path.resolve().is_relative_to(self._root):
            raise EmoCLIPError("Only a video that was loaded here can be read")
        session, asked = self._sessions.of(request), Settings(*settings)
        # What is wrong with anything but the video is said before the work, which deletes it.
        asked.check(session)
        part = _seconds(start), _seconds(end)
        ReadOptions(start=part[0], end=part[1])
        try:
            session.read(path, *part, _shown(progress))
            result = session.score(asked.labels, asked.window, asked.step, asked.baseline_choice)
            shown = _shown_result(session, result)
        except Exception as error:
            if part != (None, None):
                raise  # the part may be what is wrong: the upload stays for another one
            _delete(path)
            _complain(error)
            return [None, None, *[gr.skip()] * 7]
        _delete(path)
        return shown

    @_answering
    def example(self, request: gr.Request, progress: Any = _PROGRESS, *settings: Any) -> list[Any]:
        """Read the example clip."""
        session, asked = self._sessions.of(request), Settings(*settings)
        asked.check(session)
        session.read(asset(EXAMPLE), progress=_shown(progress))
        result = session.score(asked.labels, asked.window, asked.step, asked.baseline_choice)
        return _shown_result(session, result)

    @_answering
    def leave(self, request: gr.Request) -> list[Any]:
        """Forget the video, and take another one."""
        self._sessions.of(request).forget_video()
        shown, hidden = gr.Column(visible=True), gr.Column(visible=False)
        return [None, None, shown, hidden, "", "", "", gr.skip(), False]

    @_answering
    def score(
        self, request: gr.Request, which: str | None, loaded: bool, labels: list[str],
        *settings: Any,
    ) -> list[Any]:  # fmt: skip
        """Score other labels or windows; labels that can't be used leave the box."""
        session = self._sessions.of(request)
        kept, reasons = session.usable(labels)
        if reasons:
            reason = without_paths(EmoCLIPError("; ".join(reasons)))
            gr.Warning(f"Taken out of the labels: {reason}", duration=_SHOWN_S)
        elif not kept:
            gr.Warning("There has to be one label at least", duration=_SHOWN_S)
        session.labels = kept = kept or session.labels
        chosen = which if which in kept else kept[-1]
        box = gr.Dropdown(value=kept) if kept != labels else gr.skip()
        meaning = [gr.Dropdown(choices=kept, value=chosen), _meaning(session, chosen)]
        try:
            drawn = _scored(session, Settings(kept, *settings), loaded)
        except EmoCLIPError as error:  # which is no reason to keep a label that was refused
            _complain(error)
            drawn = [gr.skip()] * 2
        return [box, *drawn, *meaning]

    @_answering
    def describe(self, request: gr.Request, which: str | None) -> Any:
        """Show what a label means."""
        return _meaning(self._sessions.of(request), which) if which else gr.skip()

    @_answering
    def reword(
        self, request: gr.Request, which: str, meaning: str, loaded: bool, *settings: Any
    ) -> list[Any]:
        """Let a label mean something else."""
        session = self._sessions.of(request)
        session.describe(which, [line for line in meaning.splitlines() if line.strip()])
        return [*_scored(session, Settings(*settings), loaded), _meaning(session, which)]

    @_answering
    def compound(
        self, request: gr.Request, parts: list[str], weights: str, name: str, labels: list[str]
    ) -> list[Any]:
        """Make a compound, and add it to the labels."""
        added = self._sessions.of(request).add_compound(name, parts, weights)
        return [gr.Dropdown(value=list(dict.fromkeys([*labels, added]))), "", ""]

    def save(self, request: gr.Request, kind: str) -> Any:
        """Write the file that is asked for."""
        try:
            return gr.DownloadButton(value=str(self._sessions.of(request).save(kind)))
        except EmoCLIPError as error:  # an error, so that no older file is taken away instead
            raise gr.Error(without_paths(error), _SHOWN_S, print_exception=False) from None


def _scored(session: Session, asked: Settings, loaded: bool) -> list[Any]:
    if not loaded:
        return [gr.skip()] * 2
    result = session.score(asked.labels, asked.window, asked.step, asked.baseline_choice)
    return list(_charts(session, result))


def _shown_result(session: Session, result: VideoResult) -> list[Any]:
    address = f"gradio_api/file={session.played}?{session.played.stat().st_mtime_ns}"
    player = player_html(result.timeline, address, session.frame_size, result.begin)
    hidden, shown = gr.Column(visible=False), gr.Column(visible=True)
    saving = gr.Row(visible=result.timeline.status == OK)
    return [None, None, hidden, shown, player, *_charts(session, result), saving, True]


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


def _charts(session: Session, result: VideoResult) -> list[str]:
    styles = session.colors.of(result.timeline.labels)
    return [
        chart_html(result.timeline, result.answers, styles, result.begin),
        actions_html(result.actions, result.timeline, result.begin),
    ]


def _shown(progress: gr.Progress) -> ProgressHook:
    """Return what shows on the page how far the work is: the faces, then the copy that plays."""
    copying = False

    def hook(state: Progress) -> None:
        nonlocal copying
        share = state.fraction or 0.0
        done = _READING + (1 - _READING) * share if copying else _READING * share
        parts = [part for part in state.state.split(", ") if not part.endswith("%")]
        progress(done, desc=", ".join(["Copying what plays" if copying else "Reading", *parts]))
        copying = copying or state.done >= state.total

    return hook


def _seconds(text: str | None) -> float | None:
    """Read the beginning or the end of a part; None where nothing is said."""
    return time_seconds(text.strip(), f"'{text}'") if text and text.strip() else None


def _delete(upload: Path) -> None:
    """Delete an upload: Gradio gives each one a folder of its own."""
    shutil.rmtree(upload.parent, ignore_errors=True)
