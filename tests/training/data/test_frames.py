"""Which frames training sees, and what is done to them."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from emoclip_sdk.config import FaceConfig, ImageConfig, ModelConfig, SamplingConfig, TowersConfig
from emoclip_sdk.runtime.worker_pool import WorkerPool
from emoclip_sdk.training.data.datasets.clips import Clip
from emoclip_sdk.training.data.frames import (
    Augmentation,
    FrameSelection,
    clip_crops,
    clip_rng,
    draw_transform,
    fill_gaps,
    read_clip_crops,
    warp,
)

CONFIG = ModelConfig(
    TowersConfig(name="ViT-B-32"),
    sampling=SamplingConfig(n_frames=6, rate=5.0, stride=2),
    faces=FaceConfig(margin=0.0, detect_every=1),
    image=ImageConfig(size=16),
)


def numbered(n: int, side: int = 16) -> np.ndarray:
    """Frames whose gray level is ten times their number."""
    return np.broadcast_to(
        (10 * np.arange(n, dtype=np.uint8))[:, None, None, None], (n, side, side, 3)
    ).copy()


def levels(clip: Clip, take: FrameSelection) -> list[int]:
    crops = clip_crops(clip, CONFIG, take)
    return [int(crops.images[row].float().mean() / 10 + 0.5) for row in crops.rows]


def test_paper_window_wraps_round_and_reflects() -> None:
    clip = Clip("a", numbered(20))
    result = {tuple(levels(clip, FrameSelection("wrap", seed=seed))) for seed in range(40)}
    assert len(result) > 5
    for window in result:
        assert len(window) == 6 and all(i % 2 == 0 for i in window)
        steps = {(b - a) % 20 for a, b in itertools.pairwise(window)}
        assert steps == {2}
    short = Clip("b", numbered(6))  # 0, 2 and 4 are kept, too few for six
    assert all(
        set(levels(short, FrameSelection("wrap", seed=seed))) == {0, 2, 4} for seed in range(5)
    )


def test_other_ways_to_take_frames() -> None:
    clip = Clip("a", numbered(10))
    assert levels(clip, FrameSelection("stride", phase=1)) == [1, 3, 5, 7, 9]
    assert levels(clip, FrameSelection("rate")) == [0, 5]  # an array counts as 25 frames a second
    assert levels(Clip("one", numbered(1)), FrameSelection("stride", phase=1)) == [0]


def test_each_distinct_frame_is_read_once() -> None:
    crops = clip_crops(Clip("b", numbered(6)), CONFIG, FrameSelection("wrap"))
    assert len(crops.images) == 3 and len(crops.rows) == 6


def test_what_is_drawn_depends_on_seed_epoch_and_clip_alone() -> None:
    def draw(seed: int, epoch: int, clip: str) -> list[float]:
        return (
            draw_transform(clip_rng(seed, epoch, clip, "view"), Augmentation()).flatten().tolist()
        )

    assert draw(0, 1, "a") == draw(0, 1, "a")
    assert len({tuple(draw(*x)) for x in ((0, 1, "a"), (1, 1, "a"), (0, 2, "a"), (0, 1, "b"))}) == 4


def test_one_transform_for_all_frames() -> None:
    frames = torch.from_numpy(numbered(3, side=32))
    frames[:, :, :16] = 0  # the left half is dark, and the right one tells the frame's number
    flip = draw_transform(np.random.default_rng(0), Augmentation(flip=1.0, rotation=0.0, crop=1.0))
    flipped = warp(frames, flip.expand(3, 2, 3))
    assert torch.allclose(flipped, frames.flip(2).float(), atol=1e-3)
    drawn = draw_transform(np.random.default_rng(1), Augmentation())
    warped = warp(frames, drawn.expand(3, 2, 3))
    assert torch.allclose(warped[2], 2 * warped[1], atol=1e-3)


def test_augmentation_stays_within_its_bounds() -> None:
    for seed in range(50):
        matrix = draw_transform(np.random.default_rng(seed), Augmentation(0.5, 6.0, 0.8))
        side = matrix[:, 0].norm().item()
        assert 0.8 <= side <= 1 + 1e-6
        assert abs(np.degrees(np.arcsin(matrix[1, 0].item() / side))) <= 6.001
        assert matrix[:, 2].abs().max().item() <= 1 - side + 1e-6


def test_gaps_are_filled_with_the_nearest_frame() -> None:
    assert fill_gaps([-1, 0, -1, -1, -1, 1, -1]) == [0, 0, 0, 0, 1, 1, 1]
    assert fill_gaps([-1, -1]) == [-1, -1]


class _RightHalf:
    """Finds a face on the right where the frame is bright, and a small one that is not it."""

    def detect(self, frames: list[np.ndarray]) -> list[list[object]]:
        from emoclip_sdk.faces import Detection

        return [
            [Detection((20.0, 0.0, 60.0, 40.0), 0.99), Detection((0.0, 0.0, 12.0, 12.0), 0.95)]
            if frame.max() > 100
            else []
            for frame in frames
        ]


def test_most_prominent_face_is_cut_out() -> None:
    frames = np.zeros((10, 40, 60, 3), np.uint8)
    frames[4:, :, 20:] = 200
    clip = Clip("a", frames)
    crops = clip_crops(
        clip,
        CONFIG,
        FrameSelection("stride"),
        cropped=False,
        detector=_RightHalf(),  # type: ignore[arg-type]
    )
    assert crops.rows == [-1, -1, 0, 1, 2]
    assert crops.images.shape == (3, 16, 16, 3)
    assert crops.images.float().mean() > 190
    nobody = clip_crops(
        dataclasses.replace(clip, video=frames[:4]),
        CONFIG,
        FrameSelection("stride"),
        cropped=False,
        detector=_RightHalf(),  # type: ignore[arg-type]
    )
    assert nobody.problem == "a: no face is found" and not nobody.rows


def test_workers_change_nothing_and_errors_come_back(tmp_path: Path) -> None:
    clips = []
    for i in range(3):
        folder = tmp_path / f"clip{i}"
        folder.mkdir()
        for t, frame in enumerate(numbered(8)):
            Image.fromarray(frame + i).save(folder / f"{t}.png")
        clips.append(Clip(f"clip{i}", folder))
    clips.append(Clip("gone", tmp_path / "gone"))
    selections = [(row, FrameSelection("wrap", seed=row)) for row in (2, 0, 3, 1)]
    in_process = list(read_clip_crops(clips, CONFIG, selections))
    with WorkerPool(1) as workers:
        first = read_clip_crops(clips, CONFIG, selections, workers=workers)
        begun = [next(first)]
        # A second stream while the first one is open, as validation in the middle of training.
        second = list(read_clip_crops(clips, CONFIG, selections, workers=workers))
        for from_worker in ([*begun, *first], second):
            for a, b in zip(in_process, from_worker, strict=True):
                assert torch.equal(a.images, b.images)
                assert a.rows == b.rows and a.problem == b.problem
    assert in_process[2].problem.startswith("gone: ") and "no such file" in in_process[2].problem


def test_faces_are_the_same_in_a_worker(shared: Path) -> None:
    pytest.importorskip("facenet_pytorch")
    clips = [Clip("a", shared / "media" / "pyfeat" / "single_face.mp4")]
    config = dataclasses.replace(CONFIG, image=ImageConfig(size=128), faces=FaceConfig())
    result = []
    before = torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        result += read_clip_crops(clips, config, [(0, FrameSelection())], cropped=False)
        assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
    with WorkerPool(1) as workers:
        result += read_clip_crops(
            clips, config, [(0, FrameSelection())], cropped=False, workers=workers
        )
    assert len(result[0].images) > 5
    assert all(torch.equal(result[0].images, other.images) for other in result[1:])


def test_unreadable_mode_is_not_silent() -> None:
    with pytest.raises(Exception, match="no frames|holds no frame"):
        clip_crops(Clip("empty", np.zeros((0, 4, 4, 3), np.uint8)), CONFIG, FrameSelection("rate"))
