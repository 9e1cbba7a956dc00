"""The report on a phone and on a laptop, measured by a browser."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from emoclip_sdk.training.ness.tables import rating_tables
from emoclip_sdk.training.paper.tables import write_report

# In a frame, which may be narrower than a browser's smallest window.
PAGE = """<!doctype html>
<body style="margin: 0"><iframe style="border: 0; width: {width}px; height: 900px" srcdoc="{page}">
</iframe><pre></pre>
<script>
onload = () => {{
  const page = document.querySelector("iframe").contentDocument;
  const right = (e) => Math.round(e.getBoundingClientRect().right);
  const outside = [...page.body.querySelectorAll("*")].filter(
    (e) => right(e) > {width} && !e.parentElement.closest(".card"));
  const cards = [...page.querySelectorAll(".card")];
  const cut = cards.filter((e) => e.scrollWidth > e.clientWidth
    && page.defaultView.getComputedStyle(e).overflowX != "auto");
  const style = (e) => page.defaultView.getComputedStyle(e);
  document.querySelector("pre").textContent = JSON.stringify({{
    width: page.documentElement.clientWidth,
    page: page.documentElement.scrollWidth,
    outside: outside.map((e) => e.outerHTML.slice(0, 80)),
    cut: cut.map((e) => e.outerHTML.slice(0, 80)),
    cards: cards.length,
    scrolled: cards.filter((e) => e.scrollWidth > e.clientWidth).length,
    figures: [...page.querySelectorAll("td.num")].filter((e) => e.offsetWidth > 0).length,
    colors: [style(page.body).backgroundColor, style(page.body).color],
  }});
}};
</script>
"""


@pytest.fixture(scope="module")
def browser() -> str:
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    result = next(filter(None, map(shutil.which, names)), None)
    if result is None:
        pytest.skip("no Chromium or Chrome is installed")
    return result


@pytest.mark.browser
def test_nothing_is_cut_off(make_bench, tiny_checkpoint: Path, tmp_path: Path, browser) -> None:
    models = {
        name: str(tiny_checkpoint)
        for name in ("clip", "farl", "clip_finetuned", "emoclip_frozen", "emoclip")
    }
    roots = {"datasets": {"mafw": "/a/long/path/" * 12, "dfew": "D"}, "models": models}
    write_report(make_bench(json.dumps(roots)), tmp_path / "report", rating_tables({}))
    text = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    colors = set()
    for width in (390, 1280):
        for scheme in (0, 1):  # dark, light
            result = measure(browser, tmp_path / "page.html", text, width, scheme)
            assert result["width"] == result["page"] == width, result
            assert result["outside"] == result["cut"] == [], result
            assert result["cards"] == 18 and result["figures"] > 100, result
            colors.add(tuple(result["colors"]))
    assert len(colors) == 2


def measure(browser: str, path: Path, text: str, width: int, scheme: int) -> dict:
    """Lay the page out and return what the script in `PAGE` finds."""
    path.write_text(PAGE.format(width=width, page=html.escape(text)), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--dump-dom"]
    options += ["--window-size=1400,1000", f"--blink-settings=preferredColorScheme={scheme}"]
    options += [path.as_uri()]
    done = subprocess.run([browser, *options], capture_output=True, text=True, timeout=120)
    result = re.search(r"<pre>(.*?)</pre>", done.stdout, re.DOTALL)
    assert result and result[1], done.stderr
    return json.loads(html.unescape(result[1]))
