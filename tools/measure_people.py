"""Measure how well persons are told apart: pairs of portraits of known people, and studies of them.

    python tools/measure_people.py FOLDER [--videos FOLDER]

FOLDER holds portraits called ``PERSON_ANYTHING.jpg``, two or more of each person; the figures in
`docs/people.md` are of the Face Research Lab London Set (DeBruine & Jones, CC BY 4.0: 50 people,
neutral and smiling). Each portrait is read as it is and worse: small, blurred, dark, compressed,
leaning. Of every second person, the curve from distance to "the same person" was chosen by its
studies, in which no two people may be joined; what is said of the others is what it is worth.
Of videos, each of which has to show one person of its own, the first and the last third are
compared. Needs the extra ``people``. Two minutes.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emoclip_sdk import EmoCLIP
from emoclip_sdk.faces import TrackIdentity, join_people
from emoclip_sdk.faces.people import CERTAIN, UNLIKELY, same_person
from emoclip_sdk.inference.people import track_identities

Picture = NDArray[np.uint8]
FACE = 0.45  # share of a portrait's height that the face takes, about


def _resized(picture: Picture, height: float) -> Picture:
    scale = height / picture.shape[0]
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def _compressed(picture: Picture, quality: int) -> Picture:
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _leaning(picture: Picture, degrees: float) -> Picture:
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return np.asarray(
        cv2.warpAffine(picture, turn, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def _blurred(picture: Picture, share: float) -> Picture:
    deviation = share * FACE * picture.shape[0]
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), deviation), np.uint8)


def _lit(picture: Picture, gamma: float, left: float) -> Picture:
    """Darken, and light from one side: the other one gets the share `left`."""
    slope = np.linspace(1, left, picture.shape[1])[None, :, None]
    return np.uint8(255 * (picture / 255) ** gamma * slope)


WORSE: dict[str, Callable[[Picture], Picture]] = {
    "as it is": lambda picture: picture,
    "face of 48 pixels": lambda picture: _resized(picture, 48 / FACE),
    "blurred by 2 %": lambda picture: _blurred(picture, 0.02),
    "dark, from one side": lambda picture: _lit(picture, 1.8, 0.3),
    "JPEG of quality 10": lambda picture: _compressed(_resized(picture, 100 / FACE), 10),
    "leaning by 25°": lambda picture: _leaning(picture, 25),
}


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("portraits", type=Path)
    parser.add_argument("--videos", type=Path)
    given = parser.parse_args()
    model = EmoCLIP.from_pretrained()
    people, kinds, vectors = [], [], []
    left_out = dict.fromkeys(WORSE, 0)
    for path in sorted(given.portraits.glob("*.jpg")):
        picture = np.asarray(cv2.imread(str(path)), np.uint8)
        for kind, worsen in WORSE.items():
            rgb = np.ascontiguousarray(worsen(picture)[:, :, ::-1])
            seen = [track for track in track_identities(model.reader, rgb[None]) if track.looks]
            if len(seen) == 1:
                people.append(path.name.partition("_")[0])
                kinds.append(kind)
                vectors.append(seen[0].vector)
            else:
                left_out[kind] += 1
    people_, kinds_, x = np.array(people), np.array(kinds), np.stack(vectors)
    print(f"not seen well enough, of {len(vectors)} pictures and these: {left_out}")
    names = sorted(set(people))
    chosen = np.isin(people_, names[::2])
    for half, of in (("the people it was chosen on", chosen), ("the others", ~chosen)):
        print(f"\n{half}: {len(set(people_[of]))} people")
        distances, same, clean = _pairs(x[of], people_[of], kinds_[of])
        middle, width = _logistic(distances, same)
        print(f"  logistic curve of their pairs: middle {middle:.3f}, width {width:.3f}")
        _report("both pictures as they are", distances[clean], same[clean])
        for kind in list(WORSE)[1:]:
            of_kind = np.isin(kinds_, ["as it is", kind]) & of
            d, s, _ = _pairs(x[of_kind], people_[of_kind], kinds_[of_kind], differ=True)
            if s.any():
                _report(f"one picture {kind}", d, s)
        _report("all pairs", distances, same)
        _study("each picture as it is", x[of], people_[of], kinds_[of], worse=False)
        _study("each picture as it is or worse", x[of], people_[of], kinds_[of], worse=True)
    print("\nall of them")
    _study("each picture as it is", x, people_, kinds_, worse=False)
    _study("each picture as it is or worse", x, people_, kinds_, worse=True)
    if given.videos:
        _videos(model, given.videos)


def _pairs(
    x: NDArray[np.float32], people: NDArray[np.str_], kinds: NDArray[np.str_], differ: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return distances of pairs, whether they are one person, and whether both are as they are.

    A portrait is not compared with what was made of it: those of a person must be two photographs,
    which is told by their order.
    """
    photo = np.cumsum(kinds == "as it is")
    i, j = np.triu_indices(len(x), 1)
    keep = photo[i] != photo[j]
    if differ:
        keep &= kinds[i] != kinds[j]
    i, j = i[keep], j[keep]
    distances = np.linalg.norm(x[i] - x[j], axis=1).astype(float)
    clean = (kinds[i] == "as it is") & (kinds[j] == "as it is")
    return distances, people[i] == people[j], clean


def _logistic(distances: NDArray[np.float64], same: NDArray[np.bool_]) -> tuple[float, float]:
    """Fit middle and width by Newton's method, both kinds of pairs weighing alike."""
    weights = np.where(same, 0.5 / same.sum(), 0.5 / (~same).sum())
    design = np.stack([np.ones_like(distances), distances], axis=1)
    beta = np.array([10.0, -20.0])
    for _ in range(100):
        p = 1 / (1 + np.exp(-design @ beta))
        gradient = design.T @ (weights * (same - p))
        hessian = (design * (weights * p * (1 - p))[:, None]).T @ design + 1e-9 * np.eye(2)
        beta = beta + np.linalg.solve(hessian, gradient)
    return float(-beta[0] / beta[1]), float(-1 / beta[1])


def _report(what: str, distances: NDArray[np.float64], same: NDArray[np.bool_]) -> None:
    limits = np.sort(distances)
    missed = 1 - np.searchsorted(np.sort(distances[same]), limits, side="right") / same.sum()
    mixed = np.searchsorted(np.sort(distances[~same]), limits, side="right") / (~same).sum()
    at = int(np.argmin(np.abs(missed - mixed)))
    print(f"  {what}: {same.sum()} pairs of one person, {(~same).sum()} of two")
    print(f"    equal error rate {(missed[at] + mixed[at]) / 2:.2%} (at {limits[at]:.2f})")
    p = np.array([same_person(d) for d in distances])
    for name, of in (("of one person", same), ("of two", ~same)):
        joined, apart = np.mean(p[of] >= CERTAIN), np.mean(p[of] <= UNLIKELY)
        rest = 1 - joined - apart
        print(f"    {name}: joined {joined:.2%}, unsure {rest:.2%}, apart {apart:.2%}")


def _study(
    what: str,
    x: NDArray[np.float32],
    people: NDArray[np.str_],
    kinds: NDArray[np.str_],
    *,
    worse: bool,
) -> None:
    """Join a study of two videos of each person, a picture each; the mean of ten draws."""
    rng = np.random.default_rng(0)
    photo = np.cumsum(kinds == "as it is")
    sums = np.zeros(4)
    draws = 10 if worse else 1
    for _ in range(draws):
        able = np.ones(len(x), bool) if worse else kinds == "as it is"
        drawn = [rng.choice(np.flatnonzero(able & (photo == p))) for p in np.unique(photo)]
        who = join_people([[TrackIdentity(0, x[i], 1)] for i in drawn])
        names = np.array([each[0].name or "" for each in who])
        i, j = np.triu_indices(len(drawn), 1)
        same = people[drawn][i] == people[drawn][j]
        sure = (names[i] != "") & (names[j] != "")
        joined = sure & (names[i] == names[j])
        counts = (same & joined).sum(), (~same & joined).sum(), (same & sure & ~joined).sum()
        sums += [*counts, (names == "").sum()]
    right, wrong, split, unsure = sums / draws
    n = len(np.unique(people))
    print(f"  study, {what}: of {n} people with two videos each, {right:.1f} are joined,")
    print(f"    {split:.1f} taken for two; {unsure:.1f} videos unsure; {wrong:.1f} wrong pairs")


def _videos(model: EmoCLIP, folder: Path) -> None:
    """Compare the first and the last third of each video, and different videos."""
    thirds: list[tuple[str, NDArray[np.float32]]] = []
    for path in sorted(folder.rglob("*.m[op][4v]")):
        duration = _duration(model, path)
        for start, end in ((None, duration / 3), (duration * 2 / 3, None)):
            seen = [t for t in track_identities(model.reader, path, start, end) if t.looks]
            if len(seen) == 1:
                thirds.append((path.stem, seen[0].vector))
    for one, other, distance in _distances(thirds):
        if one == other:
            print(f"{one}, first and last third: {distance:.2f}, p = {same_person(distance):.3f}")
    apart = [d for one, other, d in _distances(thirds) if one != other]
    if apart:
        print(f"different videos: {min(apart):.2f} and more, {len(apart)} pairs")


def _distances(
    vectors: list[tuple[str, NDArray[np.float32]]],
) -> Iterator[tuple[str, str, float]]:
    for i, (one, x) in enumerate(vectors):
        for other, y in vectors[:i]:
            yield one, other, math.dist(x, y)


def _duration(model: EmoCLIP, path: Path) -> float:
    return model.read(path).duration or 0.0


if __name__ == "__main__":
    main()
