"""Take the pictures of the page in docs/images/ (extra ``test-browser`` and a Chromium).

python tools/demo_picture.py [FOLDER]   # FOLDER: all of them, to be looked at

The page as it opens, with a result, and its facial actions, at 1280 and 390 pixels, light and dark.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import sync_playwright

from emoclip_sdk import EmoCLIP
from emoclip_sdk.demo import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

__all__ = ["main"]

IMAGES = Path(__file__).parents[1] / "docs" / "images"
SHIPPED = {"light-1280-result": "demo.jpg", "light-390-result": "demo-phone.jpg"}
SIZES = ((1280, 900), (390, 844))
SHOWN_AT = 2.5  # seconds
LABEL = "a wide, toothy smile with raised cheeks"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def main(folder: Path | None = None) -> None:
    """Write demo.jpg and demo-phone.jpg; all pictures into `folder`."""
    model = EmoCLIP.from_pretrained(device="cpu")
    with Server(model) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=FLAGS, timeout=120_000
        )
        for theme in ("light", "dark"):
            for width, height in SIZES:
                page = browser.new_page(viewport={"width": width, "height": height})
                page.set_default_timeout(240_000)
                page.goto(f"{server.address}?__theme={theme}")
                for state, picture in _states(page):
                    name = f"{theme}-{width}-{state}"
                    if name in SHIPPED:
                        _save(picture, IMAGES / SHIPPED[name])
                    if folder is not None:
                        folder.mkdir(parents=True, exist_ok=True)
                        (folder / f"{name}.png").write_bytes(picture)
                page.close()
        browser.close()


def _states(page: Page) -> Iterator[tuple[str, bytes]]:
    """Use the page as a visitor does; yield what it is then, and its picture."""

    def taken() -> bytes:
        page.wait_for_timeout(1500)
        return page.screenshot(full_page=True)

    page.wait_for_selector("#emo-labels .token")
    yield "empty", taken()
    page.click("#emo-example")
    page.wait_for_selector(".emo-chart")
    page.fill("#emo-labels input", LABEL)
    page.keyboard.press("Enter")
    page.wait_for_selector(f'.emo-legend >> text="{LABEL}"')
    page.keyboard.press("Tab")
    page.evaluate(f"document.querySelector('.emo-player video').currentTime = {SHOWN_AT}")
    yield "result", taken()
    page.get_by_role("tab", name="Facial actions").click()
    yield "actions", taken()


def _save(picture: bytes, file: Path) -> None:
    """Write a JPEG, which takes a third of the space; thin letters keep their colors."""
    colors = Image.open(io.BytesIO(picture)).convert("RGB")
    colors.save(file, quality=88, subsampling=0, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
