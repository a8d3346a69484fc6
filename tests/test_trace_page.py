"""The page of a trace in a real browser: one steps through it by button and by key, and it has all that the terminal has."""
import pytest

from browser import brightness, emulate, open_page, requests_of
from conftest import small_vae
from trace_subjects import no_benchmark, quick, subject         # noqa: F401 (a fixture)
from scratchvae.teaching.trace.page import write_page
from scratchvae.teaching.trace.table import print_trace

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def page(browser, tmp_path, x):
    """The page of a small model's trace, open."""
    emulate(browser)
    open_page(browser, write_page(quick(subject(small_vae(), x)), tmp_path / "page.html"))
    return browser


def find(page, selector):
    return page.find_element("css selector", selector)


def click(page, element):
    """Click it where the bar at the foot of the page does not cover it."""
    page.execute_script("arguments[0].scrollIntoView({block: 'center', inline: 'center'})", element)
    element.click()


def test_stepping_by_button_and_by_key(page):
    where = lambda: (find(page, "#position").text, find(page, "#stage h2").text, find(page, ".direction").text.split()[1])
    assert where() == ("1 of 19", "encoder/dense", "forwards:") and not find(page, "#previous").is_enabled()
    find(page, "#next").click()
    assert where() == ("2 of 19", "encoder/dropout", "forwards:")
    find(page, "#previous").click()
    assert where()[0] == "1 of 19"
    body = find(page, "body")
    for _ in range(10):
        body.send_keys("\ue014")                            # the right arrow
    assert where() == ("11 of 19", "decoder/dense_1", "backwards:")
    names = [name.text for name in page.find_elements("css selector", "figcaption b")]
    assert names == ["dout", "dkernel", "dbias", "dx", "input", "kernel", "bias", "output"]
    body.send_keys("\ue012")                                # the left one
    assert where()[0] == "10 of 19"
    body.send_keys("\ue010")                                # End
    assert where()[:2] == ("19 of 19", "optimizer: SGD") and not find(page, "#next").is_enabled()
    click(page, page.find_elements("css selector", ".chip")[4])
    assert where()[1] == "sampling"
    assert len(page.find_elements("css selector", "#stage canvas.map")) == 4


def test_the_page_is_quiet_and_asks_nobody(page, tmp_path):
    for _ in range(18):
        find(page, "#next").click()
    assert page.get_log("browser") == [] and requests_of(page) == [f"file://{tmp_path}/page.html"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_a_phone(page, theme):
    emulate(page, 360, 740, True, theme)
    page.refresh()
    for _ in range(19):
        assert page.execute_script("return document.documentElement.scrollWidth") <= 360
        find(page, "body").send_keys("\ue014")
    text, paper = brightness(page, "color"), brightness(page, "backgroundColor")
    assert text + 100 < paper if theme == "light" else paper + 100 < text


def test_the_number_under_the_pointer_is_read_out(page):
    from selenium.webdriver import ActionChains
    canvas = page.find_elements("css selector", "#stage canvas.map")[-1]
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    texts = lambda: [note.text for note in page.find_elements("css selector", "#stage .note")]
    assert not any("about" in text for text in texts())
    ActionChains(page).move_to_element(canvas).perform()
    assert sum("about" in text for text in texts()) == 1, texts()


def test_all_numbers_that_the_terminal_has(page, capsys, x):
    print_trace(quick(subject(small_vae(), x)))
    printed = capsys.readouterr().out
    for line in ("Forward", "Backward", "finite differences", "decoder/dense_1", "Nothing unhealthy"):
        assert line in printed
    click(page, find(page, "#all summary"))
    assert len(page.find_elements("css selector", "#table tr")) == 20
