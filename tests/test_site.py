"""The built site in a real browser, as a person on a phone and at a desk sees it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PHONE = {"width": 390, "height": 844}
PAGES = (
    "index",
    "quickstart",
    "bring-your-own",
    "concepts",
    "data",
    "after-training",
    "run-folder",
    "benchmarks",
    "zoo",
    "zoo/dtg_ff",
    "zoo/vanilla_ff",
    "leaderboard",
    "claims",
    "family",
    "algorithms",
    "hooks",
    "api/plugin",
)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("furo")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-E", "-b", "html", "-d", str(folder / "trees")]
    subprocess.run([*command, str(ROOT / "docs"), str(folder / "html")], check=True, env={**os.environ, "CI": "1"})
    return folder / "html"


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_phone_and_has_no_error(name, site, browser):
    page, errors = browser.new_page(viewport=PHONE), []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((site / f"{name}.html").as_uri())
    assert errors == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.close()


def test_the_leaderboard_sorts_and_filters(site, browser):
    page = browser.new_page(viewport=PHONE)
    page.goto((site / "leaderboard.html").as_uri())
    column = page.locator("table.board tbody tr td:nth-child(4)")

    def shown():
        return [float(text.split()[0]) for text in column.all_inner_texts() if text.strip()]

    button = page.locator("table.board th button", has_text="Fashion-MNIST")
    button.click()
    assert shown() == sorted(shown(), reverse=True) and len(shown()) > 40
    button.click()
    assert shown() == sorted(shown())
    page.locator("table.board th button", has_text="MNIST").first.click()
    assert page.locator("table.board tbody tr").last.locator("td").nth(2).inner_text() == "", "what is empty comes last"
    page.locator(".board-filter").fill("dtg no")
    names = page.locator("table.board tbody tr:visible td:first-child").all_inner_texts()
    assert sorted(names) == ["dtg_ff", "dtg_ff_gap"]
    page.locator(".board-filter").fill("")
    assert page.locator("table.board tbody tr:visible").count() > 40
    page.close()
