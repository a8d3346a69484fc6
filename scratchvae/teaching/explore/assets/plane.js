// The latent plane: the codes of the test set, the point z, the posterior of the input with samples
// of it, and the direction downhill.

const NEAR = 12;                // CSS pixels: how near to a point of the scatter a pointer must be
const DRAG = 3;                 // CSS pixels: a pointer that moves further drags
const KEY_STEP = 0.02;          // of the plane, for an arrow key
const SMALL_KEY_STEP = 0.004;   // the same with shift
const ARROWS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]};

class Plane {
  // content: of the page; codes (N J); labels (N).  Called for the user: onMove(first, second) with
  // the coordinates of z on the two axes, onHover(index or null, x, y), and onPick(index).
  constructor(element, content, codes, labels, {onMove, onHover, onPick}) {
    Object.assign(this, {codes, labels, onMove, onHover, onPick});
    this.classes = content.classes;
    this.low = content.low;
    this.high = content.high;
    this.J = content.low.length;
    this.axes = [0, 1];         // the dimensions across and up
    this.shown = null;          // the only class shown, or null: all
    this.z = new Float32Array(this.J);
    this.q = null;
    this.samples = [];
    this.arrow = null;
    [this.base, this.top] = element.querySelectorAll("canvas");
    new ResizeObserver(() => this.resize()).observe(element);
    this.listen();
    this.resize();
  }

  resize() {
    const density = devicePixelRatio || 1;
    this.size = this.base.clientWidth;
    for (const canvas of [this.base, this.top]) {
      canvas.width = Math.round(this.size * density);
      canvas.height = canvas.width;
      canvas.getContext("2d").setTransform(density, 0, 0, density, 0, 0);
    }
    this.paint();
  }

  paint() {
    this.paintPoints();
    this.paintTop();
  }

  // From latent coordinates on the two axes to CSS pixels.  The second axis points up.
  toScreen(first, second) {
    const across = this.share(first, this.axes[0]);
    const up = this.share(second, this.axes[1]);
    return [across * this.size, (1 - up) * this.size];
  }

  // From CSS pixels to latent coordinates on the two axes.
  toLatent(x, y) {
    const [a, b] = this.axes;
    const across = clamp(x / this.size, 0, 1);
    const up = 1 - clamp(y / this.size, 0, 1);
    return [this.low[a] + across * this.extent(a), this.low[b] + up * this.extent(b)];
  }

  // The length of dimension j on the plane.
  extent(j) {
    return this.high[j] - this.low[j];
  }

  // Where v lies in dimension j: from 0 at its low end to 1 at its high end.
  share(v, j) {
    return (v - this.low[j]) / this.extent(j);
  }

  screenOf(vector, start = 0) {
    return this.toScreen(vector[start + this.axes[0]], vector[start + this.axes[1]]);
  }

  screenOfCode(i) {
    return this.screenOf(this.codes, i * this.J);
  }

  // Whether points of a class are shown.
  shows(label) {
    return this.shown === null || this.shown === label;
  }

  paintPoints() {
    const c = this.base.getContext("2d");
    c.clearRect(0, 0, this.size, this.size);
    this.paintAxis(c, 0);
    this.paintAxis(c, 1);
    this.paintAxisNames(c);
    const visible = this.shown === null ? 0.75 : 0.95;
    for (let i = 0; i < this.labels.length; i++) {
      const label = this.labels[i];
      c.globalAlpha = this.shows(label) ? visible : 0.08;
      c.fillStyle = theme.classes[label % theme.classes.length];
      c.beginPath();
      c.arc(...this.screenOfCode(i), 2.6, 0, 2 * Math.PI);
      c.fill();
    }
    c.globalAlpha = 1;
    this.paintClassNames(c);
  }

  // Faint lines at round numbers of an axis (0: across, 1: up), with the numbers at the edge.
  paintAxis(c, axis) {
    const j = this.axes[axis];
    const step = niceStep(this.extent(j) / 6);
    c.font = "11px system-ui, sans-serif";
    for (let v = Math.ceil(this.low[j] / step) * step; v < this.high[j]; v += step) {
      const at = axis ? this.toScreen(0, v)[1] : this.toScreen(v, 0)[0];
      c.strokeStyle = theme.line;
      c.lineWidth = Math.abs(v) < step / 2 ? 1.5 : 0.6;
      if (axis) strokePath(c, [[0, at], [this.size, at]]);
      else strokePath(c, [[at, 0], [at, this.size]]);
      c.fillStyle = theme.faint;
      const text = String(Number(v.toFixed(6))).replace("-", "\u2212");
      const margin = axis ? 24 : 48;            // leaves room for the names of the axes
      if (at <= 24 || at >= this.size - margin) continue;
      if (axis) c.fillText(text, 5, at - 3);
      else c.fillText(text, at + 3, this.size - 6);
    }
  }

  paintAxisNames(c) {
    const [across, up] = this.axes.map(j => subscript(j + 1));
    c.fillStyle = theme.faint;
    c.font = "italic 13px system-ui, sans-serif";
    c.fillText(`z${across} \u2192`, this.size - 34, this.size - 6);
    c.fillText(`z${up} \u2191`, 6, 16);
  }

  // The name of each class at the median of its points, so that colour is not the only sign.
  paintClassNames(c) {
    c.font = "600 13px system-ui, sans-serif";
    c.textAlign = "center";
    c.lineJoin = "round";
    this.classes.forEach((name, label) => {
      if (!this.shows(label)) return;
      const places = [];
      this.labels.forEach((other, i) => {
        if (other === label) places.push(this.screenOfCode(i));
      });
      if (!places.length) return;
      const x = median(places.map(place => place[0]));
      const y = median(places.map(place => place[1]));
      c.strokeStyle = theme.card;
      c.lineWidth = 4;
      c.strokeText(name, x, y + 4);
      c.fillStyle = theme.text;
      c.fillText(name, x, y + 4);
    });
    c.textAlign = "start";
  }

  paintTop() {
    const c = this.top.getContext("2d");
    c.clearRect(0, 0, this.size, this.size);
    if (this.q) this.paintPosterior(c);
    const z = this.screenOf(this.z).map(v => clamp(v, 0, this.size));
    if (this.arrow) this.paintArrow(c, z);
    c.beginPath();
    c.arc(...z, 9, 0, 2 * Math.PI);
    c.lineWidth = 5;
    c.strokeStyle = theme.card;
    c.stroke();
    c.lineWidth = 2.5;
    c.strokeStyle = theme.accent;
    c.stroke();
    c.beginPath();
    c.arc(...z, 2.5, 0, 2 * Math.PI);
    c.fillStyle = theme.accent;
    c.fill();
  }

  // A cross at the mean, ellipses at one and two standard deviations, and a ring for each sample.
  paintPosterior(c) {
    const {mean, logVar} = this.q;
    const [x, y] = this.screenOf(mean);
    c.strokeStyle = theme.accent;
    c.lineWidth = 1.5;
    strokePath(c, [[x - 5, y], [x + 5, y]]);
    strokePath(c, [[x, y - 5], [x, y + 5]]);
    if (!logVar) return;
    const [rx, ry] = this.axes.map(j => Math.exp(logVar[j] / 2) / this.extent(j) * this.size);
    for (const deviations of [1, 2]) {
      c.beginPath();
      c.ellipse(x, y, deviations * rx, deviations * ry, 0, 0, 2 * Math.PI);
      c.globalAlpha = 0.12;
      c.fillStyle = theme.accent;
      c.fill();
      c.globalAlpha = 1;
      c.stroke();
    }
    for (const sample of this.samples) {
      c.beginPath();
      c.arc(...this.screenOf(sample), 3, 0, 2 * Math.PI);
      c.stroke();
    }
  }

  // this.arrow: a direction in latent coordinates, and a strength from 0 to 1, which gives the
  // length.
  paintArrow(c, [x, y]) {
    const {direction, strength} = this.arrow;
    const [a, b] = this.axes;
    const dx = direction[a] / this.extent(a);
    const dy = -direction[b] / this.extent(b);
    const length = Math.hypot(dx, dy);
    if (!length) return;
    const ux = dx / length;
    const uy = dy / length;
    const reach = 16 + 90 * strength;
    const tip = [x + reach * ux, y + reach * uy];
    const left = [tip[0] - 9 * ux - 6 * uy, tip[1] - 9 * uy + 6 * ux];
    const right = [tip[0] - 9 * ux + 6 * uy, tip[1] - 9 * uy - 6 * ux];
    c.lineCap = "round";
    c.lineJoin = "round";
    for (const [colour, width] of [[theme.card, 7], [theme.gradient, 3]]) {
      c.strokeStyle = colour;
      c.lineWidth = width;
      strokePath(c, [[x, y], tip]);
      strokePath(c, [left, tip, right]);
    }
  }

  // The index of the shown point nearest to a place on the screen, or null if none is within
  // `reach` pixels.
  nearest(x, y, reach = Infinity) {
    let best = null;
    let least = reach * reach;
    for (let i = 0; i < this.labels.length; i++) {
      if (!this.shows(this.labels[i])) continue;
      const [px, py] = this.screenOfCode(i);
      const distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance >= least) continue;
      best = i;
      least = distance;
    }
    return best;
  }

  listen() {
    let from = null;            // where the pointer went down
    let moved = false;
    this.top.addEventListener("pointerdown", event => {
      this.top.setPointerCapture(event.pointerId);
      from = this.placeOf(event);
      moved = false;
      this.onHover(null);
    });
    this.top.addEventListener("pointermove", event => {
      const [x, y] = this.placeOf(event);
      if (!from) {
        if (event.pointerType === "mouse") this.onHover(this.nearest(x, y, NEAR), x, y);
        return;
      }
      if (Math.hypot(x - from[0], y - from[1]) > DRAG) moved = true;
      if (moved) this.onMove(...this.toLatent(x, y));
    });
    this.top.addEventListener("pointerup", event => {
      if (from && !moved) this.click(...this.placeOf(event));
      from = null;
    });
    this.top.addEventListener("pointercancel", () => {
      from = null;
    });
    this.top.addEventListener("pointerleave", () => this.onHover(null));
    this.top.addEventListener("keydown", event => this.key(event));
  }

  // Where an event lies on the plane, in CSS pixels.
  placeOf(event) {
    const box = this.top.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  // Picks the test image there, or else moves z there.
  click(x, y) {
    const index = this.nearest(x, y, NEAR);
    if (index === null) this.onMove(...this.toLatent(x, y));
    else this.onPick(index);
  }

  // Arrow keys move z, with shift in small steps; Enter picks the nearest test image.
  key(event) {
    if (event.key === "Enter") {
      this.onPick(this.nearest(...this.screenOf(this.z)));
    } else if (event.key in ARROWS) {
      const [right, up] = ARROWS[event.key];
      const step = event.shiftKey ? SMALL_KEY_STEP : KEY_STEP;
      const [a, b] = this.axes;
      const first = this.z[a] + right * step * this.extent(a);
      const second = this.z[b] + up * step * this.extent(b);
      this.onMove(first, second);
    } else {
      return;
    }
    event.preventDefault();
  }
}

function median(values) {
  return values.sort((p, q) => p - q)[values.length >> 1];
}

// Draws a line through points [x, y].
function strokePath(c, points) {
  c.beginPath();
  points.forEach(([x, y], i) => (i ? c.lineTo(x, y) : c.moveTo(x, y)));
  c.stroke();
}

// A number about as large as x that is 1, 2 or 5 times a power of ten.
function niceStep(x) {
  const power = 10 ** Math.floor(Math.log10(x));
  const lead = x / power;
  if (lead < 1.5) return power;
  if (lead < 3.5) return 2 * power;
  if (lead < 7.5) return 5 * power;
  return 10 * power;
}
