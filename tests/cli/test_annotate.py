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


def test_anonymized(emoclip, tiny, crop_video, tmp_path):
    out, hidden = tmp_path / "out.mp4", tmp_path / "hidden.mp4"
    options = (*tiny, "--end", "0.5")
    assert emoclip("annotate", crop_video, *options, "-o", out)[0] == 0
    assert emoclip("annotate", crop_video, *options, "--anonymize", "-o", hidden)[0] == 0
    assert hidden.stat().st_size != out.stat().st_size
    command = ("annotate", crop_video, *options, "-o", tmp_path / "x.mp4", "--keep-face", "3")
    code, _, err = emoclip(*command)
    assert code == 2 and "for --anonymize" in err
    code, _, err = emoclip(*command, "--anonymize")
    assert code == 1 and "there is no face track 3 to keep; there are: 0" in err
