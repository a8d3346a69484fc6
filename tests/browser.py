"""A headless Chromium for tests of pages, if it is installed."""
import json
import re
import shutil
import time

import pytest

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1366,900",
)


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Return a Selenium driver that logs the console and the requests; skip tests without it."""
    webdriver = pytest.importorskip(
        "selenium.webdriver", reason="selenium is not installed: pip install 'scratchvae[test]'")
    binary = next(filter(None, map(shutil.which, CHROMIUM)), None)
    driver = shutil.which("chromedriver")
    if not binary or not driver:
        missing = "chromedriver" if binary else "Chromium"
        pytest.skip(f"no {missing} on this machine: pages are not tested")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in (*ARGUMENTS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield started
    started.quit()


def open_page(browser, path):
    """Open a page from the disk, with empty logs."""
    browser.get("about:blank")
    for kind in ("browser", "performance"):
        browser.get_log(kind)
    browser.get(f"file://{path}")


def open_ready_page(browser, path, seconds=20):
    """Open a page and wait until it says that it is ready.

    Parameters
    ----------
    browser : WebDriver
    path : path
    seconds : float, default 20
        Fail after this time.
    """
    open_page(browser, path)
    end = time.monotonic() + seconds
    while not browser.execute_script("return document.documentElement.dataset.ready"):
        if time.monotonic() >= end:
            pytest.fail(f"not ready after {seconds} s: {browser.get_log('browser')}")
        time.sleep(0.01)


def requests_of(browser):
    """Return the addresses that were requested since the page was opened, without data URIs."""
    entries = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [entry["params"]["request"]["url"]
            for entry in entries if entry["method"] == "Network.requestWillBeSent"]
    return [url for url in urls if not url.startswith("data:")]


def brightness(browser, what):
    """Return the brightness of a colour of the page: the mean of red, green and blue, 0 to 255.

    Parameters
    ----------
    browser : WebDriver
    what : {"color", "backgroundColor"}
        The colour of the body, or of the document if the body's is transparent.

    Returns
    -------
    float
    """
    colour = browser.execute_script("""
        return [document.body, document.documentElement]
            .map(element => getComputedStyle(element)[arguments[0]])
            .find(colour => colour !== 'rgba(0, 0, 0, 0)')
    """, what)
    return sum(int(n) for n in re.findall(r"\d+", colour)[:3]) / 3


def emulate(browser, width=1366, height=900, mobile=False, scheme="light"):
    """Emulate a screen.

    Parameters
    ----------
    browser : WebDriver
    width, height : int
        The size of the screen in CSS pixels.
    mobile : bool, default False
    scheme : {"light", "dark"}, default "light"
        The colour scheme that the user prefers.
    """
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
