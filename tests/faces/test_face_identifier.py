"""The network against dlib itself: its values were computed with dlib 20.0.1 (PyPI: dlib-bin)."""

from __future__ import annotations

import numpy as np
import pytest

from emoclip_sdk.errors import CheckpointError, MissingDependencyError
from emoclip_sdk.faces import identities
from emoclip_sdk.faces.face_identifier import FaceIdentifier, face_square
from emoclip_sdk.nn.face_identity import FACE_SIZE

DLIB = [-0.071893, 0.099573, 0.063831, 0.008535, -0.07483, -0.060177, -0.063069, 0.013777]
DLIB_NORM = 1.284253522


@pytest.fixture(scope="module")
def identifier():
    try:
        return FaceIdentifier()
    except MissingDependencyError:
        pytest.skip("face_recognition_models is not installed")


def pattern() -> np.ndarray:
    y, x = np.mgrid[:FACE_SIZE, :FACE_SIZE]
    layers = [(3 * x + y) % 256, (x + 2 * y) % 256, (x * y // 7) % 256]
    return np.stack(layers, axis=-1).astype(np.uint8)


def landmarks_at(points: list[tuple[float, float]]) -> np.ndarray:
    """Landmarks of which those that dlib knows are where its five points are said to be."""
    landmarks = np.zeros((478, 3), np.float32)
    # dlib's order: the subject's left eye, outer and inner corner; the right one; the nose.
    landmarks[[263, 362, 33, 133, 2], :2] = np.array(points) + 0.5  # dlib counts centers
    return landmarks


# A mean face that fills the picture: the square about it is the picture itself.
UPRIGHT = [
    (FACE_SIZE * (x + 0.25) / 1.5, FACE_SIZE * (y + 0.25) / 1.5)
    for x, y in (
        (0.8595674595992, 0.2134981538014),
        (0.6460604764104, 0.2289674387677),
        (0.1205750620789, 0.2137274526848),
        (0.3340850613712, 0.2290642403242),
        (0.4901123135679, 0.6277975316475),
    )
]


def test_vectors_are_those_of_dlib(identifier) -> None:
    vectors = identifier([pattern()], [landmarks_at(UPRIGHT)])
    assert vectors.shape == (1, 128)
    assert vectors[0, :8] == pytest.approx(DLIB, abs=2e-5)
    assert np.linalg.norm(vectors[0]) == pytest.approx(DLIB_NORM, abs=2e-5)


def test_a_face_is_laid_out_as_by_dlib() -> None:
    points = [(260, 90), (230, 95), (140, 120), (170, 115), (205, 170)]
    to_frame = face_square(landmarks_at(points)).to_frame(FACE_SIZE)
    # dlib.get_face_chip of a picture whose colors say where each pixel comes from.
    for place, (x, y) in {
        (0, 0): (38 * 399 / 255, 45 * 299 / 255),
        (75, 75): (134 * 399 / 255, 127 * 299 / 255),
        (149, 149): (228 * 399 / 255, 210 * 299 / 255),
    }.items():
        u, v = np.array(place) + 0.5
        assert to_frame @ (u, v, 1) - 0.5 == pytest.approx((x, y), abs=1.6)  # a level of color


def test_many_faces_are_the_same_as_each_for_itself(identifier) -> None:
    pictures = [pattern(), pattern()[::-1].copy()] * 9  # more than a batch
    together = identifier(pictures, [landmarks_at(UPRIGHT)] * 18)
    alone = identifier(pictures[:2], [landmarks_at(UPRIGHT)] * 2)
    np.testing.assert_allclose(together, np.tile(alone, (9, 1)), atol=1e-5)
    assert np.linalg.norm(alone[0] - alone[1]) > 0.1
    assert identifier([], []).shape == (0, 128)


def test_another_file_is_refused(tmp_path) -> None:
    (tmp_path / "w.dat").write_bytes(b"no weights")
    with pytest.raises(CheckpointError, match=r"w\.dat.*face_recognition_models 0\.3\.0"):
        FaceIdentifier(tmp_path / "w.dat")
    with pytest.raises(CheckpointError, match=r"missing\.dat.*No such file"):
        FaceIdentifier(tmp_path / "missing.dat")


def test_missing_weights_are_named_with_the_command(monkeypatch) -> None:
    monkeypatch.setattr(identities.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r'pip install "emoclip_sdk\[people\]"'):
        FaceIdentifier()
