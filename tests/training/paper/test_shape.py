"""Landmarks beside the pixels: a shape stream that learns on cached frames."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from emoclip_sdk import EmoCLIP
from emoclip_sdk.checkpoints import save_folder
from emoclip_sdk.config import ActionSpaceConfig
from emoclip_sdk.errors import DatasetError, EmoCLIPError
from emoclip_sdk.faces import Detection
from emoclip_sdk.faces.landmarks import FaceLandmarker, FaceShapes
from emoclip_sdk.nn import DualEncoder
from emoclip_sdk.nn.shape import ShapeStream
from emoclip_sdk.training.data.cache import frame_embeddings, frame_shapes, pool_frames
from emoclip_sdk.training.data.datasets.clips import Clip
from emoclip_sdk.training.data.embed import View
from emoclip_sdk.training.data.shapes import fuse_frames
from emoclip_sdk.training.engine.loop import Trainer
from emoclip_sdk.training.evaluation.frames import clip_frames
from emoclip_sdk.training.paper import read_settings, run_experiment, setup
from emoclip_sdk.training.paper.start import start_model

from .conftest import CLASSES, colors, tiny_recipe
from .test_resuming import assert_same, interrupt

CPU = torch.device("cpu")


class Landmarks:
    """In place of the network: a face that moves with colors; a blue picture shows none."""

    def __init__(self) -> None:
        self.pictures = 0

    def __call__(self, frames: Sequence[NDArray[np.uint8]], regions: Sequence[Any]) -> FaceShapes:
        self.pictures += len(frames)
        rng = np.random.default_rng(0)
        mean = np.array([frame.mean(axis=(0, 1)) for frame in frames]).reshape(-1, 3)
        moves = np.tensordot(mean / 50, rng.uniform(-1, 1, (3, 478, 3)), axes=1)
        landmarks = (rng.uniform(8, 24, (478, 3)) + moves).astype(np.float32)
        landmarks[:, [33, 133], :2], landmarks[:, [362, 263], :2] = (11, 14), (21, 14)
        blendshapes = np.repeat(mean[:, :2] / 255, 26, axis=1).astype(np.float32)
        return FaceShapes(landmarks, (mean[:, 2] < 120).astype(np.float32), blendshapes)


@pytest.fixture
def landmarks(monkeypatch: pytest.MonkeyPatch) -> Landmarks:
    fake = Landmarks()
    monkeypatch.setattr(FaceLandmarker, "__init__", lambda self, *_, **__: None)
    monkeypatch.setattr(FaceLandmarker, "__call__", lambda self, *images: fake(*images))
    return fake


def shape_recipe(experiment: str = "contrastive") -> dict[str, Any]:
    recipe = tiny_recipe(experiment)
    recipe["model"]["shape"] = {"hidden": 8}
    recipe["optim"]["lr"]["shape"] = 3e-3
    return recipe


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def test_a_trained_stream_is_that_of_an_ordinary_model(
    tmp_path: Path, landmarks: Landmarks, monkeypatch: pytest.MonkeyPatch
) -> None:
    validated: list[NDArray[np.float32]] = []
    original = setup.class_scores

    def scores(model: EmoCLIP, video: NDArray[np.float32], *labels: Any, **options: Any) -> Any:
        validated.append(video)
        return original(model, video, *labels, **options)

    monkeypatch.setattr(setup, "class_scores", scores)
    recipe = shape_recipe()
    recipe["optim"] |= {"epochs": 1, "batch_size": 8, "warmup": 0, "kind": "sgd", "momentum": 0.9}
    recipe["optim"] |= {"schedule": "multistep", "milestones": [], "weight_decay": 0.0}
    recipe["optim"]["lr"] = {"temporal": 1e-2, "logit_scale": 1e-3, "shape": 1.0}
    run_experiment(recipe, colors(), tmp_path / "model", tmp_path / "run")
    lines = (tmp_path / "run/log.csv").read_text().splitlines()
    assert len(lines) == 3  # a heading and two steps

    model = EmoCLIP.from_pretrained(tmp_path / "model", device="cpu")
    stream = model.encoder.network.shape
    assert stream is not None and model.config.shape is not None and model.config.shape.hidden == 8
    # The last layer began with nothing to say, and the first one learned through it.
    assert stream.fc2.weight.abs().max() > 0 and stream.fc2.bias.abs().max() > 0
    settings = read_settings(recipe).model
    start = start_model(settings, CLASSES, seed=recipe["seed"], device=torch.device("cpu"))
    assert start.encoder.network.shape is not None
    begun = start.encoder.network.shape.fc1.weight
    assert not torch.allclose(stream.fc1.weight, begun, atol=1e-5)

    clips = colors().splits["valid"]
    video = pool_frames(model, clip_frames(model, clips))
    embedded = model.embed([clip.video for clip in clips], faces="none")
    np.testing.assert_allclose(video, embedded, atol=1e-5)
    np.testing.assert_allclose(validated[-1], video, atol=5e-3)  # from float16
    assert model.classify(clips[0].video, faces="none", labels=CLASSES).label in CLASSES

    # Blue pictures have no landmarks: their pixels stand alone, in training and in use.
    alone = pool_frames(model, frame_embeddings(model, clips, pixels_alone=True))
    blue = np.array([clip.label == 3 for clip in clips])
    np.testing.assert_array_equal(video[blue], alone[blue])
    assert np.abs(video[~blue] - alone[~blue]).max(axis=1).min() > 0.05


def test_a_new_stream_changes_nothing_at_first(
    tmp_path: Path, tiny_checkpoint: Path, landmarks: Landmarks
) -> None:
    recipe = shape_recipe()
    recipe["model"] = {"start": str(tiny_checkpoint), "shape": {"hidden": 8}}
    recipe["optim"] |= {"epochs": 1, "lr": {"shape": 1e-12}}
    run_experiment(recipe, colors(), tmp_path / "model", tmp_path / "run")
    before, after = (
        clip_frames(EmoCLIP.from_pretrained(folder, device="cpu"), colors().splits["test"])
        for folder in (tiny_checkpoint, tmp_path / "model")
    )
    np.testing.assert_allclose(np.concatenate(after), np.concatenate(before), atol=1e-5)
    old, new = weights(tiny_checkpoint), weights(tmp_path / "model")
    assert new.keys() - old.keys() == {name for name in new if name.startswith("shape.")}
    assert all(torch.equal(new[name], old[name]) for name in old)
    # Go on from it: the stream and its standardization are kept, and serve a probe as they are.
    recipe = shape_recipe("probe")
    recipe["model"] = {"start": str(tmp_path / "model")}
    recipe["optim"] |= {"epochs": 1}
    recipe.pop("objective")
    run_experiment(recipe, colors(), tmp_path / "probe", tmp_path / "probe-run")
    recipe = shape_recipe()
    recipe["model"] = {"start": str(tmp_path / "model")}
    recipe["optim"]["epochs"] = 1
    run_experiment(recipe, colors(5), tmp_path / "more", tmp_path / "more-run")
    first, more = weights(tmp_path / "model"), weights(tmp_path / "more")
    for name in ("mean", "deviation", "gain"):
        assert torch.equal(first[f"shape.{name}"], more[f"shape.{name}"])
    assert not torch.equal(first["shape.fc2.weight"], more["shape.fc2.weight"])


def test_a_run_that_is_broken_off_measures_nothing_twice(
    tmp_path: Path, landmarks: Landmarks, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_experiment(shape_recipe(), colors(), tmp_path / "a/out", tmp_path / "a/run")
    measured = landmarks.pictures
    assert measured > 0

    def stop() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        interrupt(patch, 6, stop)
        with pytest.raises(KeyboardInterrupt):
            run_experiment(shape_recipe(), colors(), tmp_path / "b/out", tmp_path / "b/run")
    assert landmarks.pictures == 2 * measured
    run_experiment(shape_recipe(), colors(), tmp_path / "b/out", tmp_path / "b/run")
    assert landmarks.pictures == 2 * measured
    assert_same(tmp_path / "a", tmp_path / "b")
    # They are measured once for all image towers that see the same pictures.
    recipe = shape_recipe()
    recipe["model"]["towers"]["model"]["vision_cfg"]["width"] = 48
    recipe["data"]["cache"] = str(tmp_path / "a/run/cache")
    run_experiment(recipe, colors(), tmp_path / "c", tmp_path / "c-run")
    assert landmarks.pictures == 2 * measured


def test_a_space_of_actions_is_left_out_where_the_model_learns(tmp_path: Path) -> None:
    """It would not learn along; a probe reads all of a model's embeddings."""
    torch.manual_seed(0)
    base = start_model(read_settings(shape_recipe()).model, CLASSES, seed=0, device=CPU).config
    config = dataclasses.replace(base, actions=ActionSpaceConfig(width=8, hidden=8, heads=2))
    network = DualEncoder(config)
    save_folder(tmp_path, config, network.state_dict())
    recipe = tiny_recipe()
    recipe["model"] = {"start": str(tmp_path)}
    settings = read_settings(recipe).model
    trained = start_model(settings, CLASSES, seed=0, device=CPU)
    probed = start_model(settings, CLASSES, seed=0, device=CPU, learns=False)
    assert trained.config.actions is None and probed.config.actions == config.actions
    assert probed.encoder.width == network.width == trained.encoder.width + 16
    for model in (trained, probed):
        for name, tensor in model.encoder.network.state_dict().items():
            assert torch.equal(tensor, network.state_dict()[name]), name
    # What the model says of labels that are no actions is the same, up to their share in them.
    last = probed.encoder.network.actions.about_actions[2]
    torch.nn.init.zeros_(last.weight)
    torch.nn.init.constant_(last.bias, -100.0)
    crops = colors().splits["valid"][0].video
    one, two = (m.classify(crops, faces="none", labels=CLASSES).scores for m in (trained, probed))
    assert one == pytest.approx(two, abs=1e-5)


@pytest.mark.parametrize("view", [None, View(0), View(1)])
def test_pixels_and_shapes_apart_are_what_the_model_sees_together(
    view: View | None,
    two_faces: NDArray[np.uint8],
    landmarks: Landmarks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class OneFace:
        def detect(self, frames: list[NDArray[np.uint8]]) -> list[list[Detection]]:
            face = Detection((10.0, 10.0, 60.0, 60.0), 0.99)
            return [[face] if frame[0, 0, 0] > 128 else [] for frame in frames]

    monkeypatch.setattr("emoclip_sdk.training.data.frames.MTCNNDetector", lambda config: OneFace())
    settings = read_settings(shape_recipe()).model
    model = start_model(settings, CLASSES, seed=0, device=torch.device("cpu"))
    assert model.encoder.network.shape is not None
    torch.nn.init.normal_(model.encoder.network.shape.fc2.weight)
    frames = two_faces[20:36].copy()
    frames[:, 1:, :, 2] //= 2  # else they are too blue to show landmarks
    frames[2:6, 1:, :, 2] += 40
    clips = [Clip("faces", frames), Clip("nobody", np.zeros_like(frames))]
    together = frame_embeddings(model, clips, cropped=False, view=view)
    pixels = frame_embeddings(model, clips, cropped=False, view=view, pixels_alone=True)
    shapes = frame_shapes(model, clips, cropped=False, view=view)
    rows = [np.concatenate(pair, axis=1) for pair in zip(pixels, shapes, strict=True)]
    for fused, expected in zip(fuse_frames(model, rows), together, strict=True):
        np.testing.assert_allclose(fused, expected, atol=1e-5)
    seen = np.isfinite(pixels[0][:, 0])
    has_shape = np.isfinite(shapes[0][:, 0])
    assert seen.all() == (view is not None)  # the face is gone at the end
    assert 0 < has_shape.sum() < seen.sum() and not (has_shape & ~seen).any()
    assert len(shapes[1]) == 0


def test_in_parts_and_left_out_class(
    tmp_path: Path, landmarks: Landmarks, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = shape_recipe("loco")
    recipe["objective"] = {"texts": "descriptions", "positives": "class"}
    recipe["loco"] = {"classes": ["anger"]}
    recipe["optim"] |= {"epochs": 1, "accumulate": 2}
    losses: list[float] = []
    original = Trainer._report

    def report(self: Trainer, writer: Any) -> None:
        losses.append(self._running.item())
        original(self, writer)

    monkeypatch.setattr(Trainer, "_report", report)
    figures = run_experiment(recipe, colors(), tmp_path / "out", tmp_path / "run")
    assert set(figures["per_class"]) == {"anger"} and np.isfinite(losses).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"optim": {"lr": {"temporal": 1e-3}}}, "give optim.lr.shape"),
        ({"optim": {"lr": {"shape": 1e-3, "visual": 1e-3}}}, "start from it: --recipe mafw-frozen"),
        ({"experiment": "probe"}, "a probe's encoder is trained before it"),
        ({"model": {"start": None, "towers": None, "shape": {"width": 8}}}, "width"),
    ],
)
def test_recipes_that_cannot_be(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    recipe = shape_recipe() | change
    with pytest.raises(EmoCLIPError, match=message):
        run_experiment(recipe, colors(), tmp_path / "out", tmp_path / "run")


def test_what_can_be_found_out_only_then(
    tmp_path: Path, landmarks: Landmarks, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = shape_recipe()
    recipe["optim"]["epochs"] = 1
    run_experiment(recipe, colors(), tmp_path / "model", tmp_path / "run")
    tuned = tiny_recipe(frozen=False)
    tuned["model"] = {"start": str(tmp_path / "model")}
    with pytest.raises(EmoCLIPError, match="model.start: a model with a shape stream"):
        run_experiment(tuned, colors(), tmp_path / "tuned", tmp_path / "tuned-run")
    nobody = colors()
    monkeypatch.setattr(
        Landmarks, "__call__", lambda self, frames, regions: FaceShapes(
            np.zeros((len(frames), 478, 3), np.float32), np.zeros(len(frames), np.float32),
            np.zeros((len(frames), 52), np.float32),
        ),
    )  # fmt: skip
    with pytest.raises(DatasetError, match="no landmarks are found in the training clips"):
        run_experiment(recipe, nobody, tmp_path / "nobody", tmp_path / "nobody-run")


def test_what_is_missing_has_no_gradient() -> None:
    from emoclip_sdk.config import ShapeConfig
    from emoclip_sdk.nn.shape import SHAPE_FEATURES

    torch.manual_seed(0)
    stream = ShapeStream(4, ShapeConfig(hidden=3))
    rows = torch.randn(2, 3, 4 + SHAPE_FEATURES)
    rows[:, 1:, 4:] = float("nan")
    fused = stream.fuse(rows)
    assert torch.equal(fused[:, 1:], rows[:, 1:, :4])
    torch.testing.assert_close(fused[:, 0], rows[:, 0, :4] + stream(rows[:, 0, 4:]))
    fused.sum().backward()
    with_gaps = stream.fc1.weight.grad
    assert with_gaps is not None and torch.isfinite(with_gaps).all()
    stream.fc1.weight.grad = None
    stream.fuse(rows[:, :1]).sum().backward()
    torch.testing.assert_close(with_gaps, stream.fc1.weight.grad)
