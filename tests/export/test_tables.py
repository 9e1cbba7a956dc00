from __future__ import annotations

import csv
import io

import pytest

from emoclip_sdk.errors import VideoError
from emoclip_sdk.export.tables import save_rows, write_csv
from emoclip_sdk.results.records import Prediction
from emoclip_sdk.results.scored_windows import TimelineRow

NAN = float("nan")


def test_csv_of_good_and_failed_has_nothing_where_something_is_missing():
    good = Prediction(
        "a.mp4",
        {"joy": 1.0},
        {"joy": 0.3},
        {"joy": "bank"},
        track=2,
        n_frames=4,
        confidence=0.1,
        abstained=True,
    )
    bad = Prediction("b.mp4", {"joy": NAN}, {"joy": NAN}, {"joy": "bank"}, error="broken")
    file = io.StringIO()
    write_csv([good.to_record(), bad.to_record()], file)
    assert file.getvalue() == (
        "source,status,face_found,error,reason,track,n_tracks,n_frames,duration,label,confidence,"
        "abstained,face_size,sharpness,brightness,outside,quality,score:joy,similarity:joy,model,revision,prompt_bank\n"
        "a.mp4,ok,True,,,2,0,4,,joy,0.1,True,,,,,,1.0,0.3,,,\n"
        "b.mp4,failed,False,broken,,,,,,,,,,,,,,,,,,\n"
    )


def test_rows_are_written_while_they_come(tmp_path):
    out = tmp_path / "out.csv"

    def rows(fail: bool = False):
        for i in range(3):
            yield TimelineRow(0, i, i + 1.0, 7, {"joy": 0.25}, {"joy": 0.1})
            seen = (tmp_path / "out.csv.part").read_text().splitlines()
            assert len(seen) == i + 2 and not out.exists()
        if fail:
            raise VideoError("clip.mp4", "is cut off")

    about = dict(source="clip.mp4", labels=["joy"])
    assert save_rows(rows(), out, **about) == 3
    assert out.read_text().splitlines()[1].startswith("clip.mp4,0,0,1.0,True,,joy,,,7,,")
    out.unlink()
    with pytest.raises(VideoError):
        save_rows(rows(fail=True), out, **about)
    assert not list(tmp_path.iterdir())


def test_a_name_with_a_carriage_return_stays_in_its_field():
    file = io.StringIO()
    write_csv([Prediction("a\rb.mp4", {"joy": 1.0}, {"joy": 0.3}, {}).to_record()], file)
    file.seek(0)
    (row,) = csv.DictReader(io.StringIO(file.getvalue(), newline=""))
    assert row["source"] == "a\rb.mp4" and row["score:joy"] == "1.0"
