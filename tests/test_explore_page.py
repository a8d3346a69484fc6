"""The page of a run in a real browser: it computes what the model computes, and can be used."""
import re
import time

import numpy as np
import pytest
from browser import emulate, open_ready_page, requests_of

from scratchvae import labs
from scratchvae.runs import create_run, new_config
from scratchvae.runs.training import train
from scratchvae.teaching.explore import images, write_page
from scratchvae.text import clean, detokenize, tokenize

MISSING = "selenium is not installed: pip install 'scratchvae[test]'"
ActionChains = pytest.importorskip("selenium.webdriver", reason=MISSING).ActionChains
By = pytest.importorskip("selenium.webdriver.common.by", reason=MISSING).By
Keys = pytest.importorskip("selenium.webdriver.common.keys", reason=MISSING).Keys

pytestmark = pytest.mark.slow        # a browser

pytest_plugins = "explore_runs"
IMAGES = ["mnist-dense", "mnist-conv", "mnist-latent8", "mnist-batchnorm", "fashion-autoencoder"]

# Returns [name, gradient, central difference, largest gradient of the array] for some elements of x
# and of each kind of weight.  It computes in double precision, because in single precision the
# differences would be mostly rounding errors.
GRADIENTS = """
const [samples, pixel] = arguments;
const content = explorer.content;
globalThis.Float32Array = Float64Array;
for (const layers of Object.values(content.parts)) {
  for (const layer of layers) {
    for (const name in layer.weights) layer.weights[name] = Float64Array.from(layer.weights[name]);
  }
}
const x = explorer.image(3);
const target = x.slice();
const eps = Float32Array.from({length: content.low.length}, (_, j) => Math.cos(5 * j + 1));
const rebuilt = () => new VAE(content);     // layers keep what they derive from their weights
const lossNow = () => {
  const model = rebuilt();
  const q = model.encode(x);
  const loss = model.lossAt(target, reparameterize(q, eps), q);
  return pixel === null ? loss.total : loss.perPixel[pixel];
};
const model = rebuilt();
const z = reparameterize(model.encode(x), eps);
const result = model.backward(x, z, pixel);
const rows = [];
const check = (name, array, gradient) => {
  const largest = gradient.reduce((most, g) => Math.max(most, Math.abs(g)), 0);
  for (let s = 0; s < samples; s++) {
    const first = (s * gradient.length) / samples;
    const i = gradient.findIndex((g, k) => k >= first && Math.abs(g) > 0.2 * largest);
    if (i < 0) continue;
    const old = array[i];
    array[i] = old + 1e-6;
    const high = array[i];
    const up = lossNow();
    array[i] = old - 1e-6;
    const low = array[i];
    const down = lossNow();
    array[i] = old;
    rows.push([`${name}[${i}]`, gradient[i], (up - down) / (high - low), largest]);
  }
};
check("x", x, result.dx);
for (const network of [model.encoder, model.decoder, ...Object.values(model.heads || {})]) {
  for (const layer of network.layers) {
    for (const name of ["kernel", "bias", "gamma", "beta"]) {
      const gradient = layer.grads?.[name];
      if (gradient) check(`${layer.name}/${name}`, layer.weights[name], gradient);
    }
  }
}
return rows;
"""


@pytest.fixture
def opened(runs, browser, tmp_path):
    """Return a function that opens the page of a lab's run.

    Afterwards, the console must be empty, and the page must not have used the network.
    """
    def open_run(name, **settings):
        run = runs(name, **settings)
        emulate(browser)
        open_ready_page(browser, write_page(run, tmp_path / "page.html"))
        return run
    yield open_run
    assert browser.get_log("browser") == []
    assert requests_of(browser) == [f"file://{tmp_path}/page.html"]


def js(browser, expression, *arguments):
    """Return the value of a JavaScript expression, or of statements with a return.

    Selenium does not return typed arrays: the JavaScript has to make arrays of them.
    """
    script = expression if "return" in expression else f"return {expression}"
    return browser.execute_script(script, *arguments)


def array(browser, expression):
    """Return a typed array as a NumPy array."""
    return np.array(js(browser, f"Array.from({expression})"))


def js_map(browser, function, items):
    """Return the values of a JavaScript function for each of these items."""
    return js(browser, f"return arguments[0].map({function})", items)


def decoded_by(browser, z, function="explorer.model.decode"):
    """Return the images (N, pixels) of the latent codes z."""
    return np.array(js_map(browser, f"z => Array.from({function}(Float32Array.from(z)))",
                           z.tolist()))


def codes(count, dimensions):
    """Return latent codes (count, dimensions), always the same."""
    return np.random.default_rng(0).normal(size=(count, dimensions)).astype(np.float32)


def pixels(browser, canvas):
    """Return the painted canvas as text."""
    return js(browser, "return document.getElementById(arguments[0]).toDataURL()", canvas)


def rest(browser):
    """Wait until the page has computed what follows the image, too."""
    time.sleep(0.4)


def find(browser, identifier):
    return browser.find_element(By.ID, identifier)


def text(browser, identifier):
    return find(browser, identifier).text


def drag(browser, identifier, *offsets):
    """Press in the middle of an element and move by these offsets in turn."""
    chain = ActionChains(browser, duration=20)
    chain.move_to_element(find(browser, identifier)).click_and_hold()
    for dx, dy in offsets:
        chain.move_by_offset(dx, dy)
    chain.release().perform()


# The page computes what the model computes.

@pytest.mark.parametrize("name", IMAGES)
def test_images_are_encoded_and_decoded_as_by_the_model(opened, browser, name):
    run = opened(name)
    z = codes(8, run.model.latent_dim)
    decoded = decoded_by(browser, z)
    assert np.abs(decoded - run.model.decode(z).reshape(8, -1)).max() < 1e-5
    assert np.std(decoded, axis=0).max() > 1e-3         # the network is not dead
    encode = """i => {
        const {mean, logVar} = explorer.model.encode(explorer.image(i));
        return [Array.from(mean), logVar && Array.from(logVar)];
    }"""
    encoded = js_map(browser, encode, list(range(8)))
    expected = run.model.encode(run.x_test[:8])
    parts = expected if isinstance(expected, tuple) else [expected]
    for part, values in zip(zip(*encoded), parts):
        assert np.abs(np.array(part) - values).max() < 1e-4
    assert (encoded[0][1] is None) == (name == "fashion-autoencoder")


def test_linear_layers_in_a_row_are_decoded_as_one(opened, browser):
    run = opened("mnist-latent8", activations="none")
    assert js(browser, "explorer.model.decoder.layers.length") == 11
    assert js(browser, "explorer.model.shortcut.layers.length") == 3
    z = codes(4, 8)
    whole = "(z => explorer.model.loss.output(explorer.model.decoder.forward(z)))"
    for function in ("explorer.model.decode", whole):
        decoded = decoded_by(browser, z, function)
        assert np.abs(decoded - run.model.decode(z).reshape(4, -1)).max() < 1e-5


@pytest.mark.parametrize("pixel", [None, 400])
@pytest.mark.parametrize("name", IMAGES)
def test_gradients_agree_with_central_differences(opened, browser, name, pixel):
    opened(name)
    rows = js(browser, GRADIENTS, 3, pixel)
    assert len(rows) > 8 and {"x"} < {row[0].split("[")[0] for row in rows}
    errors = {label: abs(gradient - difference) / largest
              for label, gradient, difference, largest in rows}
    assert max(errors.values()) < 1e-4, errors


def test_half_precision_and_the_grid_stay_near_the_model(opened, browser, runs, monkeypatch):
    monkeypatch.setattr("scratchvae.teaching.explore.payload.LARGE", 0)
    run = opened("mnist-dense")
    z = codes(8, 2)
    error = np.abs(decoded_by(browser, z) - run.model.decode(z).reshape(8, -1)).max()
    assert 0 < error < 1 / 255
    monkeypatch.setattr(images, "HEAVY", 0)
    run = opened("mnist-dense")
    low = array(browser, "explorer.content.low")
    high = array(browser, "explorer.content.high")
    points = np.array([[0, 0], [47, 47], [5, 0], [0, 30], [46, 11]]) / 47       # of the grid
    z = low + (high - low) * points
    error = np.abs(decoded_by(browser, z) - run.model.decode(z).reshape(5, -1)).max()
    assert error < 0.51 / 255
    assert "too heavy" in text(browser, "notice")
    assert not find(browser, "backward").is_displayed()
    before = pixels(browser, "output")
    drag(browser, "plane-top", (60, -40))
    assert pixels(browser, "output") != before


@pytest.mark.parametrize("name", ["shakespeare-vae", "text-gru"])
def test_lines_are_read_and_written_as_by_the_model(opened, browser, name):
    run = opened(name)
    z = 2 * codes(12, 3)
    decode = "z => between.model.decode(Float32Array.from(z)).map(({word}) => word)"
    written = js_map(browser, decode, z.tolist())
    assert written == run.lab.lines_of(run, z, np.random.default_rng(0), 0.0)
    assert len(set(map(tuple, written))) > 1
    lines = [detokenize(words) for words in run.data.lines_test[:5]]
    lines.append("Zounds, thou he loveth Rome the it him o'er and thee, she saw hath we I!")
    encode = "line => Array.from(between.model.encode(between.model.example(tokenize(line))))"
    examples = np.concatenate([run.example(line) for line in lines])
    assert np.abs(js_map(browser, encode, lines) - run.model.encode(examples)[0]).max() < 1e-5


def test_lines_are_split_and_joined_as_in_python(opened, browser):
    opened("text-gru")
    lines = ["We know't, sir. O' the soldiers' arms -- 'tis well!",
             'He said: "Go, 3,000 o\'er ‘there’ (now)..." and left.',
             "I cannot; gonna see; d'ye?",
             "“What’s here?” she cried—no more.",
             "Mine own 'gainst thee, 'twas [so]; he'll won't I'd we've 'em.",
             "Enter A & B: 50% of it; *all*",
             ""]
    words = [tokenize(clean(line)) for line in lines]
    assert js_map(browser, "line => tokenize(line)", lines) == words
    assert js_map(browser, "line => detokenize(line)", words) == list(map(detokenize, words))


# The page can be used.

def test_z_is_dragged_and_moved_by_keys(opened, browser):
    opened("mnist-dense")
    before = pixels(browser, "output")
    z = array(browser, "explorer.z")
    drag(browser, "plane-top", (80, 0), (10, 50))
    moved = array(browser, "explorer.z")
    assert pixels(browser, "output") != before and np.all(moved != z)
    size = js(browser, "explorer.plane.size")
    low = array(browser, "explorer.content.low")
    extent = array(browser, "explorer.content.high") - low
    expected = low + extent * (0.5 + np.array([90, -50]) / size)
    assert np.allclose(moved, expected, atol=0.02 * extent)
    plane = find(browser, "plane-top")
    plane.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_UP)
    assert np.allclose(array(browser, "explorer.z") - moved, 0.02 * extent, rtol=1e-3)
    plane.send_keys(Keys.ENTER)
    assert text(browser, "input-caption").startswith("test image")
    assert np.array_equal(array(browser, "explorer.z"), array(browser, "explorer.q.mean"))


def test_points_are_shown_on_hovering_and_picked_by_a_click(opened, browser):
    run = opened("mnist-dense")
    js(browser, "return (explorer.setZ(Float32Array.of(0, 0)), 1)")
    x, y = js(browser, "explorer.plane.screenOf(explorer.codes.mean, 2 * 7)")
    middle = js(browser, "explorer.plane.size") / 2
    dx = round(x - middle)
    dy = round(y - middle)
    plane = find(browser, "plane-top")
    card = find(browser, "hover")
    ActionChains(browser).move_to_element_with_offset(plane, dx, dy).perform()
    index = js(browser, "return explorer.plane.nearest(...arguments)", middle + dx, middle + dy)
    name = run.data.classes[run.data.y_test[index]]
    assert card.is_displayed() and card.text == name
    ActionChains(browser).click().perform()
    assert text(browser, "input-caption") == f"test image {index + 1}: {name}"
    find(browser, "next").click()
    assert text(browser, "input-caption").startswith(f"test image {(index + 1) % 30 + 1}:")


def test_a_drawing_is_encoded_while_it_is_drawn(opened, browser):
    run = opened("mnist-dense")
    find(browser, "blank").click()
    assert text(browser, "input-caption") == "draw here"
    drag(browser, "input", (30, 30), (-50, 10))
    x = array(browser, "explorer.x").astype(np.float32)
    assert text(browser, "input-caption") == "your drawing" and 20 < (x > 0.5).sum() < 200
    mean, log_var = run.model.encode(x[np.newaxis])
    assert np.allclose(array(browser, "explorer.q.mean"), mean[0], atol=1e-4)
    assert np.allclose(array(browser, "explorer.q.logVar"), log_var[0], atol=1e-4)
    assert np.allclose(array(browser, "explorer.z"), mean[0], atol=1e-4)
    rest(browser)
    assert len(js(browser, "explorer.plane.samples")) == 6
    find(browser, "input").send_keys(Keys.ARROW_UP, Keys.ARROW_UP, " ")
    assert np.all(array(browser, "explorer.x") >= x)


def test_the_gradient_of_one_pixel_is_followed(opened, browser):
    opened("mnist-dense")
    rest(browser)
    assert text(browser, "explanation").startswith("L = ")
    assert len(browser.find_elements(By.CSS_SELECTOR, "#norms tr")) == 5
    output = find(browser, "output")
    ActionChains(browser).move_to_element(output).click().perform()
    rest(browser)
    assert text(browser, "explanation").startswith("Pixel in row 1")
    pixel = js(browser, "explorer.pixel")
    output.send_keys(Keys.ARROW_LEFT)
    assert js(browser, "explorer.pixel") == pixel - 1
    loss = "explorer.model.lossAt(explorer.x, explorer.z, explorer.q).perPixel[explorer.pixel]"
    before = js(browser, loss)
    find(browser, "downhill").click()
    assert js(browser, loss) < before
    output.send_keys(Keys.ESCAPE)
    rest(browser)
    assert js(browser, "explorer.pixel") is None
    assert text(browser, "explanation").startswith("L = ")


def test_sliders_move_every_dimension_and_choose_the_plane(opened, browser):
    opened("mnist-latent8")
    sliders = browser.find_elements(By.CSS_SELECTOR, "#sliders input")
    assert len(sliders) == 8
    for j in (0, 6):
        before = pixels(browser, "output")
        z = array(browser, "explorer.z")
        sliders[j].send_keys(*[Keys.ARROW_RIGHT] * 10)
        after = array(browser, "explorer.z")
        assert after[j] > z[j] and np.flatnonzero(after != z).tolist() == [j]
        assert pixels(browser, "output") != before
    browser.find_elements(By.CSS_SELECTOR, "#sliders select")[1].send_keys("z₅")
    assert js(browser, "explorer.plane.axes") == [0, 4]
    z = array(browser, "explorer.z")
    drag(browser, "plane-top", (30, 60))
    assert np.flatnonzero(array(browser, "explorer.z") != z).tolist() == [0, 4]


def test_one_class_can_be_shown_alone(opened, browser):
    run = opened("mnist-dense")
    button = browser.find_elements(By.CSS_SELECTOR, "#legend button")[3]
    button.click()
    assert js(browser, "explorer.plane.shown") == 3
    assert button.get_attribute("aria-pressed") == "true"
    assert run.data.y_test[js(browser, "explorer.plane.nearest(50, 50)")] == 3
    button.click()
    assert js(browser, "explorer.plane.shown") is None


def test_the_slider_moves_between_lines(opened, browser):
    run = opened("shakespeare-vae")
    js(browser, """
        between.ends[0].z = Float32Array.of(-3, 3, 0);
        between.ends[1].z = Float32Array.of(3, -3, 0);
        return between.slide(0);""")
    first = text(browser, "line")
    find(browser, "way").send_keys(Keys.END)
    assert text(browser, "line") != first
    assert np.allclose(array(browser, "between.z"), [3, -3, 0])
    field = find(browser, "first")
    field.clear()
    field.send_keys("Thou loveth Xanthippe!")
    rest(browser)
    assert "Xanthippe" in browser.find_element(By.CSS_SELECTOR, ".unknown").text
    mean = run.model.encode(run.example("Thou loveth Xanthippe!"))[0][0]
    assert np.allclose(array(browser, "between.ends[0].z"), mean, atol=1e-5)
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
    small = js(browser, """
        const buttons = [...document.querySelectorAll("button")];
        return buttons.filter(b => b.offsetParent && b.offsetHeight < 20).length;""")
    assert small == 0


def test_every_control_has_a_name_for_screen_readers(opened, browser):
    opened("mnist-latent8")
    nameless = js(browser, """
        const nameOf = e => e.getAttribute("aria-label") || e.textContent.trim()
            || e.closest("label")?.textContent.trim();
        const selector = 'button, input, select, [tabindex="0"], [role="img"]';
        const controls = [...document.querySelectorAll(selector)];
        return controls.filter(e => !nameOf(e)).map(e => e.outerHTML);""")
    assert nameless == []


# Images of one's own: in colour or grey, not square, with labels or without.

@pytest.fixture(params=[(9, 6, 3), (6, 9, 1)], ids=["colour", "grey"])
def own(request, browser, tmp_path, rng):
    """The shape of images of one's own, and a run that learnt from them, whose page is open."""
    pixels = rng.integers(0, 256, (40, *request.param), dtype=np.uint8)
    np.save(tmp_path / "own.npy", pixels)
    lab = labs.get("mnist-conv")
    config = new_config(lab, lab.settings | {"filters": 3}, epochs=2, batch_size=10,
                        images=tmp_path / "own.npy")
    run = create_run(tmp_path / "run", config)
    train(run)
    emulate(browser)
    open_ready_page(browser, write_page(run, tmp_path / "page.html"))
    yield request.param, run
    assert browser.get_log("browser") == []
    assert requests_of(browser) == [f"file://{tmp_path}/page.html"]


def test_own_images_are_computed_as_by_the_model(own, browser):
    shape, run = own
    z = codes(8, 2)
    decoded = decoded_by(browser, z)
    assert np.abs(decoded - run.model.decode(z).reshape(8, -1)).max() < 1e-5
    for pixel in (None, 20):
        rows = js(browser, GRADIENTS, 3, pixel)
        errors = {label: abs(gradient - difference) / largest
                  for label, gradient, difference, largest in rows}
        assert len(errors) > 8 and max(errors.values()) < 1e-4, errors


def test_own_images_are_shown_as_photographs(own, browser):
    (height, width, channels), run = own
    canvas = find(browser, "input")
    assert (canvas.size["height"] > canvas.size["width"]) == (height > width)
    painted = js(browser, """return Array.from(document.getElementById("input").getContext("2d")
        .getImageData(0, 0, arguments[0], arguments[1]).data)""", width, height)
    painted = np.reshape(painted, (height, width, 4))[..., :3]
    shown = np.rint(255 * np.asarray(run.x_test[0]))
    assert np.abs(painted - np.broadcast_to(shown, painted.shape)).max() <= 1
    assert "more light in this pixel" in text(browser, "backward")
    assert text(browser, "input-caption") == "test image 1"
    assert text(browser, "legend") == ""


def test_own_images_can_be_drawn_and_their_pixels_followed(own, browser):
    (height, width, channels), _ = own
    output = find(browser, "output")
    ActionChains(browser).move_to_element(output).click().perform()
    rest(browser)
    pixel = js(browser, "explorer.pixel")
    row, column = divmod(pixel, width)
    assert abs(row - height / 2) <= 1 and abs(column - width / 2) <= 1
    assert text(browser, "explanation").startswith(f"Pixel in row {row + 1}, column {column + 1}: ")
    output.send_keys(Keys.ARROW_DOWN)
    assert js(browser, "explorer.pixel") == pixel + width
    find(browser, "blank").click()
    drag(browser, "input", (0, 10))
    x = array(browser, "explorer.x").reshape(height, width, channels)
    assert x.max() == 1 and x.min() == 0
    assert (x == x[..., :1]).all()
