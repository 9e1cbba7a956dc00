"""Lists of events as people have them: tables, and documents of ELAN."""

from __future__ import annotations

import os

import pytest

from emoclip_sdk import Event, read_events
from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.results.event_files import as_events


def test_a_table(tmp_path):
    path = tmp_path / "trials.csv"
    path.write_text("file;start;end;name;kind\na.mp4;00:01:02,5;63,75;one;ad\n;0;1;;\n")
    assert read_events(path) == [
        Event(62.5, 63.75, "one", os.path.join(tmp_path, "a.mp4"), {"kind": "ad"}),
        Event(0.0, 1.0, None, None, {"kind": ""}),
    ]


def test_a_tier_of_elan(tmp_path):
    """As pympi writes it, the library that reads and writes ELAN."""
    pympi = pytest.importorskip("pympi")
    document = pympi.Elan.Eaf()
    document.add_linked_file(str(tmp_path / "a b.mp4"), relpath="./a b.mp4", mimetype="video/mp4")
    document.add_tier("trials")
    document.add_annotation("trials", 2000, 3500, "two")
    document.add_annotation("trials", 250, 1000, "one")
    document.remove_tier("default")
    path = tmp_path / "a.eaf"
    pympi.Elan.to_eaf(str(path), document)
    expected = [
        (start / 1000, end / 1000, name)
        for start, end, name in sorted(document.get_annotation_data_for_tier("trials"))
    ]
    events = read_events(path)
    assert [(event.start, event.end, event.name) for event in events] == expected
    assert expected[0] == (0.25, 1.0, "one") and events == read_events(path, "trials")
    assert os.path.realpath(events[0].file) == os.path.realpath(tmp_path / "a b.mp4")
    document.add_linked_file(str(tmp_path / "a.wav"), relpath="./a.wav", mimetype="audio/x-wav")
    pympi.Elan.to_eaf(str(tmp_path / "b.eaf"), document)
    both = read_events(tmp_path, "trials")
    assert both == events * 2 == as_events([path, tmp_path / "b.eaf"], "trials")
    document.add_tier("speech")
    document.add_annotation("speech", 0, 100, "hm")
    pympi.Elan.to_eaf(str(path), document)
    with pytest.raises(EmoCLIPError, match="say which tier holds the events: trials, speech"):
        read_events(path)
    with pytest.raises(EmoCLIPError, match="no tier 'x'; there are: trials, speech"):
        read_events(path, "x")


@pytest.mark.parametrize(
    "name, text, complaint",
    [
        ("a.csv", "file,start\na.mp4,1\n", "line 2: an event needs a start and an end"),
        ("a.csv", "start,end\n2,1\n", "line 2: an event ends after its start"),
        ("a.csv", "start,end\n1,soon\n", "'soon' in column end"),
        ("a.csv", "onset,offset\n1,2\n", "no column 'start'"),
        ("a.csv", "start,end\n", "lists no event"),
        ("a.eaf", "<ANNOTATION", "no document of ELAN"),
        ("a.eaf", "<ANNOTATION_DOCUMENT/>", "none does"),
        ("a.txt", "", "from .csv, .tsv, .xlsx, .eaf"),
    ],
)
def test_unusable(tmp_path, name, text, complaint):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(EmoCLIPError) as error:
        read_events(path)
    assert str(path) in str(error.value) and complaint in str(error.value)
    if name.endswith(".csv"):
        with pytest.raises(EmoCLIPError, match="tier is for"):
            read_events(path, "x")
