"""Checks of ``emoclip doctor``: is everything installed that the package needs, and does it work.

Each check stands for itself: where torch can't be imported, the others are still made.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from .. import __version__
from ..errors import EmoCLIPError
from ..runtime.processes import usable_cpus

__all__ = ["Finding", "dependencies", "examine"]

_DISTRIBUTION = "emoclip_sdk"
_DEVELOPERS = ("dev", "docs", "test", "test-browser")
_SAY_MORE = (
    "EMOCLIP_DEBUG=1 emoclip classify VIDEO shows where; report it with what "
    "emoclip doctor --verbose prints"
)
_LITTLE_SPACE = 2 * 10**9
_IMPORTS = {  # what each is needed for is said where it fails
    "torch": "the model",
    "open_clip": "the text and image towers",
    "av": "reading videos",
    "cv2": "cameras and `emoclip demo`",
    "facenet_pytorch": "finding faces",
    "safetensors": "reading weights",
    "huggingface_hub": "downloading models",
}


State = Literal["ok", "note", "wrong"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    subject : str
    state : {"ok", "note", "wrong"}
        A note is worth knowing and nothing to mend.
    text : str
        The result.
    advice : str
        What to do about it; empty where there is nothing to do.
    """

    subject: str
    state: State
    text: str
    advice: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return the fields as strings, ready for JSON."""
        return asdict(self)


def examine(model: str | None = None, device: str = "auto") -> Iterator[Finding]:
    """Look at Python, packages, device, caches and a model, in this order.

    Parameters
    ----------
    model : str, optional
        As for :meth:`EmoCLIP.from_pretrained`. Nothing is downloaded.
    device : str
        As for :class:`EmoCLIP`.
    """
    try:
        importlib.metadata.version(_DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        text = f"{_DISTRIBUTION} {__version__} is used from {Path(__file__).parent}, not installed"
        yield Finding("packages", "wrong", text, f"pip install {_DISTRIBUTION}")
    else:
        yield _python()
        yield from _packages()
    imported = []
    for name, purpose in _IMPORTS.items():
        finding = _import(name, purpose)
        if finding.state == "wrong":
            yield finding
        else:
            imported.append(name)
    yield _processor()
    if "torch" in imported:
        yield _graphics()
    yield from _folders()
    yield from _settings()
    if {*imported, "cv2"} == {*_IMPORTS}:  # without OpenCV, all but cameras and the page works
        yield _trial(model, device)


def _python() -> Finding:
    needed = importlib.metadata.metadata(_DISTRIBUTION)["Requires-Python"]
    version = f"{platform.python_version()} at {sys.executable}, {platform.platform()}"
    if platform.python_version() not in SpecifierSet(needed):
        return Finding("Python", "wrong", version, f"install a Python {needed}")
    return Finding("Python", "ok", version)


def dependencies() -> dict[str, list[Requirement]]:
    """Return what the package asks for by its extras; what everybody needs is under ``""``.

    An extra of extras, and those for developers, are left out.
    """
    requirements: dict[str, list[Requirement]] = {"": []}
    extras = importlib.metadata.metadata(_DISTRIBUTION).get_all("Provides-Extra") or ()
    for text in importlib.metadata.requires(_DISTRIBUTION) or ():
        needed = Requirement(text)
        if needed.name.replace("-", "_") == _DISTRIBUTION:
            continue
        if needed.marker is None or needed.marker.evaluate({"extra": ""}):
            requirements[""].append(needed)
            continue
        for extra in extras:
            if extra not in _DEVELOPERS and needed.marker.evaluate({"extra": extra}):
                requirements.setdefault(extra, []).append(needed)
    return requirements


def _packages() -> Iterator[Finding]:
    """Compare what is installed with what the package and its extras ask for."""
    for extra, needed in sorted(dependencies().items()):
        problems = "; ".join(filter(None, map(_problem, needed)))
        if extra:
            advice = f'if you need it: pip install "{_DISTRIBUTION}[{extra}]"' if problems else ""
            state: State = "note" if problems else "ok"
            yield Finding(f"extra '{extra}'", state, problems or "installed", advice)
        elif problems:
            yield Finding("packages", "wrong", problems, f"pip install --upgrade {_DISTRIBUTION}")
        else:
            versions = [f"{n.name} {importlib.metadata.version(n.name)}" for n in needed]
            yield Finding("packages", "ok", f"{_DISTRIBUTION} {__version__}, {', '.join(versions)}")


def _problem(requirement: Requirement) -> str | None:
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return f"{requirement.name} is missing"
    if requirement.specifier.contains(version, prereleases=True):
        return None
    return f"{requirement.name} is {version}, not {requirement.specifier}"


def _import(name: str, purpose: str) -> Finding:
    try:
        importlib.import_module(name)
    except Exception as error:  # a broken installation fails in any way
        text = f"{name} can't be imported ({type(error).__name__}: {error})"
        advice = f"it is needed for {purpose}: install it again"
        if "libGL" in str(error) or "libgthread" in str(error):
            advice = "apt-get install libgl1 libglib2.0-0, or the package opencv-python-headless"
        return Finding(name, "wrong", text, advice)
    return Finding(name, "ok", "")


def _processor() -> Finding:
    from ..runtime.machine import memory, processor

    text = f"{processor()}, {usable_cpus()} usable cores"
    total = memory()
    if total is not None:
        text += f", {total / 2**30:.0f} GB of memory"
    return Finding("processor", "ok", text)


def _graphics() -> Finding:
    import warnings

    import torch

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        available = torch.cuda.is_available()
    if available:
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        return Finding("GPU", "ok", f"{', '.join(names)} (CUDA {torch.version.cuda})")
    card = Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None
    if not card:
        return Finding("GPU", "note", "none: the model runs on the processor")
    if torch.version.cuda is None:
        text = f"there is one, and torch {torch.__version__} was built without CUDA"
        return Finding("GPU", "wrong", text, "install torch as https://pytorch.org says for CUDA")
    reason = str(caught[0].message).partition("\n")[0] if caught else "torch doesn't say why"
    advice = f"update the driver, or install a torch for a CUDA older than {torch.version.cuda}"
    return Finding("GPU", "wrong", f"there is one, and torch can't use it: {reason}", advice)


def _folders() -> Iterator[Finding]:
    places = {"temporary files": _temporary()}
    with suppress(ImportError):
        from huggingface_hub.constants import HF_HUB_CACHE

        places = {"model cache": HF_HUB_CACHE, **places}
    for subject, place in places.items():
        folder = Path(place)
        existing = next(p for p in (folder, *folder.parents) if p.exists())
        if not os.access(existing, os.W_OK):
            advice = "set HF_HOME" if subject == "model cache" else "set TMPDIR"
            yield Finding(
                subject, "note", f"{folder} can't be written to", f"{advice} to a folder that can"
            )
            continue
        free = shutil.disk_usage(existing).free
        text = f"{folder}, {free / 1e9:.1f} GB free"
        if subject == "model cache":
            cached = [p for p in folder.glob("models--*") if p.is_dir()]
            names = ", ".join(p.name.removeprefix("models--").replace("--", "/") for p in cached)
            text += f", holds {names}" if names else ", empty"
        if free < _LITTLE_SPACE:
            yield Finding(subject, "note", text, "a model may need more space than that")
        else:
            yield Finding(subject, "ok", text)


def _temporary() -> str:
    try:
        return tempfile.gettempdir()
    except OSError:  # none can be written to
        return os.environ.get("TMPDIR", "/tmp")


def _settings() -> Iterator[Finding]:
    """Name the environment variables that change what the package does."""
    names = ("HF_HUB_OFFLINE", "HF_ENDPOINT", "HF_HOME", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES")
    settings = [f"{name}={os.environ[name]}" for name in names if name in os.environ]
    if settings:
        yield Finding("environment", "note", ", ".join(settings))


def _trial(model: str | None, device: str) -> Finding:
    """Do the main job once, on the clip that comes with the package."""
    begun = time.perf_counter()

    def since() -> str:
        return f"{time.perf_counter() - begun:.1f} s"

    subject = f"model {model}" if model else "embedded model"
    try:
        from ..model import EmoCLIP
        from .bench.clips import portrait

        loaded = EmoCLIP.from_pretrained(model, device=device, local_files_only=True)
        ready = since()
        begun = time.perf_counter()
        path = portrait()
        if not loaded.config.towers.text or not loaded.labels:
            loaded.embed(path)
            return Finding(subject, "ok", f"loaded in {ready}; embedded a clip in {since()}")
        result = loaded.classify(path)
    except Exception as error:  # of any library: this is what doctor is for
        if not isinstance(error, EmoCLIPError):
            return Finding(subject, "wrong", f"{type(error).__name__}: {error}", _SAY_MORE)
        advice = "" if model else f"pip install --force-reinstall {_DISTRIBUTION}"
        return Finding(subject, "wrong", str(error), advice)
    if result.label is None:
        return Finding(subject, "wrong", "no face was found in the clip that comes with us")
    dtype = str(loaded.encoder.dtype).removeprefix("torch.")
    return Finding(
        subject,
        "ok",
        f"loaded in {ready} ({loaded.encoder.device}, {dtype}); "
        f"read '{result.label}' in the clip that comes with us in {since()}",
    )
