from __future__ import annotations

import io

from rich.console import Console

from emoclip_sdk.cli.output import in_number, new_table, score_list


def printed(width, *cells):
    table = new_table(*("column" for _ in cells))
    table.add_row(*cells)
    console = Console(file=io.StringIO(), width=width)
    console.print(table)
    return [line.rstrip() for line in console.file.getvalue().splitlines()[2:]]


SCORES = score_list([("happiness", 0.987), ("a tired smile", 0.004), ("boredom", 0.0)])


def test_scores_on_one_line_where_there_is_room():
    assert printed(80, SCORES) == ["happiness 0.99  a tired smile 0.00  boredom 0.00"]


def test_a_label_keeps_its_score():
    lines = printed(34, SCORES)
    assert lines == ["happiness 0.99  a tired smile 0.00", "boredom 0.00"]
    assert printed(33, SCORES) == ["happiness 0.99", "a tired smile 0.00  boredom 0.00"]


def test_what_is_too_long_for_a_line_is_broken_all_the_same():
    assert printed(10, SCORES)[:2] == ["happiness", "0.99"]
    assert max(map(len, printed(10, SCORES))) <= 10
    assert printed(8, score_list([("怒り", 0.5), ("喜び", 0.5)])) == [
        "怒り",
        "0.50",
        "喜び",
        "0.50",
    ]


def test_numbers_of_things():
    assert [in_number(n, "video") for n in (0, 1, 2)] == ["0 videos", "1 video", "2 videos"]
