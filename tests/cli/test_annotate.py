"""``emoclip annotate`` as a user meets it."""

from __future__ import annotations

# Classify


def test_annotate(emoclip, tiny, crop_video, tmp_path):
    code, out, err = emoclip("annotate", crop_video, *tiny, "-o", tmp_path / "out.mp4")
    assert code == 0 and out == "" and "wrote" in err
    assert (tmp_path / "out.mp4").stat().st_size > 1000
    code, _, err = emoclip("annotate", crop_video, *tiny, "-o", tmp_path / "out.gif")
    assert code == 2 and ".mkv" in err
    code, _, err = emoclip("annotate", "missing.mp4", *tiny, "-o", tmp_path / "out.mp4")
    assert (code, err) == (1, "Error: missing.mp4: no such file or folder\n")
    code, _, err = emoclip("annotate", crop_video, *tiny, "-o", crop_video)
    assert code == 2 and "overwritten" in err
