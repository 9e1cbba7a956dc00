"""Actions of faces as a user meets them, on the example's portrait moved about."""

from __future__ import annotations

import csv
import json
import math

import av
import numpy as np
import pytest

from emoclip_sdk import Detection, EmoCLIP, EmoCLIPError, VideoError
from emoclip_sdk.assets import asset
from emoclip_sdk.inference.actions import action_columns

FPS = 10
BOX = (157.0, 58.0, 232.0, 151.0)  # of the face in portrait.mp4


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    with av.open(str(asset("portrait.mp4"))) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


@pytest.fixture(scope="module")
def moving(portrait) -> np.ndarray:
    """Two seconds in which the face moves to the right; nobody is there in the last half."""
    frames = np.stack([np.roll(portrait, 4 * i, axis=1) for i in range(20)])
    frames[15:] = 90
    frames[:, 0, 0] = np.arange(20)[:, None]
    return frames


class Scripted:
    """Knows where the face of `moving` is."""

    def detect(self, frames):
        numbers = [int(frame[0, 0, 0]) for frame in frames]
        return [[Detection(shifted(4 * i), 0.99)] if i < 15 else [] for i in numbers]


def shifted(x: int):
    return BOX[0] + x, BOX[1], BOX[2] + x, BOX[3]


@pytest.fixture(scope="module")
def model(textless_checkpoint):
    model = EmoCLIP.from_pretrained(textless_checkpoint, device="cpu", detector=Scripted())

    def frames(crops):
        raise AssertionError("no tower is needed")

    model.encoder.frames = frames
    return model


@pytest.fixture(scope="module")
def detecting(textless_checkpoint):
    return EmoCLIP.from_pretrained(textless_checkpoint, device="cpu", detector=Scripted())


@pytest.fixture(scope="module")
def every(model, moving):
    return model.actions(moving, rate="all", fps=FPS, landmarks=True)


def shape_free(row):
    return all(map(math.isnan, [*row.actions.values(), row.presence, row.yaw, row.gaze_pitch]))


def test_every_frame_has_its_own_time(every) -> None:
    assert [row.frame for row in every] == list(range(20))
    assert [row.time for row in every] == pytest.approx([i / FPS for i in range(20)])
    assert every.duration == pytest.approx(2.0) and every.status == "ok"


@pytest.mark.parametrize(("rate", "n"), [(5, 10), ("sampled", 14), (2.5, 5)])
def test_frames_are_those_shown_at_multiples_of_the_rate(model, moving, rate, n) -> None:
    per_second = 7 if rate == "sampled" else rate
    rows = model.actions(moving, rate=rate, fps=FPS).rows
    assert [row.frame for row in rows] == [int(k / per_second * FPS + 1e-6) for k in range(n)]
    assert all(row.time == pytest.approx(row.frame / FPS) for row in rows)


def test_a_moving_face(every) -> None:
    seen = every.rows[:15]
    assert {row.track for row in seen} == {0} and all(row.reason is None for row in seen)
    assert all(row.presence > 0.9 and row.actions["mouthSmileLeft"] > 0.5 for row in seen)
    assert all(abs(row.yaw) < 15 and abs(row.roll) < 10 for row in seen)
    noses = [row.landmarks[1, 0] for row in seen]
    assert np.diff(noses) == pytest.approx(4, abs=1.5)
    assert seen[3].box == shifted(12)
    assert seen[3].quality.face_size == pytest.approx((75 * 93) ** 0.5)


def test_nobody_is_a_row_without_numbers(every) -> None:
    for row in every.rows[15:]:
        assert (row.track, row.reason, row.face_found) == (None, "nobody", False)
        assert shape_free(row) and row.landmarks is None
    assert len(every.tracks) == 1 and every.tracks[0].n_frames == 15


def test_rows_are_the_same_one_by_one_and_in_a_list(model, moving, every) -> None:
    assert list(model.actions_rows(moving, rate="all", fps=FPS)) == list(every.rows)
    results = model.actions(["missing.mp4", "missing too.mp4"])
    assert [r.status for r in results] == ["failed"] * 2 and "no such file" in results[0].error
    with pytest.raises(EmoCLIPError, match="one video"):
        model.actions_rows(["a.mp4"])


def test_one_face(model, moving) -> None:
    prominent = model.actions(moving, fps=FPS, track="prominent")
    assert prominent == model.actions(moving, fps=FPS, track=0) == model.actions(moving, fps=FPS)
    with pytest.raises(VideoError, match="no face track 3"):
        model.actions(moving, fps=FPS, track=3)
    with pytest.raises(EmoCLIPError, match="prominent"):
        model.actions_rows(moving, fps=FPS, track="prominent")


def test_actions_of_a_video_that_was_read_before(detecting, moving) -> None:
    read = detecting.read(moving, fps=FPS, actions=True)
    for options in ({}, {"track": 0}, {"track": "prominent"}, {"baseline": (0, 1)}):
        assert detecting.actions(read, **options) == detecting.actions(moving, fps=FPS, **options)
    with pytest.raises(EmoCLIPError, match="sampled frames"):
        detecting.actions(read, rate="all")
    with pytest.raises(EmoCLIPError, match="sampled frames"):
        detecting.actions(read, landmarks=True)
    with pytest.raises(EmoCLIPError, match="actions=True"):
        detecting.actions(detecting.read(moving, fps=FPS))


def test_series_average_both_sides(every) -> None:
    values, times = every.series()[0]
    row = every.rows[3]
    both = (row.actions["mouthSmileLeft"] + row.actions["mouthSmileRight"]) / 2
    assert values["mouthSmile"][3] == pytest.approx(both) and times[3] == row.time
    assert len(times) == 15 and not any(name.startswith("eyeLook") for name in values)


@pytest.mark.parametrize("rate", [0, -1.0, math.inf, "none", True, None])
def test_rates_that_are_none(model, moving, rate) -> None:
    with pytest.raises(EmoCLIPError, match="rate must be"):
        model.actions(moving, rate=rate)


def test_crops(model, portrait) -> None:
    x0, y0, x1, y1 = map(int, BOX)
    tight = portrait[y0:y1, x0:x1][None].repeat(3, 0)
    rows = model.actions(tight, faces="none", rate="all").rows
    assert all(row.presence > 0.9 and row.actions["mouthSmileLeft"] > 0.5 for row in rows)
    noise = np.random.default_rng(0).integers(0, 255, (3, 64, 64, 3)).astype(np.uint8)
    result = model.actions(noise, faces="none", rate="all")
    assert result.status == "no face"
    for row in result:
        assert (row.track, row.reason, row.face_found) == (0, "no landmarks", True)
        assert shape_free(row)


def test_files(every, tmp_path) -> None:
    every.save(tmp_path / "a.csv")
    with (tmp_path / "a.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == action_columns(landmarks=True)
    assert float(rows[0]["x_1"]) == pytest.approx(every.rows[0].landmarks[1, 0], abs=0.01)
    assert {rows[19][name] for name in ("track", "jawOpen", "yaw", "x_1", "quality")} == {""}
    every.save(tmp_path / "a.json")
    document = json.loads((tmp_path / "a.json").read_text())
    assert document["rows"][19]["actions"]["jawOpen"] is None
    assert document["rows"][0]["box"] == list(BOX)
    pandas = pytest.importorskip("pandas")
    table = every.to_pandas()
    assert table["frame"].tolist() == list(range(20)) and table["yaw"].isna().sum() == 5
    pytest.importorskip("pyarrow")
    every.save(tmp_path / "a.parquet")
    stored = pandas.read_parquet(tmp_path / "a.parquet")
    assert stored["mouthSmileLeft"].tolist()[:15] == table["mouthSmileLeft"].tolist()[:15]
    with pytest.raises(EmoCLIPError, match="a table of actions"):
        every.save(tmp_path / "a.srt")


def test_what_a_notebook_shows(every) -> None:
    assert "20 rows, 1 track" in repr(every)
    html = every._repr_html_()
    assert "mouthSmile" in html and "the first 12 rows" in html
    name, value, time = every.strongest(0, 1)[0]
    assert name.startswith("mouthSmile") and 0.5 < value <= 1 and 0 <= time < 1.5
