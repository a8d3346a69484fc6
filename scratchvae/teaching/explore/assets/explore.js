// The page of a run of images: what belongs together on it.

const SAMPLES = 6;              // of the posterior
const IMMEDIATE = 8;            // milliseconds: work that takes longer waits until the pointer rests
const REST = 140;               // milliseconds without a change after which the pointer rests
const $ = id => document.getElementById(id);

class Explorer {
  constructor(told, arrays) {
    Object.assign(this, {told, pixel: null, index: 0, cost: Infinity, eps: null});
    this.J = told.low.length;
    this.images = arrays[told.images];
    this.labels = arrays[told.labels];
    this.codes = {mean: arrays[told.mean], logVar: told.log_var === null ? null : arrays[told.log_var]};
    this.model = told.grid ? new GridModel(told, arrays[told.grid.images]) : new VAE(told);
    this.pictures = Object.fromEntries(["input", "output", "dx", "dlogits"].map(id => [id, new Picture($(id), told.side)]));
    this.plane = new Plane($("plane"), told, this.codes.mean, this.labels, {
      onMove: (first, second) => this.setZ(this.z.map((v, j) => (j === this.plane.axes[0] ? first : j === this.plane.axes[1] ? second : v))),
      onHover: (index, x, y) => this.hover(index, x, y),
      onPick: index => this.pick(index),
    });
    this.makeControls();
    this.describe();
    this.drawOthers();
    this.pick(0);
    onThemeChange(() => { this.plane.paint(); this.refresh(); });
  }

  makeControls() {
    const {told} = this;
    if (this.J > 2) {
      $("sliders").hidden = false;
      this.sliders = new Sliders($("sliders"), told, (j, v) => this.setZ(this.z.map((old, i) => (i === j ? v : old))),
        axes => { this.plane.axes = axes; this.plane.paint(); });
    }
    told.classes.forEach((name, label) => $("legend").append(this.legendButton(name, label)));
    this.hoverPictures = [...$("hover").querySelectorAll("canvas")].map(canvas => new Picture(canvas, told.side));
    this.samplePictures = Array.from({length: SAMPLES}, (_, i) => {
      const button = document.createElement("button"), canvas = document.createElement("canvas");
      button.append(canvas);
      button.setAttribute("aria-label", `Move z to sample ${i + 1}`);
      button.onclick = () => this.setZ(this.plane.samples[i].slice());
      document.querySelector("#posterior .strip").append(button);
      return new Picture(canvas, told.side);
    });
    $("previous").onclick = () => this.pick((this.index + this.labels.length - 1) % this.labels.length);
    $("next").onclick = () => this.pick((this.index + 1) % this.labels.length);
    $("again").onclick = () => { this.drawOthers(); this.refresh(); };
    if (told.grid) return;
    this.pad = new Pad($("input"), $("input-mark"), told.side, () => this.drawn());
    $("blank").onclick = () => { this.pad.x.fill(0); this.drawn(); $("input").focus(); };
    this.cursor = new PixelCursor($("output"), $("output-mark"), told.side, pixel => this.setPixel(pixel));
    $("output").addEventListener("pointerdown", event => this.pointAt(event));
    $("output").addEventListener("pointermove", event => { if (event.buttons) this.pointAt(event); });
    $("output").addEventListener("keydown", event => { if (event.key === "Escape") this.setPixel(null); });
    $("whole").onclick = () => this.setPixel(null);
    $("downhill").onclick = () => this.stepDownhill();
  }

  legendButton(name, label) {
    const button = document.createElement("button");
    button.innerHTML = `<span class="swatch" style="background:var(--class-${label % 10})"></span>`;
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

  // What does not change, in words.
  describe() {
    const {told} = this;
    $("lab").textContent = told.lab;
    $("note").textContent = told.note;
    $("about").textContent = `${told.title}. ${told.count.toLocaleString("en")} parameters, ${told.epochs} epoch${told.epochs === 1 ? "" : "s"}. ` +
      `${this.labels.length.toLocaleString("en")} test images. Drag the point, pick an image, or draw one.`;
    $("input").setAttribute("aria-label", "The input. Draw with mouse or finger; with the keyboard, arrow keys move a pixel and space inks it.");
    $("output").setAttribute("aria-label", "The decoded image. Click a pixel, or choose it with the arrow keys, to see where the gradient of its loss goes; Escape goes back to the whole loss.");
    $("posterior").hidden = !this.codes.logVar;
    if (!told.grid) return;
    $("notice").hidden = false;
    $("notice").textContent = `This network is too heavy to compute in a page. Images are mixed from a grid of ${told.grid.side} \u00d7 ${told.grid.side} ` +
      "that its decoder made; there is no encoder here, so nothing can be drawn, and no backward pass.";
    $("about").textContent = $("about").textContent.replace(", pick an image, or draw one", " or pick an image");
    for (const id of ["blank", "of-what", "backward", "keys"]) $(id).hidden = true;
    document.body.classList.add("forward-only");
    for (const id of ["input", "output"]) { $(id).removeAttribute("tabindex"); $(id).setAttribute("role", "img"); }
    $("input").setAttribute("aria-label", "The input");
    $("output").setAttribute("aria-label", "The decoded image");
  }

  // The state: an input x with its posterior q, a point z, and the pixel whose loss is followed, or null: the whole loss.

  pick(index) {
    this.index = index;
    this.x = this.image(index);
    this.q = this.code(index);
    this.pad?.x.set(this.x);
    $("input-caption").textContent = `test image ${index + 1}: ${this.told.classes[this.labels[index]]}`;
    this.setZ(this.q.mean.slice());
  }

  drawn() {
    this.x = this.pad.x.slice();
    this.q = this.model.encode(this.x);
    $("input-caption").textContent = this.x.some(v => v > 0) ? "your drawing" : "draw here";
    this.setZ(this.q.mean.slice());
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
    const [x, y] = placeOn($("output"), this.told.side, event).map(v => Math.min(Math.max(Math.floor(v), 0), this.told.side - 1));
    this.setPixel(y * this.told.side + x);
  }

  image(index) {
    const size = this.told.side ** 2;
    return Float32Array.from(this.images.subarray(index * size, (index + 1) * size), v => v / 255);
  }

  code(index) {
    const part = array => array && array.slice(index * this.J, (index + 1) * this.J);
    return {mean: part(this.codes.mean), logVar: part(this.codes.logVar)};
  }

  // The image first; what takes longer than a moment follows when nothing moves any more.
  refresh() {
    this.pictures.input.show(this.x);
    this.pictures.output.show(this.decoded);
    $("output-caption").textContent = `z = ${vector(this.z)}`;
    this.sliders?.show(this.z);
    Object.assign(this.plane, {z: this.z, q: this.q, arrow: null});
    if (this.cost > IMMEDIATE) this.plane.paintTop();
    clearTimeout(this.waiting);
    if (this.cost <= IMMEDIATE) this.follow();
    else this.waiting = setTimeout(() => this.follow(), REST);
  }

  follow() {
    const started = performance.now();
    this.showSamples();
    if (!this.told.grid) this.showBackward();
    this.plane.paintTop();
    this.cost = performance.now() - started;
  }

  showSamples() {
    this.plane.samples = this.codes.logVar ? this.eps.map(eps => reparameterize(this.q, eps)) : [];
    this.plane.samples.forEach((z, i) => this.samplePictures[i].show(this.model.decode(z)));
    if (!this.codes.logVar) return;
    $("spread").innerHTML = `\u03bc = ${vector(this.q.mean)}, \u03c3 = ${vector(this.q.logVar.map(v => Math.exp(v / 2)))}, ` +
      `KL ${number(gaussianKL(this.q))} nats: the cross, the ellipses of 1 and 2 \u03c3 and the rings in the plane.`;
  }

  showBackward() {
    const {pixel, z, x} = this, result = this.model.backward(x, z, pixel), D = x.length;
    this.pictures.dlogits.heat(result.dlogits);
    this.pictures.dx.heat(result.dx);
    paintNorms($("norms"), result.norms);
    $("explanation").innerHTML = explain(result, x, this.decoded, z, pixel, this.told.side);
    this.sliders?.pull(result.dz);
    const cost = pixel === null ? result.loss.reconstruction : Math.max(result.loss.perPixel[pixel], result.loss.reconstruction / D);
    const across = norm(this.told.high.map((high, j) => high - this.told.low[j])), steep = norm(result.dz) * across / cost;
    this.plane.arrow = {direction: result.dz.map(d => -d), strength: steep / (steep + 3)};
  }

  // z against its gradient, as far as the loss falls.
  stepDownhill() {
    const at = z => { const loss = this.model.lossAt(this.x, z, this.q); return this.pixel === null ? loss.reconstruction : loss.perPixel[this.pixel]; };
    const {dz} = this.model.backward(this.x, this.z, this.pixel), now = at(this.z);
    const across = norm(this.told.high.map((high, j) => high - this.told.low[j]));
    for (let step = 0.03 * across / (norm(dz) || 1), tries = 0; tries < 12; step /= 2, tries++) {
      const z = this.z.map((v, j) => v - step * dz[j]);
      if (at(z) < now) return this.setZ(z);
    }
  }

  drawOthers() {
    const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
    this.eps = Array.from({length: SAMPLES}, () => Float32Array.from({length: this.J}, normal));
  }

  // A card beside a point of the scatter: its image, its reconstruction, its class.
  hover(index, x, y) {
    $("hover").hidden = index === null;
    if (index === null) return;
    this.hoverPictures[0].show(this.image(index));
    this.hoverPictures[1].show(this.model.decode(this.code(index).mean));
    $("hover").querySelector("span").textContent = `${this.told.classes[this.labels[index]]}`;
    $("hover").style.left = `${Math.min(x + 14, this.plane.size - 150)}px`;
    $("hover").style.top = `${y > this.plane.size / 2 ? y - 110 : y + 14}px`;
  }
}

let explorer;
unpack().then(({told, arrays}) => {
  readTheme();
  explorer = new Explorer(told, arrays);
  document.documentElement.dataset.ready = "true";
  performance.mark("ready");
});
