"""The page of a trace in a real browser: one can step through it, and it has all the numbers."""
import pytest
from browser import brightness, emulate, open_page, requests_of
from helpers import small_vae
from trace_subjects import no_benchmark, quick, subject  # noqa: F401 (a fixture)

from scratchvae.teaching.trace.page import write_page
from scratchvae.teaching.trace.table import print_trace

pytestmark = pytest.mark.slow        # a browser

LEFT = "\ue012"                 # the keys of Selenium's Keys
RIGHT = "\ue014"
END = "\ue010"


@pytest.fixture
def page(browser, tmp_path, x):
    """Return the browser with the page of a small model's trace open."""
    emulate(browser)
    open_page(browser, write_page(quick(subject(small_vae(), x)), tmp_path / "page.html"))
    return browser


def find(page, selector):
    return page.find_element("css selector", selector)


def find_all(page, selector):
    return page.find_elements("css selector", selector)


def click(page, element):
    """Click an element where the bar at the foot of the page does not cover it."""
    scroll = "arguments[0].scrollIntoView({block: 'center', inline: 'center'})"
    page.execute_script(scroll, element)
    element.click()


def event_shown(page):
    """Return the position, name and direction of the event on the stage."""
    direction = find(page, ".direction").text.split()[1]
    return find(page, "#position").text, find(page, "#stage h2").text, direction


def test_stepping_by_button_and_by_key(page):
    assert event_shown(page) == ("1 of 19", "encoder/dense", "forwards:")
    assert not find(page, "#previous").is_enabled()
    find(page, "#next").click()
    assert event_shown(page) == ("2 of 19", "encoder/dropout", "forwards:")
    find(page, "#previous").click()
    assert event_shown(page)[0] == "1 of 19"
    body = find(page, "body")
    for _ in range(10):
        body.send_keys(RIGHT)
    assert event_shown(page) == ("11 of 19", "decoder/dense_1", "backwards:")
    names = [name.text for name in find_all(page, "figcaption b")]
    assert names == ["dout", "dkernel", "dbias", "dx", "input", "kernel", "bias", "output"]
    body.send_keys(LEFT)
    assert event_shown(page)[0] == "10 of 19"
    body.send_keys(END)
    assert event_shown(page)[:2] == ("19 of 19", "optimizer: SGD")
    assert not find(page, "#next").is_enabled()
    click(page, find_all(page, ".chip")[4])
    assert event_shown(page)[1] == "sampling"
    assert len(find_all(page, "#stage canvas.map")) == 4


def test_the_console_is_empty_and_the_network_unused(page, tmp_path):
    for _ in range(18):
        find(page, "#next").click()
    assert page.get_log("browser") == []
    assert requests_of(page) == [f"file://{tmp_path}/page.html"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_a_phone(page, theme):
    emulate(page, 360, 740, True, theme)
    page.refresh()
    for _ in range(19):
        assert page.execute_script("return document.documentElement.scrollWidth") <= 360
        find(page, "body").send_keys(RIGHT)
    text = brightness(page, "color")
    paper = brightness(page, "backgroundColor")
    assert text + 100 < paper if theme == "light" else paper + 100 < text


def notes_with_a_number(page):
    """Return the notes that say which number is under the pointer."""
    notes = [note.text for note in find_all(page, "#stage .note")]
    return [note for note in notes if "about" in note]


def test_the_number_under_the_pointer_is_shown(page):
    from selenium.webdriver import ActionChains
    canvas = find_all(page, "#stage canvas.map")[-1]
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    assert notes_with_a_number(page) == []
    ActionChains(page).move_to_element(canvas).perform()
    assert len(notes_with_a_number(page)) == 1


def test_all_numbers_of_the_terminal(page, capsys, x):
    print_trace(quick(subject(small_vae(), x)))
    printed = capsys.readouterr().out
    for line in ("Forward", "Backward", "finite differences", "decoder/dense_1",
                 "Nothing unhealthy"):
        assert line in printed
    click(page, find(page, "#all summary"))
    assert len(find_all(page, "#table tr")) == 20
