"""Which videos a folder, a manifest or a list of files means."""

from __future__ import annotations

import datetime
import os

import pytest

from emoclip_sdk.batch import BatchInput, find_inputs
from emoclip_sdk.errors import BatchError


def make(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def test_folder(tmp_path):
    make(
        tmp_path, "v/b.mp4", "v/a.MOV", "v/sub/c.webm", "v/.hidden.mp4", "v/.d/e.mp4", "v/notes.txt"
    )
    found = find_inputs([tmp_path / "v"])
    assert [i.name for i in found] == [
        str(tmp_path / "v" / n) for n in ("a.MOV", "b.mp4", "sub/c.webm")
    ]
    assert found == find_inputs([tmp_path / "v", tmp_path / "v" / "b.mp4", *found])
    (tmp_path / "empty").mkdir()
    with pytest.raises(BatchError, match="empty: holds no video .* and no picture"):
        find_inputs([tmp_path / "empty"])


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege")
def test_links_that_lead_out_are_not_followed(tmp_path, caplog):
    make(tmp_path, "v/a.mp4", "secret/s.mp4", "v2/t.mp4")
    (tmp_path / "v" / "inside.mp4").symlink_to("a.mp4")
    (tmp_path / "v" / "out.mp4").symlink_to(tmp_path / "secret" / "s.mp4")
    (tmp_path / "v" / "sibling.mp4").symlink_to("../v2/t.mp4")
    (tmp_path / "v" / "folder").symlink_to(tmp_path / "secret")
    (tmp_path / "v" / "circle").symlink_to(tmp_path / "v")
    names = [os.path.basename(i.name) for i in find_inputs([tmp_path / "v"])]
    assert names == ["a.mp4", "inside.mp4"]
    assert "2 symbolic links lead out" in caplog.text


def test_manifest(tmp_path):
    file = tmp_path / "list.csv"
    file.write_text("\ufeffsubject,video\ns1,clips/a.mp4\ns2,/x/b.mp4\n", encoding="utf-8")
    assert find_inputs([file]) == [
        BatchInput("clips/a.mp4", str(tmp_path / "clips" / "a.mp4"), {"subject": "s1"}),
        BatchInput("/x/b.mp4", "/x/b.mp4", {"subject": "s2"}),
    ]


@pytest.mark.parametrize(
    "name, content",
    [
        ("a.csv", "video;subject;note\r\nclips/a.mp4;s1;1,5\r\n;;\r\n".encode("utf-8-sig")),
        ("a.csv", b"sep=;\r\nvideo;subject;note\r\nclips/a.mp4;s1;1,5\r\n"),
        ("a.csv", 'video,subject,note\nclips/a.mp4,s1,"1,5"\n'.encode("utf-8-sig")),
        ("a.tsv", b"video\tsubject\tnote\nclips/a.mp4\ts1\t1,5\n"),
        ("a.csv", "video\tsubject\tnote\r\nclips/a.mp4\ts1\t1,5\r\n".encode("utf-16")),
    ],
)
def test_manifests_as_spreadsheets_save_them(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    columns = {"subject": "s1", "note": "1,5"}
    expected = BatchInput("clips/a.mp4", str(tmp_path / "clips" / "a.mp4"), columns)
    assert find_inputs([tmp_path / name]) == [expected]


def test_a_workbook_of_excel(tmp_path):
    """Times may be numbers, texts, or cells that Excel calls times."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["video", "start", "end", "participant", None])
    sheet.append(["a.mp4", 12.5, datetime.time(0, 1, 2, 500_000), 7])
    sheet.append([])
    sheet.append(["b.mp4", "00:00:03.25", datetime.timedelta(hours=1, seconds=1.5), "x=1"])
    book.create_sheet("notes").append(["not this one"])
    book.save(tmp_path / "list.xlsx")
    first, second = find_inputs([tmp_path / "list.xlsx"])
    assert first.path == str(tmp_path / "a.mp4") and first.columns["participant"] == "7"
    assert (first.job.start, first.job.end) == (12.5, 62.5)
    assert (second.job.start, second.job.end) == (3.25, 3601.5)
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    with pytest.raises(BatchError, match=r"broken\.xlsx: can't be read as a workbook"):
        find_inputs([tmp_path / "broken.xlsx"])
    book = openpyxl.Workbook()
    book.active.append(["file", "who"])
    book.save(tmp_path / "other.xlsx")
    with pytest.raises(BatchError, match="no column 'path' or 'video'"):
        find_inputs([tmp_path / "other.xlsx"])


def test_a_manifest_of_parts(tmp_path):
    file = tmp_path / "trials.csv"
    file.write_text("video;trial;start;end\na.mp4;1;0,5;2\na.mp4;2;2;\na.mp4;3;;0,5\nb.mp4;4;;\n")
    parts = find_inputs([file])
    assert [(part.name, part.start, part.end) for part in parts] == [
        ("a.mp4#t=0.5,2", 0.5, 2.0),
        ("a.mp4#t=2", 2.0, None),
        ("a.mp4#t=,0.5", None, 0.5),
        ("b.mp4", None, None),
    ]
    assert {part.path for part in parts} == {str(tmp_path / n) for n in ("a.mp4", "b.mp4")}
    assert parts[0].columns == {"video": "a.mp4", "trial": "1", "start": "0,5", "end": "2"}


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("name\na.mp4\n", "no column 'path' or 'video'"),
        ("path,x\na.mp4,1\nb.mp4\n", "line 3: not 2 fields"),
        ("path,x\na.mp4,1,2\n", "line 2: not 2 fields"),
        ("path,x\n ,1\n", "line 2: the path is empty"),
        ("path\na.mp4\nb.mp4\na.mp4\n", "line 4: 'a.mp4' is there twice, first in line 2"),
        ("path,x,x\na.mp4,1,2\n", "two have the same"),
        ("path\n", "lists no video"),
        ("path,start\na.mp4,1:30\n", "line 2: '1:30' in column start is no number of seconds"),
        ("path,start,end\na.mp4,3,2\n", "line 2: end=2.0 must be after start=3"),
        ("path,end\na.mp4,2\na.mp4,2.0\n", "line 3: 'a.mp4#t=,2' is there twice, first in line 2"),
        ("path\n\xff.mp4\n", "can't be read as CSV in UTF-8"),
    ],
)
def test_unusable_manifest(tmp_path, text, complaint):
    file = tmp_path / "list.csv"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(BatchError) as error:
        find_inputs([file])
    assert str(file) in str(error.value) and complaint in str(error.value)


def test_names_that_are_no_text(tmp_path):
    (item,) = find_inputs([os.fsdecode(b"caf\xe9.mp4")])
    assert item.name == "caf\\xe9.mp4" and os.fsencode(item.path) == b"caf\xe9.mp4"
    with pytest.raises(BatchError, match="no videos"):
        find_inputs([])
