"""The page of `tritgrad trace`, in headless Chromium."""

import shutil
from pathlib import Path

import pytest

from tritgrad.host.run.model_file import TrainedModel

from ..command import call

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")


@pytest.fixture
def browser(tmp_path):
    from selenium import webdriver
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                 "--disable-background-networking", "--disable-component-update",
                 "--disable-sync", f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    made = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    yield made
    made.quit()


@pytest.mark.skipif(not (BROWSER and DRIVER), reason="Chromium and its driver are not installed")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("image", [True, False])
def test_the_page_in_a_browser(tmp_path, browser, image):
    wine = Path(__file__).parents[3] / "examples" / "wine.csv"
    run = tmp_path / "run"
    call("train", "--device", "model", "--hidden", "20,12", "--epochs", "3", "--out", run,
         *([] if image else ["--dataset", wine]))
    page = tmp_path / "page.html"
    call("trace", run / "model.npz", "--sample", "3", "--summary", "20", "--html", page)
    browser.get(page.as_uri())
    assert browser.get_log("browser") == []

    def visible(selector):
        found = browser.find_elements("css selector", selector)
        assert found and all(element.is_displayed() for element in found), selector
        return found

    model = TrainedModel.load(run / "model.npz")
    assert len(visible(".score .track .soft")) == len(model.class_names)
    assert [len(layer.find_elements("css selector", ".neuron"))
            for layer in visible(".layer")] == [20, 12]
    assert len(visible("#ledger tr")) > 12
    assert len(visible("#graph svg rect.row")) > 6
    assert len(visible("#summary tr")) == 1 + 3
    images = visible("#rows img") + (visible("#picture") if image else [])
    assert all(picture.get_property("naturalWidth") > 0 for picture in images)
    assert (visible("#decision .score .name")[0].text == "0") == image
    # Nothing sticks out of the page.
    assert browser.execute_script(
        "return document.documentElement.scrollWidth <= document.documentElement.clientWidth")
