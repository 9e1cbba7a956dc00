import pytest

from emoclip_sdk import EmoCLIPError
from emoclip_sdk.export.tables import save_records
from emoclip_sdk.export.unfinished import read_unfinished

COLUMNS = ["source", "track", "start", "end", "face_found", "label"]
COLUMNS += ["face_x0", "face_y0", "face_x1", "face_y1", "score:joy", "model"]


def row(track, start, x=0.0, *, source="a.mp4", length=2.0, model="=m"):
    """A face whose left side is at `x`; None: nobody."""
    box = (None,) * 4 if track is None else (x, 0.0, x + 10.0, 10.0)
    values = (source, track, start, start + length, track is not None, None, *box, -0.25, model)
    return dict(zip(COLUMNS, values, strict=True))


def old(path):
    """Two faces, the second of which comes at 1 s; the last window lacks one of its rows."""
    rows = [row(0, 0.0)]
    for start in (1.0, 2.0, 3.0, 4.0):
        rows += [row(0, start), row(1, start, 100.0)]
    rows.append(row(0, 5.0))
    save_records(rows, path, COLUMNS)
    return rows


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "xlsx"])
def test_faces_keep_their_numbers(tmp_path, ending):
    """The part that is read again meets the faces the other way round, and a third one."""
    path = tmp_path / f"a.{ending}"
    rows = old(path)
    table = read_unfinished(path, "start", "start")
    assert (table.first, table.last, table.tracks, table.sources) == (0.0, 4.0, 2, ["a.mp4"])
    kept = list(table.kept())
    assert [(r["track"], r["start"], r["score:joy"]) for r in kept] == [
        (r["track"], r["start"], -0.25) for r in rows[:-1]
    ]
    new = [row(t, s, x) for s in (2.0, 3.0, 4.0, 5.0) for t, x in ((0, 101.0), (1, 1.0))]
    new += [row(2, 5.0, 50.0), row(None, 6.0), row(0, 7.0, 100.0)]
    added = [(r["track"], r["start"]) for r in table.continued(iter(new))]
    assert added == [(1, 5.0), (0, 5.0), (2, 5.0), (None, 6.0), (1, 7.0)]


def test_reading_begins_on_the_same_frames(tmp_path):
    """2 s before 4 s, at 7 frames a second: frame 14, and of every eighth, frame 8."""
    old(tmp_path / "a.csv")
    table = read_unfinished(tmp_path / "a.csv", "start", "start")
    assert table.begin(7.0, 1) == pytest.approx(2.0)
    assert table.begin(7.0, 8) == pytest.approx(8 / 7)
    assert table.begin(None, 800) == 2.0
    assert table.begin(7.0, 1000) is None


def test_what_does_not_fit_is_refused(tmp_path):
    path = tmp_path / "a.jsonl"
    old(path)
    table = read_unfinished(path, "start", "start")
    for records, message in (
        ([row(0, 4.0, length=1.0)], "windows of another length"),
        ([row(0, 3.5), row(0, 4.5)], "further apart or closer"),
        ([row(0, 4.0, model="other")], "begun with another model: =m, and now it is other"),
        ([{**row(0, 4.0), "score:fear": 0.0}], r"other columns \(score:fear\)"),
    ):
        with pytest.raises(EmoCLIPError, match=message):
            list(table.continued(records))


def test_what_is_no_such_table(tmp_path):
    assert read_unfinished(tmp_path / "none.csv", "start", "start") is None
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(EmoCLIPError, match="no table of this command"):
        read_unfinished(other, "start", "start")
    other = tmp_path / "other.parquet"
    other.write_bytes(b"PAR1")
    with pytest.raises(EmoCLIPError, match="no whole table"):
        read_unfinished(other, "start", "start")
    save_records([row(0, 0.0), row(0, 1.0), row(1, 0.0)], tmp_path / "faces.csv", COLUMNS)
    with pytest.raises(EmoCLIPError, match="in order of faces"):
        read_unfinished(tmp_path / "faces.csv", "start", "start")


def test_one_window_alone_is_made_anew(tmp_path):
    save_records([row(0, 0.0)], tmp_path / "a.csv", COLUMNS)
    table = read_unfinished(tmp_path / "a.csv", "start", "start")
    assert table.begin(7.0, 8) is None and list(table.kept()) == []
    again = [row(0, 0.0), row(0, 1.0)]
    assert list(table.continued(again)) == again
