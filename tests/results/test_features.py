"""Dynamics of faces whose scores are known, against numpy and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest

from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.results.scored_windows import TimelineRow
from emoclip_sdk.results.timeline import Timeline

JOY = [0.1, 0.2, 0.9, 0.7, None, None, 0.3, 0.6]  # a window of a second each, from 10 s on


def timeline(faces, step=1.0, begin=10.0):
    rows = []
    for track, scores in enumerate(faces):
        for i, joy in enumerate(scores):
            start = begin + i * step
            named = {"joy": joy, "fear": None if joy is None else 1 - joy}
            named = {k: math.nan if v is None else v for k, v in named.items()}
            reason = "out of view" if joy is None else None
            n = 0 if joy is None else 7
            rows.append(
                TimelineRow(track, start, start + step, n, named, named, 0.9, False, reason=reason)
            )
    return Timeline("a.mp4", ("joy", "fear"), step, step, tuple(rows))


def test_of_the_whole_video_missing_windows_are_missing():
    (face,) = timeline([JOY]).features()
    scores = np.array([s for s in JOY if s is not None])
    times = np.array([10.5 + i for i, s in enumerate(JOY) if s is not None])
    assert (face.start, face.end, face.seconds, face.event) == (10.0, 18.0, 6.0, None)
    assert face.means["joy"] == pytest.approx(scores.mean())
    assert face.sds["joy"] == pytest.approx(scores.std())
    assert face.maxima == {"joy": 0.9, "fear": pytest.approx(0.9)}
    assert face.slopes["joy"] == pytest.approx(np.polyfit(times, scores, 1)[0])
    assert face.episode_counts == {"joy": 2, "fear": 2}
    assert face.episode_seconds == {"joy": pytest.approx(3.0), "fear": pytest.approx(3.0)}
    assert face.shares == {"joy": pytest.approx(0.5), "fear": pytest.approx(0.5)}


def test_of_a_trial_only_what_lies_in_it():
    stats = pytest.importorskip("scipy.stats")
    there, away = timeline([JOY]).features([(11.5, 13.25, "one"), (14.2, 15.5, "two")])
    # Half of a second, a whole one, a quarter.
    w, x, t = np.array([0.5, 1, 0.25]), np.array([0.2, 0.9, 0.7]), np.array([11.75, 12.5, 13.125])
    assert there.seconds == 1.75 and there.means["joy"] == pytest.approx(np.average(x, weights=w))
    # Weights of a least squares fit are those of the residuals, whose squares count.
    assert there.slopes["joy"] == pytest.approx(np.polyfit(t, x, 1, w=np.sqrt(w))[0])
    repeated = np.repeat(x, (4 * w).astype(int))
    assert there.sds["joy"] == pytest.approx(stats.tstd(repeated) * np.sqrt(6 / 7))
    assert there.episode_counts["joy"] == 1 and there.episode_seconds["joy"] == 1.25
    assert there.shares["joy"] == pytest.approx(1.25 / 1.75)
    assert (away.track, away.reason, away.status) == (None, "out of view", "no face")
    record = away.to_record("a.mp4")
    assert record["seconds"] == 0 and (record["event"], record["start"]) == ("two", 14.2)
    kinds = ("mean", "sd", "max", "slope", "episodes", "episode_seconds", "share")
    assert all(math.isnan(record[f"{kind}:joy"]) for kind in kinds), "missing, not zero"
    (single,) = timeline([JOY]).features([(12.0, 13.0)])
    assert math.isnan(single.sds["joy"]) and math.isnan(single.slopes["joy"])
    (outside,) = timeline([JOY]).features([(30.0, 40.0)])
    assert outside.status == "failed" and "30 to 40 s" in outside.error


def test_whoever_follows_has_a_positive_lag():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    source = np.convolve(rng.random(130), np.ones(5) / 5, "valid")
    leader, follower = source[4:124], source[2:122]  # half a second later, at four a second
    noisy = 0.5 + 0.1 * follower + 0.001 * rng.random(120)
    faces = [leader.tolist(), noisy.tolist()]
    pair, fear = timeline(faces, step=0.25, begin=0.0).synchrony(window=5.0, max_lag=1.5)
    assert (pair.first, pair.second, pair.label, fear.label) == (0, 1, "joy", "fear")
    assert pair.lag == pytest.approx(0.5, abs=0.05) and pair.peak > 0.95
    assert pair.n_windows == 101 == pair.n_peaks
    pearson = [stats.pearsonr(leader[i : i + 20], noisy[i : i + 20])[0] for i in range(101)]
    assert pair.correlation == pytest.approx(np.mean(pearson))
    assert fear.peak == pytest.approx(pair.peak), "the rest of a sum goes along"
    (turned, _) = timeline(faces[::-1], 0.25, 0.0).synchrony(window=5.0, max_lag=1.5)
    assert turned.lag == pytest.approx(-0.5, abs=0.05)
    # A gap takes away the windows that it is in, and no other one.
    faces[1][60] = None
    (pair, _) = timeline(faces, 0.25, 0.0).synchrony(window=5.0, max_lag=0.0)
    kept = [r for i, r in enumerate(pearson) if not i <= 60 < i + 20]
    assert pair.correlation == pytest.approx(np.mean(kept)) and pair.n_windows == len(kept)
    assert math.isnan(pair.lag) and math.isnan(pair.peak), "one lag has no neighbors"
    trial, _ = timeline(faces, 0.25, 0.0).synchrony([(2.1, 8.3, "one")], window=5.0, max_lag=0.0)
    inside = [i for i in range(101) if i / 4 >= 2.1 and (i + 20) / 4 <= 8.3]
    assert trial.correlation == pytest.approx(np.mean([pearson[i] for i in inside]))
    assert (trial.event, trial.n_windows) == ("one", len(inside))


def test_unusable():
    short = timeline([JOY, JOY])
    with pytest.raises(EmoCLIPError, match="holds 3 of the timeline's windows"):
        short.synchrony(window=3.0)
    with pytest.raises(EmoCLIPError, match="can't be negative"):
        short.synchrony(window=5.0, max_lag=-1)
    with pytest.raises(EmoCLIPError, match="threshold"):
        short.features(threshold=2)
    assert timeline([JOY]).synchrony(window=5.0) == [], "one face alone"
