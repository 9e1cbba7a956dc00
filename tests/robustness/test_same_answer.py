"""One video and one model: the same scores, whoever asks, how, and how often."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import av
import numpy as np
import pytest

import emoclip_sdk.inference.encoder as inference
from emoclip_sdk import EmoCLIP
from emoclip_sdk.diagnostics.bench.clips import portrait
from emoclip_sdk.video import open_video

LABELS = (["happiness", "anger"], ["a wide smile", "fear", "surprise"], None, ["calm", "sadness"])


@pytest.fixture
def model(embedded_model) -> EmoCLIP:
    return embedded_model.with_prompts()  # nothing that another test taught it


@pytest.mark.slow
def test_eight_threads_share_a_model(model) -> None:
    asked = [LABELS[i % 4] for i in range(16)]
    alone = EmoCLIP.from_pretrained(device="cpu")
    expected = [alone.classify(portrait(), labels).to_dict() for labels in LABELS]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda labels: model.classify(portrait(), labels), asked))
    for i, result in enumerate(found):
        assert result.scores == pytest.approx(expected[i % 4]["scores"], abs=1e-5)


def test_again_and_in_another_order(model, tmp_path) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(portrait().read_bytes())
    one = model.classify([portrait(), other])
    two = model.classify([other, portrait()])
    assert one[0].scores == one[1].scores == two[0].scores == two[1].scores
    assert model.classify(portrait()).to_dict() == one[0].to_dict()


def test_however_it_is_handed_over(model) -> None:
    expected = model.classify(portrait()).scores
    data = portrait().read_bytes()
    frames = [frame.rgb for frame in open_video(portrait()).frames()]
    with av.open(str(portrait())) as file:
        rate = float(file.streams.video[0].average_rate)
    for video, options in (
        (str(portrait()), {}),
        (data, {}),
        (io.BytesIO(data), {}),
        (np.stack(frames), {"fps": rate}),
    ):
        assert model.classify(video, **options).scores == pytest.approx(expected, abs=1e-6)


@pytest.mark.slow
def test_in_a_process_of_its_own(model) -> None:
    command = [sys.executable, "-m", "emoclip_sdk", "classify", str(portrait()), "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert json.loads(done.stdout)[0]["scores"] == pytest.approx(
        model.classify(portrait()).scores, abs=1e-5
    )


@pytest.mark.parametrize("size", [1, 5, 21])
def test_pictures_at_once(model, size, monkeypatch) -> None:
    expected = model.classify(portrait()).scores
    monkeypatch.setattr(inference, "_FRAMES_IN_CACHE", size)
    assert model.classify(portrait()).scores == pytest.approx(expected, abs=2e-3)


@pytest.mark.slow
def test_precisions_agree_as_documented(model) -> None:
    exact = EmoCLIP.from_pretrained(device="cpu", dtype="float32").classify(portrait()).scores
    half = EmoCLIP.from_pretrained(device="cpu", dtype="float16").classify(portrait()).scores
    assert half == pytest.approx(exact, abs=3e-3)
