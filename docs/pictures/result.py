"""The picture of a result's page: tenorite, indexed anew, as Chromium draws its page.

    python docs/pictures/result.py

Needs ``chromium`` on the path. The picture is ``result.png`` beside this script.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from mlindex.apps.command import index_content, write
from mlindex.files import read
from mlindex.indexing.options import Options

HERE = Path(__file__).parent
SAMPLE = HERE.parents[1] / "resources/samples/tenorite.txt"
#: Of the picture, in pixels, and the milliseconds that the page has to draw its plot.
SIZE, PATIENCE_MS = (1100, 900), 20_000


def main() -> None:
    """Index the sample and draw its page."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("no chromium found; install it, e.g. apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        done = index_content(read(SAMPLE), Options(time_limit_s=600))
        write(done.for_sample("tenorite.txt"), Path(folder))
        draw(chromium, Path(folder) / "result.html", HERE / "result.png")


def draw(chromium: str, page: Path, picture: Path) -> None:
    """A picture of the top of a page."""
    options = [
        *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
        f"--window-size={SIZE[0]},{SIZE[1]}",
        f"--virtual-time-budget={PATIENCE_MS}",
        f"--screenshot={picture}",
    ]
    subprocess.run([chromium, *options, page.as_uri()], check=True, capture_output=True)


if __name__ == "__main__":
    main()
