"""A headless Chromium for tests of pages, where there is one."""
import json
import shutil
import time

import pytest
from selenium import webdriver

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--window-size=1366,900")


def start_browser(profile):
    """A Selenium driver with logs of the console and of requests; the test is skipped where something is missing."""
    binary = next(filter(None, map(shutil.which, CHROMIUM)), None)
    driver = shutil.which("chromedriver")
    if not binary or not driver:
        pytest.skip(f"no {'chromedriver' if binary else 'Chromium'} on this machine: pages are not tested")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in (*ARGUMENTS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))


def open_page(browser, path, seconds=20):
    """Open a page from the disk, and wait until it says that it is ready."""
    browser.get("about:blank")
    for kind in ("browser", "performance"):
        browser.get_log(kind)
    browser.get(f"file://{path}")
    end = time.monotonic() + seconds
    while not browser.execute_script("return document.documentElement.dataset.ready"):
        assert time.monotonic() < end, f"not ready after {seconds} s: {browser.get_log('browser')}"
        time.sleep(0.01)


def requests_of(browser):
    """The addresses that were asked for since the page was opened."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"]


def emulate(browser, width=1366, height=900, mobile=False, scheme="light"):
    """A screen of that size in CSS pixels, and a colour scheme."""
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
