"""One patient under two names would be on both sides of a fold."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.training.ness.manifest import read_study
from emoclip_sdk.training.ness.scales import shipped_scales

from .test_manifest import write

CAINS = shipped_scales()["cains"]


def _patients(folder: Path, *names: str) -> list[str]:
    rows = [f"{video}.npz,{name},1,1,1,1" for video, name in zip("abc", names, strict=False)]
    return read_study(write(folder, *rows), CAINS).patients.tolist()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (unicodedata.normalize("NFC", "Zoë"), unicodedata.normalize("NFD", "Zoë")),
        ("P01", "P\u200b01"),
        ("P01", "\ufeffP01"),
        ("P01", "\uff30\uff10\uff11"),
        ("P 01", "P  01"),
        ("P 01", "P\u00a001"),
    ],
)
def test_what_looks_alike_is_one_patient(one: str, other: str, tmp_path: Path) -> None:
    first, second = _patients(tmp_path, one, other)
    assert first == second


@pytest.mark.parametrize(
    ("one", "other"),
    [("P01", other) for other in ("p01", "P 01", "P-01", "P_01", "P1", "P.01", "P\u201301")]
    + [("1", "1.0"), ("1", "01"), ("007", "7.00"), ("Anna Maria", "anna-maria")],
)
def test_what_may_be_one_patient_is_asked(one: str, other: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r":3: patient .* may be .* of line 2: write both alike"):
        _patients(tmp_path, one, other)


@pytest.mark.parametrize(
    ("one", "other"), [("P1", "P11"), ("1-12", "11-2"), ("P1", "Q1"), ("1", "10"), ("1.5", "15")]
)
def test_two_patients_stay_two(one: str, other: str, tmp_path: Path) -> None:
    assert _patients(tmp_path, one, other) == [one, other]


def test_a_recording_belongs_to_one_patient(tmp_path: Path) -> None:
    path = write(tmp_path, "a.npz,p1,1,1,1,1", "b.npz,p2,1,1,1,1", "c.npz,p1,1,1,1,1")
    for name in "abc":
        (tmp_path / f"{name}.npz").write_bytes(b"recording" if name != "c" else b"something")
    with pytest.raises(
        DatasetError, match=r":3: b\.npz of patient 'p2' is the same recording as a"
    ):
        read_study(path, CAINS)
    (tmp_path / "b.npz").write_bytes(b"different")
    assert len(read_study(path, CAINS).interviews) == 3
