"""A headless Chromium for tests of pages, where there is one."""
import json
import re
import shutil
import time

import pytest

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--window-size=1366,900")


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """A Selenium driver with logs of the console and of requests; tests are skipped where something is missing."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install 'scratchvae[test]'")
    binary = next(filter(None, map(shutil.which, CHROMIUM)), None)
    driver = shutil.which("chromedriver")
    if not binary or not driver:
        pytest.skip(f"no {'chromedriver' if binary else 'Chromium'} on this machine: pages are not tested")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in (*ARGUMENTS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield started
    started.quit()


def open_page(browser, path):
    """Open a page from the disk; the logs are of it alone."""
    browser.get("about:blank")
    for kind in ("browser", "performance"):
        browser.get_log(kind)
    browser.get(f"file://{path}")


def open_ready_page(browser, path, seconds=20):
    """Open a page, and wait until it says that it is ready."""
    open_page(browser, path)
    end = time.monotonic() + seconds
    while not browser.execute_script("return document.documentElement.dataset.ready"):
        assert time.monotonic() < end, f"not ready after {seconds} s: {browser.get_log('browser')}"
        time.sleep(0.01)


def requests_of(browser):
    """The addresses that were asked for since the page was opened, embedded data excepted."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"]
    return [url for url in urls if not url.startswith("data:")]


def brightness(browser, what):
    """The mean of red, green and blue, 0 to 255, of the page's color or backgroundColor: the body's, or what shines through it."""
    colour = browser.execute_script("return [document.body, document.documentElement].map(element => getComputedStyle(element)[arguments[0]])"
                                    ".find(colour => colour !== 'rgba(0, 0, 0, 0)')", what)
    return sum(int(n) for n in re.findall(r"\d+", colour)[:3]) / 3


def emulate(browser, width=1366, height=900, mobile=False, scheme="light"):
    """A screen of that size in CSS pixels, and a colour scheme."""
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
