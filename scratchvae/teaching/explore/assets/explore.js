// The page of an image run: connects the plane, the pictures, the controls and the model.

const SAMPLES = 6;              // of the posterior
const IMMEDIATE = 8;            // milliseconds: longer work waits until the pointer rests
const REST = 140;               // milliseconds without a change after which the pointer rests
const TRIES = 12;               // step lengths that "Step downhill" tries, each half the last

class Explorer {
  // The state: an input x with its posterior q, a point z with its decoded image, and the pixel
  // whose loss is followed (null: the whole loss).
  constructor(content, arrays) {
    this.content = content;
    this.shape = content.shape;
    this.J = content.low.length;
    this.images = arrays[content.images];
    this.labels = arrays[content.labels];
    this.codes = {
      mean: arrays[content.mean],
      logVar: content.log_var === null ? null : arrays[content.log_var],
    };
    const {width, height} = content.shape;
    document.documentElement.style.setProperty("--aspect", `${width} / ${height}`);
    this.pixel = null;
    this.index = 0;             // of the test image picked last
    this.eps = null;            // the noise of the samples
    this.cost = Infinity;       // milliseconds that the work after a change took
    this.model = makeModel(content, arrays);
    this.pictures = {};
    for (const id of ["input", "output", "dx", "dlogits"]) {
      this.pictures[id] = new Picture($(id), this.shape);
    }
    this.plane = this.makePlane();
    this.makeControls();
    this.describe();
    this.drawSamples();
    this.pick(0);
    onThemeChange(() => {
      this.plane.paint();
      this.refresh();
    });
  }

  makePlane() {
    return new Plane($("plane"), this.content, this.codes.mean, this.labels, {
      onMove: (first, second) => this.moveOnPlane(first, second),
      onHover: (index, x, y) => this.hover(index, x, y),
      onPick: index => this.pick(index),
    });
  }

  makeControls() {
    if (this.J > 2) this.makeSliders();
    this.content.classes.forEach((name, label) => {
      $("legend").append(this.legendButton(name, label));
    });
    this.hoverPictures = [...$("hover").querySelectorAll("canvas")]
      .map(canvas => new Picture(canvas, this.shape));
    this.samplePictures = Array.from({length: SAMPLES}, (_, i) => this.samplePicture(i));
    const images = this.labels.length;
    $("previous").onclick = () => this.pick((this.index + images - 1) % images);
    $("next").onclick = () => this.pick((this.index + 1) % images);
    $("again").onclick = () => {
      this.drawSamples();
      this.refresh();
    };
    if (this.content.grid) return;
    this.makePad();
    this.makePixelCursor();
    $("whole").onclick = () => this.setPixel(null);
    $("downhill").onclick = () => this.stepDownhill();
  }

  makeSliders() {
    $("sliders").hidden = false;
    const onSlide = (j, value) => this.setZ(this.z.map((old, i) => (i === j ? value : old)));
    const onAxes = axes => {
      this.plane.axes = axes;
      this.plane.paint();
    };
    this.sliders = new Sliders($("sliders"), this.content, onSlide, onAxes);
  }

  makePad() {
    this.pad = new Pad($("input"), $("input-mark"), this.shape, () => this.drawn());
    $("blank").onclick = () => {
      this.pad.x.fill(0);
      this.drawn();
      $("input").focus();
    };
  }

  makePixelCursor() {
    const output = $("output");
    const onMove = pixel => this.setPixel(pixel);
    this.cursor = new PixelCursor(output, $("output-mark"), this.shape, onMove);
    output.addEventListener("pointerdown", event => this.pointAt(event));
    output.addEventListener("pointermove", event => {
      if (event.buttons) this.pointAt(event);
    });
    output.addEventListener("keydown", event => {
      if (event.key === "Escape") this.setPixel(null);
    });
  }

  legendButton(name, label) {
    const button = document.createElement("button");
    const colour = `var(--class-${label % 10})`;
    button.innerHTML = `<span class="swatch" style="background:${colour}"></span>`;
    button.append(name);
    button.setAttribute("aria-pressed", "false");
    button.onclick = () => {
      const on = button.getAttribute("aria-pressed") === "false";
      for (const other of $("legend").children) other.setAttribute("aria-pressed", "false");
      button.setAttribute("aria-pressed", String(on));
      this.plane.shown = on ? label : null;
      this.plane.paint();
    };
    return button;
  }

  samplePicture(i) {
    const button = document.createElement("button");
    const canvas = document.createElement("canvas");
    button.append(canvas);
    button.setAttribute("aria-label", `Move z to sample ${i + 1}`);
    button.onclick = () => this.setZ(this.plane.samples[i].slice());
    document.querySelector("#posterior .strip").append(button);
    return new Picture(canvas, this.shape);
  }

  // Fills in the texts that do not change.
  describe() {
    const images = `${this.labels.length.toLocaleString("en")} test images.`;
    const {grid} = this.content;
    const choices = grid ? "Drag the point or pick an image." :
      "Drag the point, pick an image, or draw one.";
    describeRun(this.content, `${images} ${choices}`);
    $("posterior").hidden = !this.codes.logVar;
    if (grid) this.describeGrid(grid);
    else this.describePictures();
  }

  describePictures() {
    const matter = this.shape.ink ? "ink" : "light";
    for (const word of document.querySelectorAll(".matter")) word.textContent = matter;
    $("input").setAttribute("aria-label", "The input. Draw with mouse or finger. " +
      "With the keyboard, arrow keys move the brush and space draws.");
    $("output").setAttribute("aria-label", "The decoded image. Click a pixel, or choose it with " +
      "the arrow keys, to see the gradients of its loss. Escape returns to the whole loss.");
  }

  // A page with a grid of decoded images has no encoder and no backward pass.
  describeGrid({side}) {
    $("notice").hidden = false;
    $("notice").textContent = "This network is too heavy to compute in a page. The images are " +
      `mixed from a grid of ${side} \u00d7 ${side} images that the decoder made. ` +
      "The page has no encoder, so you cannot draw, and no backward pass.";
    for (const id of ["blank", "of-what", "backward", "keys"]) $(id).hidden = true;
    document.body.classList.add("forward-only");
    for (const id of ["input", "output"]) {
      $(id).removeAttribute("tabindex");
      $(id).setAttribute("role", "img");
    }
    $("input").setAttribute("aria-label", "The input");
    $("output").setAttribute("aria-label", "The decoded image");
  }

  pick(index) {
    this.index = index;
    this.x = this.image(index);
    this.q = this.code(index);
    this.pad?.x.set(this.x);
    const name = this.className(index);
    $("input-caption").textContent = `test image ${index + 1}${name && `: ${name}`}`;
    this.setZ(this.q.mean.slice());
  }

  drawn() {
    this.x = this.pad.x.slice();
    this.q = this.model.encode(this.x);
    $("input-caption").textContent = this.x.some(v => v > 0) ? "your drawing" : "draw here";
    this.setZ(this.q.mean.slice());
  }

  moveOnPlane(first, second) {
    const [a, b] = this.plane.axes;
    const z = this.z.slice();
    z[b] = second;
    z[a] = first;
    this.setZ(z);
  }

  setZ(z) {
    this.z = z;
    this.decoded = this.model.decode(z);
    this.refresh();
  }

  setPixel(pixel) {
    this.pixel = pixel;
    this.cursor.put(pixel);
    $("whole").setAttribute("aria-pressed", String(pixel === null));
    this.refresh();
  }

  pointAt(event) {
    const {width, height} = this.shape;
    const [x, y] = placeOn($("output"), this.shape, event).map(Math.floor);
    this.setPixel(clamp(y, 0, height - 1) * width + clamp(x, 0, width - 1));
  }

  // The name of a test image's class; empty if the images have no classes.
  className(index) {
    return this.content.classes[this.labels[index]] ?? "";
  }

  image(index) {
    const {height, width, channels} = this.shape;
    const size = height * width * channels;
    const bytes = this.images.subarray(index * size, (index + 1) * size);
    return Float32Array.from(bytes, v => v / 255);
  }

  code(index) {
    const part = array => array && array.slice(index * this.J, (index + 1) * this.J);
    return {mean: part(this.codes.mean), logVar: part(this.codes.logVar)};
  }

  // Shows the images now.  Work that takes long follows when nothing changes any more.
  refresh() {
    this.pictures.input.show(this.x);
    this.pictures.output.show(this.decoded);
    $("output-caption").textContent = `z = ${vector(this.z)}`;
    this.sliders?.show(this.z);
    this.plane.z = this.z;
    this.plane.q = this.q;
    this.plane.arrow = null;
    clearTimeout(this.waiting);
    if (this.cost <= IMMEDIATE) {
      this.follow();
    } else {
      this.plane.paintTop();
      this.waiting = setTimeout(() => this.follow(), REST);
    }
  }

  follow() {
    const started = performance.now();
    this.showSamples();
    if (!this.content.grid) this.showBackward();
    this.plane.paintTop();
    this.cost = performance.now() - started;
  }

  showSamples() {
    if (!this.codes.logVar) return;
    this.plane.samples = this.eps.map(eps => reparameterize(this.q, eps));
    this.plane.samples.forEach((z, i) => this.samplePictures[i].show(this.model.decode(z)));
    const sigma = this.q.logVar.map(v => Math.exp(v / 2));
    $("spread").innerHTML = `\u03bc = ${vector(this.q.mean)}, \u03c3 = ${vector(sigma)}, ` +
      `KL ${number(gaussianKL(this.q))} nats. In the plane, the cross is \u03bc, ` +
      "the ellipses are 1 and 2 \u03c3, and the rings are the samples.";
  }

  showBackward() {
    const {pixel, z, x} = this;
    const result = this.model.backward(x, z, pixel);
    this.pictures.dlogits.heat(result.dlogits);
    this.pictures.dx.heat(result.dx);
    paintNorms($("norms"), result.norms);
    $("explanation").innerHTML = explain(result, x, this.decoded, pixel, this.shape);
    this.sliders?.pull(result.dz);
    this.plane.arrow = this.arrow(result);
  }

  // The arrow against the gradient: long if a step across the plane would change the loss a lot
  // relative to its size.
  arrow({loss, dz}) {
    const mean = loss.reconstruction / loss.perPixel.length;
    const cost = this.pixel === null ? loss.reconstruction :
      Math.max(loss.perPixel[this.pixel], mean);
    const steep = norm(dz) * this.diagonal() / cost;
    return {direction: dz.map(d => -d), strength: steep / (steep + 3)};
  }

  // The length of the diagonal of the range that z can take.
  diagonal() {
    const {low, high} = this.content;
    return norm(high.map((end, j) => end - low[j]));
  }

  // Moves z against its gradient, by the longest step tried that lowers the loss.
  stepDownhill() {
    const {dz} = this.model.backward(this.x, this.z, this.pixel);
    const now = this.lossAt(this.z);
    let step = 0.03 * this.diagonal() / (norm(dz) || 1);
    for (let tries = 0; tries < TRIES; tries++) {
      const z = this.z.map((v, j) => v - step * dz[j]);
      if (this.lossAt(z) < now) {
        this.setZ(z);
        return;
      }
      step /= 2;
    }
  }

  // The loss that is followed, at z.
  lossAt(z) {
    const loss = this.model.lossAt(this.x, z, this.q);
    return this.pixel === null ? loss.reconstruction : loss.perPixel[this.pixel];
  }

  drawSamples() {
    const draw = () => Float32Array.from({length: this.J}, standardNormal);
    this.eps = Array.from({length: SAMPLES}, draw);
  }

  // A card beside a point of the scatter: its image, its reconstruction, and its class.
  hover(index, x, y) {
    $("hover").hidden = index === null;
    if (index === null) return;
    this.hoverPictures[0].show(this.image(index));
    this.hoverPictures[1].show(this.model.decode(this.code(index).mean));
    $("hover").querySelector("span").textContent = this.className(index);
    $("hover").style.left = `${Math.min(x + 14, this.plane.size - 150)}px`;
    $("hover").style.top = `${y > this.plane.size / 2 ? y - 110 : y + 14}px`;
  }
}

function makeModel(content, arrays) {
  if (content.grid) return new GridModel(content, arrays[content.grid.images]);
  return new VAE(content);
}

// A sample of N(0, 1), by the method of Box and Muller.
function standardNormal() {
  const radius = Math.sqrt(-2 * Math.log(1 - Math.random()));
  return radius * Math.cos(2 * Math.PI * Math.random());
}

let explorer;
start((content, arrays) => {
  readTheme();
  explorer = new Explorer(content, arrays);
});
