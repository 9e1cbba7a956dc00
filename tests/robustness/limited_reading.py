"""Reads files in processes with limits, and tells what became of each."""

from __future__ import annotations

import io
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from emoclip_sdk.runtime.worker_pool import WorkerPool

from .codec_clips import Clip, encode

LIMIT_S = 10.0
LIMIT_MB = 1500.0


@dataclass
class Outcome:
    """What became of one file. `kind`: "result", a class of our errors, or what must not be."""

    name: str
    kind: str
    text: str = ""
    seconds: float = 0.0
    peak_mb: float = 0.0
    wrong: str | None = None
    foreign: bool = False
    network: int = 0


@dataclass
class Report:
    """What became of all files."""

    outcomes: list[Outcome] = field(default_factory=list)
    tried: int = 0

    @property
    def kinds(self) -> Counter[str]:
        return Counter(outcome.kind for outcome in self.outcomes)

    @property
    def wrong(self) -> list[str]:
        return [f"{o.name}: {o.wrong}" for o in self.outcomes if o.wrong]

    def lines(self) -> list[tuple[str, str]]:
        """The rows of the table that ``make soak`` prints."""
        slowest = max(self.outcomes, key=lambda o: o.seconds)
        largest = max(self.outcomes, key=lambda o: o.peak_mb)
        kinds = self.kinds
        return [
            ("tried", str(self.tried)),
            ("results", str(kinds.pop("result", 0))),
            ("crashes contained", str(kinds.pop("lost", 0))),
            *((kind, str(n)) for kind, n in kinds.most_common()),
            ("foreign exceptions", str(sum(o.foreign for o in self.outcomes))),
            ("hangs", str(sum(o.seconds > LIMIT_S or _hung(o) for o in self.outcomes))),
            ("over memory", str(sum(o.peak_mb > LIMIT_MB for o in self.outcomes))),
            ("rows lost", str(self.tried - len(self.outcomes))),
            ("calls to the network", str(sum(o.network for o in self.outcomes))),
            ("slowest", f"{slowest.seconds:.1f} s ({slowest.name})"),
            ("peak memory", f"{largest.peak_mb:.0f} MB ({largest.name})"),
            ("promises broken", str(len(self.wrong))),
        ]


def read_all(
    clips: Iterable[Clip],
    checkpoint: Path,
    folder: Path,
    *,
    limit_s: float = LIMIT_S,
    limit_mb: float = LIMIT_MB,
    processes: int = 2,
    checks: Callable[[Any, str], Any] | None = None,
) -> Report:
    """Read files, one after the other, in `processes` processes.

    Parameters
    ----------
    clips : iterable of Clip
    checkpoint : Path
        A small model.
    folder : Path
        For the files.
    limit_s, limit_mb : float
        What one file may take.
    checks : callable
        Opens what reads a file in a process: :func:`open_checks`, or one of those beside it.
    """
    jobs: list[tuple[int, str, str]] = []
    names: list[str] = []

    def write() -> Iterable[tuple[int, str, str]]:
        for i, clip in enumerate(clips):
            path = folder / f"{i:04}.{clip.suffix}"
            path.write_bytes(clip.data)
            names.append(clip.name)
            jobs.append((i, clip.name, str(path)))
            yield jobs[-1]

    found: dict[int, Outcome] = {}
    # The limit is checked on what the process says; the pool's is for those that say nothing.
    with WorkerPool(
        processes, checks or open_checks, (str(checkpoint),), timeout=6 * limit_s, attempts=1
    ) as pool:
        for event in pool.run(write()):
            if event is None:
                continue
            outcome = (
                event.value
                if event.kind == "done"
                else Outcome(names[event.job], "lost", event.value)
            )
            if outcome.seconds > limit_s:
                outcome.wrong = outcome.wrong or f"took {outcome.seconds:.1f} s"
            if _hung(outcome):
                outcome.wrong = outcome.text
            if outcome.peak_mb > limit_mb:
                outcome.wrong = outcome.wrong or f"took {outcome.peak_mb:.0f} MB"
            found[event.job] = outcome
            Path(jobs[event.job][2]).unlink(missing_ok=True)
    return Report([found[i] for i in sorted(found)], len(jobs))


def _hung(outcome: Outcome) -> bool:
    return outcome.kind == "lost" and "longer than" in outcome.text


def open_checks(send: Any, checkpoint: str) -> Any:
    """Load the model in a worker process; return what reads one file."""
    import torch

    from emoclip_sdk import EmoCLIP

    torch.set_num_threads(1)
    model = EmoCLIP.from_pretrained(checkpoint, device="cpu")
    good = encode("mp4", "mpeg4", "yuv420p")
    expected = model.classify(good, faces="none").to_dict()
    model.classify(np.zeros((2, 64, 64, 3), np.uint8), faces="detect")

    def read(number: int, path: str) -> None:
        # Detection costs much more than the rest, and sees pictures, not files.
        _read(model, _given(number, path), "detect" if number % 4 == 0 else "none")

    def unharmed() -> str | None:
        same = model.classify(good, faces="none").to_dict() == expected
        return None if same else "a good file is classified otherwise afterwards"

    return _check(read, unharmed)


def open_all_calls(send: Any, checkpoint: str) -> Any:
    """As `open_checks`, but each file goes through one of the five main calls, in turn."""
    import torch

    from emoclip_sdk import EmoCLIP

    torch.set_num_threads(1)
    model = EmoCLIP.from_pretrained(checkpoint, device="cpu")
    model.actions(np.zeros((2, 64, 64, 3), np.uint8), faces="none")
    labels = ["joy", "anger"]

    def read(number: int, path: str) -> None:
        call = number // 9 % 6  # of nine kinds of mutations
        if call == 0:
            _read(model, _given(number, path), "detect" if number % 2 else "none")
        elif call == 1:
            model.timeline(path, labels, step=0.1, faces="none", actions=True)
        elif call == 2:
            model.actions(_given(number, path), rate="all", faces="none")
        elif call == 3:
            model.explain(path, labels, faces="none")
        elif call == 4:
            model.embed(path, sampling="uniform", faces="none")
        else:
            timeline = model.timeline(path, labels, faces="none")
            written = Path(f"{path}.annotated.mp4")
            try:
                timeline.annotate(path, written)
            finally:
                written.unlink(missing_ok=True)

    return _check(read)


def open_models(send: Any, checkpoint: str) -> Any:
    """Load `checkpoint` with another configuration (.json) or prompt file (.yaml) and use it."""
    import shutil

    import torch

    from emoclip_sdk import EmoCLIP

    torch.set_num_threads(1)
    EmoCLIP.from_pretrained(checkpoint, device="cpu").classify(
        np.zeros((4, 32, 32, 3), np.uint8), faces="none"
    )

    def read(number: int, path: str) -> None:
        folder = Path(f"{path}.model")
        shutil.copytree(checkpoint, folder)
        try:
            name = "config.json" if path.endswith(".json") else "prompts.yaml"
            (folder / name).write_bytes(Path(path).read_bytes())
            model = EmoCLIP.from_pretrained(folder, device="cpu")
            frames = np.zeros((4, 32, 32, 3), np.uint8)
            labels = [*model.prompts.names()[:3], *list(model.prompts.compounds)[-2:]]
            for requested in (labels or None, ["joy", "anger"]):
                scores = model.classify(frames, requested, faces="none").scores
                if not np.isfinite(list(scores.values())).all():
                    raise AssertionError(f"scores {scores}")
            model.save_pretrained(folder / "again")
        finally:
            shutil.rmtree(folder)

    return _check(read)


def _check(
    read: Callable[[int, str], None], unharmed: Callable[[], str | None] = lambda: None
) -> Callable[[tuple[int, str, str]], Outcome]:
    from emoclip_sdk import EmoCLIPError

    calls = _count_network_calls()

    def check(job: tuple[int, str, str]) -> Outcome:
        number, name, path = job
        _reset_peak()
        calls.clear()
        begun = time.process_time()  # not of a clock on the wall: others work here, too
        kind, text, wrong, foreign = "result", "", None, False
        try:
            read(number, path)
        except EmoCLIPError as error:
            kind, text = type(error).__name__, str(error)
            if "Traceback" in text or len(text) > 2000:
                wrong = f"an error that nobody can read: {text[:200]}"
        except BaseException as error:
            kind, wrong, foreign = type(error).__name__, f"{type(error).__name__}: {error}", True
        seconds = time.process_time() - begun
        if calls:
            wrong = f"called {calls[0]}"
        return Outcome(
            name, kind, text, seconds, _peak_mb(), wrong or unharmed(), foreign, len(calls)
        )

    return check


def _count_network_calls() -> list[str]:
    """Let nobody out; return the list of who was called."""
    import socket

    calls: list[str] = []

    def refuse(*arguments: Any, **_: Any) -> Any:
        calls.append(repr(arguments[-1]))
        raise OSError("no network in this test")

    socket.socket.connect = refuse  # type: ignore[method-assign]
    socket.getaddrinfo = refuse
    return calls


def _given(number: int, path: str) -> Any:
    """Give a file as a path, mostly, as bytes, or as a file object."""
    if number % 5 == 1:
        return Path(path).read_bytes()
    if number % 5 == 2:
        return io.BytesIO(Path(path).read_bytes())
    return path


def _read(model: Any, video: Any, faces: str) -> None:
    read = model.read(video, faces=faces)
    result = model.classify(read)
    values = np.array(list(result.scores.values()))
    if result.face_found and not np.isclose(values.sum(), 1, atol=1e-3):
        raise AssertionError(f"scores {values}")
    for i, _ in enumerate(model.timeline_rows(read)):
        if i > 200_000:
            raise AssertionError("more rows than anybody can use")


def _reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
