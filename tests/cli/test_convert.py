"""``emoclip convert`` as a user meets it."""

from __future__ import annotations

# Classify


def test_convert(emoclip, tmp_path):
    import torch

    (tmp_path / "weights.pt").write_bytes(b"nothing")
    arguments = ("convert", tmp_path / "weights.pt", tmp_path / "out")
    code, _, err = emoclip(*arguments, "--from", "emoclip")
    assert code == 1 and "weights.pt" in err and len(err.splitlines()) == 1
    assert emoclip(*arguments)[0] == 2
    assert emoclip(*arguments, "--from", "tensorflow")[0] == 2
    torch.save({"a": torch.zeros(1)}, tmp_path / "weights.pt")
    code, _, err = emoclip(*arguments, "--from", "farl")
    assert code == 1 and not (tmp_path / "out").exists()
