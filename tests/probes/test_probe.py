"""A probe folder: strict loading, the encoder it belongs to, prediction from a video."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from emoclip_sdk import EmoCLIP, ReadOptions
from emoclip_sdk.errors import CheckpointError, EmoCLIPError, VideoError
from emoclip_sdk.faces import TrackStats
from emoclip_sdk.probes.interview import interview_clips, person_longest_in_view, read_interview
from emoclip_sdk.probes.probe import PROBE_CONFIG_FILE, PROBE_KIND, PROBE_WEIGHTS_FILE


@pytest.fixture
def folder(tmp_path: Path, tiny_model: EmoCLIP, tiny_checkpoint: Path) -> Path:
    """A probe of two outputs on the tiny model: an item and a total of four."""
    torch.manual_seed(0)
    tensors = {
        "mean": torch.randn(32), "scale": torch.rand(32) + 0.5,
        "hidden.weight": torch.randn(8, 32), "hidden.bias": torch.randn(8),
        "output.weight": 0.01 * torch.randn(2, 8), "output.bias": torch.tensor([2.0, 3.9]),
    }  # fmt: skip
    errors = {"n": 9, "mae": 0.4, "interval": [-1.0, 0.5]}
    scores = [
        {"name": "item", "title": "Item", "range": [0, 4], "divisor": 1, "errors": errors},
        {"name": "total", "title": "Total", "range": [0, 16], "divisor": 4, "errors": errors},
    ]
    encoder = {"name": str(tiny_checkpoint), "weights": tiny_model.encoder.video_hash()}
    config = {"format_version": 1, "kind": PROBE_KIND, "scale": "Mine", "width": 32, "hidden": 8,
              "encoder": encoder, "scores": scores}  # fmt: skip
    save_file(tensors, tmp_path / PROBE_WEIGHTS_FILE)
    (tmp_path / PROBE_CONFIG_FILE).write_text(json.dumps(config))
    return tmp_path


def change(folder: Path, **values: object) -> None:
    config = json.loads((folder / PROBE_CONFIG_FILE).read_text())
    (folder / PROBE_CONFIG_FILE).write_text(json.dumps(config | values))


def test_prediction_is_the_mean_over_clips(folder: Path, tiny_model: EmoCLIP, stripes) -> None:
    probe = EmoCLIP.load_probe(folder, model=tiny_model)
    frames = stripes(130, 32)
    found = probe.predict(frames, faces="none")
    clips = interview_clips(tiny_model, frames, ReadOptions("none"))
    t = load_file(folder / PROBE_WEIGHTS_FILE)
    x = (torch.from_numpy(clips) - t["mean"]) / t["scale"]
    out = (x @ t["hidden.weight"].T + t["hidden.bias"]).relu() @ t["output.weight"].T
    item, total = ((out + t["output.bias"]).mean(dim=0) * torch.tensor([1, 4])).tolist()
    assert found.n_clips == len(clips) == 2
    assert found.scores["item"].value == pytest.approx(item, abs=1e-5)
    assert found.scores["item"].low == pytest.approx(item - 1, abs=1e-5)
    assert found.scores["item"].high == pytest.approx(item + 0.5, abs=1e-5)
    assert found.scores["total"].value == pytest.approx(min(total, 16), abs=1e-4)
    assert found.scores["total"].high <= 16
    json.dumps(found.to_dict(), allow_nan=False)


def test_model_that_the_probe_names_is_loaded(folder: Path, crop_video: Path) -> None:
    probe = EmoCLIP.load_probe(folder, device="cpu")
    assert probe.predict(crop_video, faces="none").n_clips == 1


def test_no_face(folder: Path, detecting_model: EmoCLIP, two_faces: np.ndarray) -> None:
    found = EmoCLIP.load_probe(folder, model=detecting_model).predict(two_faces[30:])
    assert not found.face_found and np.isnan(found.scores["item"].value)
    assert found.to_dict()["scores"]["item"]["value"] is None


def test_face_that_is_longest_in_view_counts(
    detecting_model: EmoCLIP, two_faces: np.ndarray
) -> None:
    """The large face leaves early; the small one stays."""

    class Leaves:
        def detect(self, frames):
            from emoclip_sdk.faces import Detection

            large, small = (10.0, 10.0, 60.0, 60.0), (90.0, 20.0, 120.0, 50.0)
            return [
                [Detection(small, 0.9), *([Detection(large, 0.99)] if f[0, 0, 0] > 128 else [])]
                for f in frames
            ]

    detecting_model.reader.detector = Leaves()
    read = detecting_model.read(two_faces, fps=10)
    longest = max(read.tracks, key=lambda track: track.n_frames)
    assert read.most_prominent != longest.track
    vectors = interview_clips(detecting_model, two_faces)
    np.testing.assert_allclose(
        vectors[0], detecting_model.embed(two_faces, track=longest.track), atol=1e-5
    )


def test_a_person_who_comes_back_to_the_same_place_is_one() -> None:
    def seen(track: int, first: float, last: float, x: float, side: float = 0.2) -> TrackStats:
        return TrackStats(track, int(7 * (last - first)), first, last, 1.0, x, 0.5, side)

    patient = [seen(0, 0, 50, 0.3), seen(3, 60, 100, 0.35), seen(5, 110, 120, 0.25, 0.15)]
    interviewer = seen(1, 0, 90, 0.8)
    beside = seen(4, 55, 65, 0.3)  # there while track 3 is
    far_behind = seen(6, 101, 109, 0.3, 0.05)
    everybody = [*patient, interviewer, beside, far_behind]
    assert person_longest_in_view(everybody) == [0, 3, 5]
    assert person_longest_in_view([interviewer, patient[0]]) == [1]
    assert person_longest_in_view([]) == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "classes"}, "is no probe for interviews"),
        ({"format_version": 2}, "format version 2 is not known"),
        ({"hidden": 9}, "hidden.weight is (8, 32) and should be (9, 32)"),
        ({"scores": [{"name": "item"}]}, "is incomplete or broken"),
        ({"encoder": {"name": None}}, "is incomplete or broken"),
    ],
)
def test_folders_that_do_not_fit(folder: Path, values: dict, message: str) -> None:
    change(folder, **values)
    with pytest.raises(CheckpointError) as caught:
        EmoCLIP.load_probe(folder)
    assert message in str(caught.value)


def test_loading_is_strict(folder: Path) -> None:
    tensors = load_file(folder / PROBE_WEIGHTS_FILE)
    scale = tensors.pop("scale").clone()
    save_file(tensors, folder / PROBE_WEIGHTS_FILE)
    with pytest.raises(CheckpointError, match="1 missing: scale"):
        EmoCLIP.load_probe(folder)
    save_file({**tensors, "scale": scale, "more": scale.clone()}, folder / PROBE_WEIGHTS_FILE)
    with pytest.raises(CheckpointError, match="1 unexpected: more"):
        EmoCLIP.load_probe(folder)
    with pytest.raises(CheckpointError, match="no such file. Name the folder of a probe"):
        EmoCLIP.load_probe(folder / "gone")


def test_another_encoder(folder: Path, tiny_model: EmoCLIP) -> None:
    with torch.no_grad():
        next(tiny_model.encoder.network.temporal.parameters()).add_(1)
    with pytest.raises(CheckpointError, match="whose weights are not those of 'tiny'|not those"):
        EmoCLIP.load_probe(folder, model=tiny_model)


def test_embedded_interviews(folder: Path, tiny_model: EmoCLIP) -> None:
    probe = EmoCLIP.load_probe(folder, model=tiny_model)
    vectors = np.random.default_rng(0).normal(size=(5, 32)).astype(np.float32)
    vectors[1, 3] = np.nan
    np.savez(folder / "a.npz", vectors=vectors)
    assert probe.predict(folder / "a.npz").n_clips == 4
    np.savez(folder / "b.npz", vectors=vectors, model="other", weights="0123")
    with pytest.raises(CheckpointError, match="was embedded by another model"):
        probe.predict(folder / "b.npz")
    with pytest.raises(EmoCLIPError, match=r"expected clip embeddings \(clips, 32\)"):
        probe.predict_clips(vectors[:, :30])
    np.savez(folder / "c.npz", vectors=vectors[0])
    with pytest.raises(VideoError, match=r"'vectors' has the shape \(32,\)"):
        read_interview(folder / "c.npz")
    with pytest.raises(VideoError, match="no such file"):
        probe.predict(folder / "d.npz")
