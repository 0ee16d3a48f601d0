"""The page of `tritgrad live`, in headless Chromium."""

import shutil
from importlib.resources import files

import pytest

from tritgrad.host.live.follow import Follower

from .conftest import made_studio, served
from .test_follow import a_run

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

pytestmark = [
    pytest.mark.skipif(not (BROWSER and DRIVER), reason="Chromium and its driver are not "
                       "installed"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

#: A 3, in parts of the pad's side from its middle.
THREE = [(-0.22, -0.3), (-0.05, -0.36), (0.14, -0.3), (0.16, -0.16), (0.0, -0.03), (-0.06, -0.02),
         (0.0, 0.0), (0.18, 0.1), (0.2, 0.26), (0.04, 0.36), (-0.12, 0.36), (-0.24, 0.28)]


@pytest.fixture
def browser(tmp_path):
    from selenium import webdriver
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                 "--disable-background-networking", "--disable-component-update",
                 "--disable-sync", "--window-size=1280,1400",
                 f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    made = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    yield made
    made.quit()


def wait(browser, script):
    """Until a script's value is true."""
    from selenium.webdriver.support.wait import WebDriverWait
    return WebDriverWait(browser, 120).until(lambda b: b.execute_script(f"return {script}"))


def settled(browser):
    wait(browser, "document.body.dataset.shown === 'yes' && !document.body.dataset.busy")


def text(browser, selector):
    return browser.find_element("css selector", selector).text


def draw(browser, points, lean=0.0):
    """One stroke with the pen through some points."""
    from selenium.webdriver import ActionChains
    browser.find_element("css selector", "#clear").click()
    pad = browser.find_element("css selector", "#pad")
    side = pad.size["width"]
    places = [(round(side * (x + lean * y)), round(side * y)) for x, y in points]
    chain = ActionChains(browser, duration=5)
    chain.move_to_element_with_offset(pad, *places[0]).click_and_hold()
    for (x, y), (old_x, old_y) in zip(places[1:], places, strict=False):
        chain.move_by_offset(x - old_x, y - old_y)
    chain.release().perform()
    settled(browser)


def violations(browser):
    """What the rules of axe-core find wrong."""
    pytest.importorskip("axe_playwright_python", reason="no rules of accessibility are installed")
    browser.execute_script(files("axe_playwright_python").joinpath("axe.min.js").read_text())
    browser.set_script_timeout(120)
    found = browser.execute_async_script(
        "const done = arguments[0]; axe.run().then((r) => done(r.violations), (e) => done([e]))")
    return [(v["id"], [node["html"] for node in v["nodes"]]) for v in found]


def test_a_class_that_is_new_is_learned_in_ten_strokes(browser):
    studio = made_studio()
    with served(studio, begin=True) as page:
        browser.get(page)
        settled(browser)
        before = text(browser, "#accuracy")
        assert text(browser, "#classes .bar:nth-child(4)") == "3\n0 %"
        for n in range(10):
            draw(browser, THREE, lean=(n % 5 - 2) / 12)
            browser.find_element("css selector", "#labels button:nth-child(4)").click()
            settled(browser)
        assert text(browser, "#lesson").startswith("Lesson 10, 3: ")
        draw(browser, THREE, lean=0.05)
        assert text(browser, "#answer") == "3"
        assert text(browser, "#scores .best .name") == "3"
        assert len(browser.find_elements("css selector", "#hidden .neurons span")) == 64
        assert browser.execute_script("return document.querySelectorAll('#layers canvas').length"
                                      ) == 2
        learned = text(browser, "#accuracy")
        for _ in range(10):
            browser.find_element("css selector", "#undo").click()
            settled(browser)
        assert text(browser, "#accuracy") == before != learned
        assert not browser.find_element("css selector", "#undo").is_enabled()
        assert text(browser, "#answer") != "3"
        assert violations(browser) == []
        assert browser.get_log("browser") == []
    studio.close()


def test_with_keys_alone_and_on_a_phone(browser):
    from selenium.webdriver import ActionChains, Keys
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": 390, "height": 800, "deviceScaleFactor": 2, "mobile": True})
    studio = made_studio(left_out=(), epochs=3)
    with served(studio, begin=True) as page:
        browser.get(page)
        settled(browser)
        assert browser.execute_script(
            "return document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert all(button.size["height"] >= 24 for button in
                   browser.find_elements("css selector", "button"))
        browser.execute_script("document.querySelector('#pad').focus()")
        keys = ActionChains(browser)
        keys.send_keys(Keys.ARROW_UP * 8, " ", Keys.ARROW_DOWN * 16, " ").perform()
        settled(browser)
        assert text(browser, "#answer") in "0123456789"
        ActionChains(browser).send_keys("7").perform()
        wait(browser, "document.querySelector('#lesson').textContent.startsWith('Lesson 1, 7')")
        settled(browser)
        ActionChains(browser).send_keys("u").perform()
        wait(browser, "document.querySelector('#lesson').textContent.startsWith('Undone')")
        settled(browser)
        ActionChains(browser).send_keys("e").perform()
        wait(browser, "document.querySelector('#lesson').textContent.startsWith('A row held')")
        settled(browser)
        assert violations(browser) == []
        # what the training before has left there goes, so that what comes is of this one
        browser.execute_script("document.querySelector('#run-numbers').textContent = ''")
        browser.find_element("css selector", "#train").click()
        wait(browser, "document.querySelector('#run-numbers').textContent.startsWith("
             "'epoch 3 of 3') && document.body.dataset.phase === 'ready'")
        settled(browser)
        assert len(browser.find_elements("css selector", "#flips rect")) == 3
        assert browser.get_log("browser") == []
    studio.close()


def test_a_run_elsewhere_appears_as_it_goes(browser, tmp_path):
    with Follower(str(tmp_path)) as follower, served(follower) as page:
        browser.get(page)
        wait(browser, "document.body.dataset.phase === 'following'")
        a_run(tmp_path, 3)
        wait(browser, "document.querySelectorAll('#flips rect').length === 3")
        settled(browser)
        assert text(browser, "#run-numbers").startswith("epoch 3 of 3: train ")
        assert len(browser.find_elements("css selector", "#classes .bar")) == 10
        assert text(browser, "#layers h3").startswith("layer 1: 8 neurons of 64 weights")
        assert not browser.find_element("css selector", "#pad").is_displayed()
        assert not browser.find_element("css selector", "#train").is_displayed()
        assert violations(browser) == []
        assert browser.get_log("browser") == []


def test_kernels_are_images(browser):
    studio = made_studio((), conv="5x3x3", pool=2, hidden=(12,), epochs=2, limit=300)
    with served(studio, begin=True) as page:
        browser.get(page)
        settled(browser)
        assert text(browser, "#layers h3") == "5 kernels of 9 weights"
        first = browser.find_element("css selector", "#layers canvas")
        assert first.size["height"] > 3 * 4 and first.size["width"] > 5 * 4
        draw(browser, THREE)
        browser.find_element("css selector", "#labels button:nth-child(4)").click()
        settled(browser)
        assert text(browser, "#lesson").startswith("Lesson 1, 3: ")
        assert violations(browser) == []
        assert browser.get_log("browser") == []
    studio.close()
