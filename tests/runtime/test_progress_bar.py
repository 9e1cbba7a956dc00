import io
import sys
import time
from types import ModuleType, SimpleNamespace

import pytest

from emoclip_sdk.runtime import progress_bar
from emoclip_sdk.runtime.progress import Progress
from emoclip_sdk.runtime.progress_bar import ProgressBar

HALF = Progress("interviews/" + "x" * 60 + ".mp4", 0, 1, 30.0, 60.0, 8.2, 4.0)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(progress_bar, "DELAY", 0.0)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")


def show(stream, monkeypatch):
    monkeypatch.setattr(sys, "stderr", stream)
    with ProgressBar() as bar:
        bar(HALF)
        end = time.monotonic() + 5
        while not bar._open and bar._display and time.monotonic() < end:
            time.sleep(0.005)
        bar(HALF)
    return stream.getvalue()


def test_a_terminal_of_80_columns(at_once, monkeypatch):
    text = show(Terminal(), monkeypatch)
    assert "50%, 8.2x real time, 0:04 left" in text and "xxx.mp4" in text and "…" in text
    assert not sys.stderr.isatty() or text.endswith(("\x1b[2K", "\x1b[?25h"))  # nothing stays


def test_nothing_in_a_pipe(at_once, monkeypatch):
    assert show(io.StringIO(), monkeypatch) == ""


def test_nothing_for_what_is_short(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with ProgressBar() as bar:
        bar(HALF)
    assert terminal.getvalue() == ""


def test_a_notebook(at_once, monkeypatch):
    """A bar of HTML, which an error takes away, too."""
    shown = []
    handle = SimpleNamespace(update=shown.append)
    package, display = ModuleType("IPython"), ModuleType("IPython.display")
    package.get_ipython = lambda: SimpleNamespace(kernel=object())
    display.HTML = str
    display.display = lambda html, display_id: shown.append(html) or handle
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    with pytest.raises(KeyboardInterrupt), ProgressBar() as bar:
        end = time.monotonic() + 5
        while not bar._open and time.monotonic() < end:
            time.sleep(0.005)
        bar(Progress("<b>.mp4", 0, 1, 1.0, 4.0))
        raise KeyboardInterrupt
    bar = '<progress value="0.250"></progress> &lt;b&gt;.mp4: 25%'
    assert shown == ["", "<progress></progress> ", bar, ""]
