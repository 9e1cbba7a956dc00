"""``emoclip embed`` as a user meets it."""

from __future__ import annotations

import numpy as np
import pytest

# Classify


def test_embed(emoclip, tiny, crop_video, broken, tmp_path, tiny_model):
    out_file = tmp_path / "out.npz"
    code, out, err = emoclip("embed", crop_video, broken, *tiny, "-o", out_file)
    assert code == 1 and out == "" and "broken.mp4" in err
    with np.load(out_file) as found:
        assert found["embeddings"].shape == (2, 32) and found["embeddings"].dtype == np.float32
        np.testing.assert_array_equal(
            found["embeddings"][0], tiny_model.embed(crop_video, faces="none")
        )
        assert np.isnan(found["embeddings"][1]).all()
        assert found["sources"].tolist() == [str(crop_video), str(broken)]
        assert found["face_found"].tolist() == [True, False]
        assert found["errors"][0] == "" and found["errors"][1]
        assert str(found["model"]) == tiny_model.name


@pytest.mark.parametrize("arguments", [[], ["-o", "out.csv"], ["-o", "out.npz", "--track", "all"]])
def test_wrong_usage(emoclip, crop_video, arguments):
    assert emoclip("embed", crop_video, *arguments)[0] == 2
