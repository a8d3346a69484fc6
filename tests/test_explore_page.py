"""The page of a run in a real browser: it computes what the model computes, and one can work with it."""
import re
import time

import numpy as np
import pytest

pytest.importorskip("selenium", reason="selenium is not installed: pip install 'scratchvae[test]'")
from selenium.webdriver import ActionChains                 # noqa: E402
from selenium.webdriver.common.by import By                 # noqa: E402
from selenium.webdriver.common.keys import Keys             # noqa: E402

from browser import emulate, open_ready_page, requests_of      # noqa: E402
from explore_runs import runs                               # noqa: E402, F401 (a fixture)
from scratchvae.teaching.explore import images, write_page           # noqa: E402
from scratchvae.text import clean, detokenize, tokenize     # noqa: E402

IMAGES = ["mnist-dense", "mnist-conv", "mnist-latent8", "mnist-batchnorm", "fashion-autoencoder"]
GRADIENTS = """
const [samples, pixel] = arguments, told = explorer.told, J = told.low.length;
globalThis.Float32Array = Float64Array;     // in double precision: differences of single numbers would be mostly rounding
for (const layers of Object.values(told.parts))
  for (const layer of layers)
    for (const name in layer.weights) layer.weights[name] = Float64Array.from(layer.weights[name]);
const x = explorer.image(3), target = x.slice(), eps = Float32Array.from({length: J}, (_, j) => Math.cos(5 * j + 1));
const rebuilt = () => new VAE(told);        // layers keep what they derive from their weights
const lossOf = model => {
  const q = model.encode(x), loss = model.lossAt(target, reparameterize(q, eps), q);
  return pixel === null ? loss.total : loss.perPixel[pixel];
};
const model = rebuilt(), z = reparameterize(model.encode(x), eps), result = model.backward(x, z, pixel), rows = [];
const check = (name, array, gradient, step) => {
  const largest = gradient.reduce((most, g) => Math.max(most, Math.abs(g)), 0);
  for (let s = 0; s < samples; s++) {
    const i = gradient.findIndex((g, k) => k >= (s * gradient.length) / samples && Math.abs(g) > 0.2 * largest), old = array[i];
    if (i < 0) continue;
    array[i] = old + step; const up = lossOf(rebuilt());
    const high = array[i];
    array[i] = old - step; const down = lossOf(rebuilt());
    const low = array[i];
    array[i] = old;
    rows.push([`${name}[${i}]`, gradient[i], (up - down) / (high - low), largest]);
  }
};
check("x", x, result.dx, 1e-6);
for (const network of [model.encoder, model.decoder, ...Object.values(model.heads || {})])
  for (const layer of network.layers)
    for (const name of ["kernel", "bias", "gamma", "beta"])
      if (layer.grads?.[name]) check(`${layer.name}/${name}`, layer.weights[name], layer.grads[name], 1e-6);
return rows;
"""


@pytest.fixture
def opened(runs, browser, tmp_path):
    """Open the page of a lab's run; afterwards nothing was complained of on the console, and nothing asked of a network."""
    def open_run(name, **settings):
        run = runs(name, **settings)
        emulate(browser)
        open_ready_page(browser, write_page(run, tmp_path / "page.html"))
        return run
    yield open_run
    assert browser.get_log("browser") == []
    assert requests_of(browser) == [f"file://{tmp_path}/page.html"]


def js(browser, expression, *arguments):
    """The value of an expression, or of statements with a return; typed arrays have to be made arrays there."""
    return browser.execute_script(expression if "return" in expression else f"return {expression}", *arguments)


def pixels(browser, canvas):
    """What is painted on a canvas."""
    return js(browser, "return document.getElementById(arguments[0]).toDataURL()", canvas)


def rest(browser):
    """Wait until what follows the image has been computed, too."""
    time.sleep(0.4)


def text(browser, identifier):
    return browser.find_element(By.ID, identifier).text


def drag(browser, identifier, *offsets):
    """Press in an element's middle and move by these offsets in turn."""
    chain = ActionChains(browser, duration=20).move_to_element(browser.find_element(By.ID, identifier)).click_and_hold()
    for dx, dy in offsets:
        chain.move_by_offset(dx, dy)
    chain.release().perform()


# The page computes what the model computes.

@pytest.mark.parametrize("name", IMAGES)
def test_images_are_encoded_and_decoded_as_by_the_model(opened, browser, name):
    run = opened(name)
    z = np.random.default_rng(0).normal(size=(8, run.model.latent_dim)).astype(np.float32)
    decoded = js(browser, "return arguments[0].map(z => Array.from(explorer.model.decode(Float32Array.from(z))))", z.tolist())
    assert np.abs(decoded - run.model.decode(z).reshape(8, -1)).max() < 1e-5
    assert np.std(decoded, axis=0).max() > 1e-3                 # no dead network, which would be too easy
    encoded = js(browser, "return [...Array(8).keys()].map(i => explorer.model.encode(explorer.image(i))).map(q => [q.mean, q.logVar].map(v => v && Array.from(v)))")
    expected = run.model.encode(run.x_test[:8])
    for part, array in zip(zip(*encoded), expected if isinstance(expected, tuple) else [expected]):
        assert np.abs(np.array(part) - array).max() < 1e-4
    assert (encoded[0][1] is None) == (name == "fashion-autoencoder")


def test_linear_layers_in_a_row_are_decoded_as_one(opened, browser):
    run = opened("mnist-latent8", activations="none")
    assert [js(browser, f"explorer.model.{way}.layers.length") for way in ("decoder", "shortcut")] == [11, 3]
    z = np.random.default_rng(0).normal(size=(4, 8)).astype(np.float32)
    for expression in ("explorer.model.decode(z)", "explorer.model.loss.output(explorer.model.decoder.forward(z))"):
        decoded = js(browser, f"return arguments[0].map(v => Float32Array.from(v)).map(z => Array.from({expression}))", z.tolist())
        assert np.abs(decoded - run.model.decode(z).reshape(4, -1)).max() < 1e-5


@pytest.mark.parametrize("pixel", [None, 400])
@pytest.mark.parametrize("name", IMAGES)
def test_gradients_agree_with_central_differences(opened, browser, name, pixel):
    opened(name)
    rows = js(browser, GRADIENTS, 3, pixel)
    assert len(rows) > 8 and {"x"} < {row[0].split("[")[0] for row in rows}
    errors = {label: abs(gradient - difference) / largest for label, gradient, difference, largest in rows}
    assert max(errors.values()) < 1e-4, errors


def test_half_precision_and_the_grid_stay_near_the_model(opened, browser, runs, monkeypatch):
    monkeypatch.setattr("scratchvae.teaching.explore.payload.LARGE", 0)
    run = opened("mnist-dense")
    z = np.random.default_rng(0).normal(size=(8, 2)).astype(np.float32)
    decode = "return arguments[0].map(z => Array.from(explorer.model.decode(Float32Array.from(z))))"
    assert 0 < np.abs(js(browser, decode, z.tolist()) - run.model.decode(z).reshape(8, -1)).max() < 1 / 255
    monkeypatch.setattr(images, "HEAVY", 0)
    run = opened("mnist-dense")
    low, high = (np.array(js(browser, f"explorer.told.{end}")) for end in ("low", "high"))
    at = low + (high - low) * np.array([[0, 0], [1, 1], [5 / 47, 0], [0, 30 / 47], [46 / 47, 11 / 47]])      # points of the grid
    assert np.abs(js(browser, decode, at.tolist()) - run.model.decode(at).reshape(5, -1)).max() < 0.51 / 255
    assert "too heavy" in text(browser, "notice") and not browser.find_element(By.ID, "backward").is_displayed()
    before = pixels(browser, "output")
    drag(browser, "plane-top", (60, -40))
    assert pixels(browser, "output") != before


@pytest.mark.parametrize("name", ["shakespeare-vae", "text-gru"])
def test_lines_are_read_and_written_as_by_the_model(opened, browser, name):
    run = opened(name)
    z = 2 * np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
    written = js(browser, "return arguments[0].map(z => between.model.decode(Float32Array.from(z)).map(({word}) => word))", z.tolist())
    assert written == run.lab.lines_of(run, z, np.random.default_rng(0), 0.0)
    assert len(set(map(tuple, written))) > 1
    lines = [detokenize(words) for words in run.data.lines_test[:5]] + ["Zounds, thou he loveth Rome the it him o'er and thee, she saw hath we I!"]
    mean = js(browser, "return arguments[0].map(line => Array.from(between.model.encode(between.model.example(tokenize(line)))))", lines)
    assert np.abs(mean - run.model.encode(np.concatenate([run.example(line) for line in lines]))[0]).max() < 1e-5


def test_lines_are_split_and_joined_as_in_python(opened, browser):
    opened("text-gru")
    lines = ["We know't, sir. O' the soldiers' arms -- 'tis well!", 'He said: "Go, 3,000 o\'er ‘there’ (now)..." and left.', "I cannot; gonna see; d'ye?",
             "“What’s here?” she cried—no more.", "Mine own 'gainst thee, 'twas [so]; he'll won't I'd we've 'em.", "Enter A & B: 50% of it; *all*", ""]
    assert js(browser, "return arguments[0].map(tokenize)", lines) == [tokenize(clean(line)) for line in lines]
    words = [tokenize(clean(line)) for line in lines]
    assert js(browser, "return arguments[0].map(detokenize)", words) == list(map(detokenize, words))


# One can work with it.

def test_z_is_dragged_and_moved_by_keys(opened, browser):
    opened("mnist-dense")
    before, z = pixels(browser, "output"), js(browser, "Array.from(explorer.z)")
    drag(browser, "plane-top", (80, 0), (10, 50))
    moved = js(browser, "Array.from(explorer.z)")
    assert pixels(browser, "output") != before and moved != z
    box, low, high = js(browser, "[explorer.plane.size, explorer.told.low, explorer.told.high]")
    expected = [low[0] + (high[0] - low[0]) * (0.5 + 90 / box), low[1] + (high[1] - low[1]) * (0.5 - 50 / box)]
    assert np.allclose(moved, expected, atol=0.02 * (np.array(high) - low))
    plane = browser.find_element(By.ID, "plane-top")
    plane.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_UP)
    after = js(browser, "Array.from(explorer.z)")
    assert np.allclose(np.array(after) - moved, 0.02 * (np.array(high) - low), rtol=1e-3)
    plane.send_keys(Keys.ENTER)
    assert text(browser, "input-caption").startswith("test image")
    assert js(browser, "Array.from(explorer.z)") == js(browser, "Array.from(explorer.q.mean)")


def test_points_are_shown_on_hovering_and_picked_by_a_click(opened, browser):
    run = opened("mnist-dense")
    js(browser, "return (explorer.setZ(Float32Array.of(0, 0)), 1)")
    x, y, size = js(browser, "[...explorer.plane.screenOf(explorer.codes.mean, 2 * 7), explorer.plane.size]")
    plane, card = browser.find_element(By.ID, "plane-top"), browser.find_element(By.ID, "hover")
    ActionChains(browser).move_to_element_with_offset(plane, round(x - size / 2), round(y - size / 2)).perform()
    index = js(browser, "return explorer.plane.nearest(...arguments)", round(x - size / 2) + size / 2, round(y - size / 2) + size / 2)
    assert card.is_displayed() and card.text == run.data.classes[run.data.y_test[index]]
    ActionChains(browser).click().perform()
    assert text(browser, "input-caption") == f"test image {index + 1}: {card.text or run.data.classes[run.data.y_test[index]]}"
    browser.find_element(By.ID, "next").click()
    assert text(browser, "input-caption").startswith(f"test image {(index + 1) % 30 + 1}:")


def test_a_drawing_is_encoded_while_it_is_drawn(opened, browser):
    run = opened("mnist-dense")
    browser.find_element(By.ID, "blank").click()
    assert text(browser, "input-caption") == "draw here"
    drag(browser, "input", (30, 30), (-50, 10))
    x = np.array(js(browser, "Array.from(explorer.x)"), np.float32)
    assert text(browser, "input-caption") == "your drawing" and 20 < (x > 0.5).sum() < 200
    mean, log_var = run.model.encode(x[np.newaxis])
    assert np.allclose(js(browser, "Array.from(explorer.q.mean)"), mean[0], atol=1e-4)
    assert np.allclose(js(browser, "Array.from(explorer.q.logVar)"), log_var[0], atol=1e-4)
    assert np.allclose(js(browser, "Array.from(explorer.z)"), mean[0], atol=1e-4)
    rest(browser)
    assert len(js(browser, "explorer.plane.samples")) == 6
    browser.find_element(By.ID, "input").send_keys(Keys.ARROW_UP, Keys.ARROW_UP, " ")
    assert js(browser, "explorer.x").count(0) <= (x == 0).sum()


def test_the_gradient_of_one_pixel_is_followed(opened, browser):
    opened("mnist-dense")
    rest(browser)
    assert text(browser, "explanation").startswith("L = ") and len(browser.find_elements(By.CSS_SELECTOR, "#norms tr")) == 5
    output = browser.find_element(By.ID, "output")
    ActionChains(browser).move_to_element(output).click().perform()
    rest(browser)
    assert text(browser, "explanation").startswith("Pixel in row 1")
    row, column = divmod(js(browser, "explorer.pixel"), 28)
    output.send_keys(Keys.ARROW_LEFT)
    assert js(browser, "explorer.pixel") == 28 * row + column - 1
    loss = "return explorer.model.lossAt(explorer.x, explorer.z, explorer.q).perPixel[explorer.pixel]"
    before = js(browser, loss)
    browser.find_element(By.ID, "downhill").click()
    assert js(browser, loss) < before
    output.send_keys(Keys.ESCAPE)
    rest(browser)
    assert js(browser, "explorer.pixel") is None and text(browser, "explanation").startswith("L = ")


def test_sliders_move_every_dimension_and_choose_the_plane(opened, browser):
    opened("mnist-latent8")
    sliders = browser.find_elements(By.CSS_SELECTOR, "#sliders input")
    assert len(sliders) == 8
    for j in (0, 6):
        before, z = pixels(browser, "output"), js(browser, "Array.from(explorer.z)")
        sliders[j].send_keys(*[Keys.ARROW_RIGHT] * 10)
        after = js(browser, "Array.from(explorer.z)")
        assert after[j] > z[j] and [v for i, v in enumerate(after) if i != j] == [v for i, v in enumerate(z) if i != j]
        assert pixels(browser, "output") != before
    browser.find_elements(By.CSS_SELECTOR, "#sliders select")[1].send_keys("z₅")
    assert js(browser, "explorer.plane.axes") == [0, 4]
    z = js(browser, "Array.from(explorer.z)")
    drag(browser, "plane-top", (30, 60))
    assert [i for i, (a, b) in enumerate(zip(z, js(browser, "Array.from(explorer.z)"))) if a != b] == [0, 4]


def test_one_class_can_be_shown_alone(opened, browser):
    run = opened("mnist-dense")
    button = browser.find_elements(By.CSS_SELECTOR, "#legend button")[3]
    button.click()
    assert js(browser, "explorer.plane.shown") == 3 and button.get_attribute("aria-pressed") == "true"
    assert run.data.y_test[js(browser, "explorer.plane.nearest(50, 50)")] == 3
    button.click()
    assert js(browser, "explorer.plane.shown") is None


def test_one_slides_between_lines(opened, browser):
    run = opened("shakespeare-vae")
    js(browser, """for (const [i, id] of ["first", "second"].entries()) between.ends[i].z = Float32Array.of(6 * i - 3, 3 - 6 * i, 0); return between.slide(0)""")
    first = text(browser, "line")
    way = browser.find_element(By.ID, "way")
    way.send_keys(Keys.END)
    assert text(browser, "line") != first
    assert np.allclose(js(browser, "Array.from(between.z)"), [3, -3, 0])
    field = browser.find_element(By.ID, "first")
    field.clear()
    field.send_keys("Thou loveth Xanthippe!")
    rest(browser)
    assert "Xanthippe" in browser.find_element(By.CSS_SELECTOR, ".unknown").text
    mean = run.model.encode(run.example("Thou loveth Xanthippe!"))[0][0]
    assert np.allclose(js(browser, "Array.from(between.ends[0].z)"), mean, atol=1e-5)
    browser.find_element(By.TAG_NAME, "summary").click()
    browser.find_elements(By.CSS_SELECTOR, "#sliders input")[2].send_keys(Keys.ARROW_RIGHT)
    assert js(browser, "between.z[2]") > 0


@pytest.mark.parametrize("name", ["mnist-dense", "mnist-latent8", "shakespeare-vae"])
def test_pages_fit_a_phone_and_are_light_and_dark(opened, browser, name):
    opened(name)
    light = browser.get_screenshot_as_png()
    emulate(browser, scheme="dark")
    rest(browser)
    assert browser.get_screenshot_as_png() != light
    background = js(browser, "getComputedStyle(document.body).backgroundColor")
    assert sum(map(int, re.findall(r"\d+", background))) < 150
    emulate(browser, 390, 844, mobile=True)
    rest(browser)
    assert js(browser, "document.documentElement.scrollWidth") <= 390
    small = js(browser, "return [...document.querySelectorAll('button')].filter(b => b.offsetParent && b.offsetHeight < 20).length")
    assert small == 0


def test_everything_has_a_name_for_those_who_hear_the_page(opened, browser):
    opened("mnist-latent8")
    nameless = js(browser, """return [...document.querySelectorAll('button, input, select, [tabindex="0"], [role="img"]')]
        .filter(e => !(e.getAttribute("aria-label") || e.textContent.trim() || e.closest("label")?.textContent.trim())).map(e => e.outerHTML)""")
    assert nameless == []
