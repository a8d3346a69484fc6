// The latent plane: the test set's codes, the point z, the posterior of the input, samples of it, and the way downhill.

const NEAR = 12;                // CSS pixels: how near a pointer must be to a point of the scatter

class Plane {
  // codes (N J), labels (N); onMove(z1, z2) when z is dragged, onHover(index or null, x, y), onPick(index).
  constructor(element, told, codes, labels, {onMove, onHover, onPick}) {
    Object.assign(this, {told, codes, labels, onMove, onHover, onPick, axes: [0, 1], shown: null, arrow: null, samples: [], q: null});
    this.J = told.low.length;
    this.z = new Float32Array(this.J);
    [this.base, this.top] = element.querySelectorAll("canvas");
    new ResizeObserver(() => this.resize()).observe(element);
    this.listen();
    this.resize();
  }

  resize() {
    const size = this.base.clientWidth, density = devicePixelRatio || 1;
    this.size = size;
    for (const canvas of [this.base, this.top]) {
      canvas.width = canvas.height = Math.round(size * density);
      canvas.getContext("2d").setTransform(density, 0, 0, density, 0, 0);
    }
    this.paint();
  }

  paint() {
    this.paintPoints();
    this.paintTop();
  }

  // Between latent coordinates of the two axes and CSS pixels; the second axis points up.
  toScreen(first, second) {
    const {low, high} = this.told, [a, b] = this.axes;
    return [(first - low[a]) / (high[a] - low[a]) * this.size, (1 - (second - low[b]) / (high[b] - low[b])) * this.size];
  }

  toLatent(x, y) {
    const {low, high} = this.told, [a, b] = this.axes, inside = v => Math.min(Math.max(v / this.size, 0), 1);
    return [low[a] + inside(x) * (high[a] - low[a]), low[b] + (1 - inside(y)) * (high[b] - low[b])];
  }

  screenOf(vector, start = 0) {
    return this.toScreen(vector[start + this.axes[0]], vector[start + this.axes[1]]);
  }

  paintPoints() {
    const c = this.base.getContext("2d");
    c.clearRect(0, 0, this.size, this.size);
    this.paintAxes(c);
    for (let i = 0; i < this.labels.length; i++) {
      const [x, y] = this.screenOf(this.codes, i * this.J);
      c.globalAlpha = this.shown === null ? 0.75 : this.shown === this.labels[i] ? 0.95 : 0.08;
      c.fillStyle = theme.classes[this.labels[i] % theme.classes.length];
      c.beginPath();
      c.arc(x, y, 2.6, 0, 2 * Math.PI);
      c.fill();
    }
    c.globalAlpha = 1;
    this.paintNames(c);
  }

  // Faint lines through whole steps, numbered at the edge.
  paintAxes(c) {
    c.font = "11px system-ui, sans-serif";
    for (const axis of [0, 1]) {
      const j = this.axes[axis], low = this.told.low[j], high = this.told.high[j], step = niceStep((high - low) / 6);
      for (let v = Math.ceil(low / step) * step; v < high; v += step) {
        const at = axis ? this.toScreen(0, v)[1] : this.toScreen(v, 0)[0];
        c.strokeStyle = theme.line;
        c.lineWidth = Math.abs(v) < step / 2 ? 1.5 : 0.6;
        c.beginPath();
        if (axis) { c.moveTo(0, at); c.lineTo(this.size, at); } else { c.moveTo(at, 0); c.lineTo(at, this.size); }
        c.stroke();
        c.fillStyle = theme.faint;
        const text = String(Number(v.toFixed(6))).replace("-", "\u2212");
        if (at > 24 && at < this.size - (axis ? 24 : 48)) c.fillText(text, axis ? 5 : at + 3, axis ? at - 3 : this.size - 6);
      }
    }
    c.fillStyle = theme.faint;
    c.font = "italic 13px system-ui, sans-serif";
    c.fillText(`z${subscript(this.axes[0] + 1)} \u2192`, this.size - 34, this.size - 6);
    c.fillText(`z${subscript(this.axes[1] + 1)} \u2191`, 6, 16);
  }

  // Each class's name where the middle one of its points lies: colour is not the only sign.
  paintNames(c) {
    c.font = "600 13px system-ui, sans-serif";
    c.textAlign = "center";
    c.lineJoin = "round";
    this.told.classes.forEach((name, label) => {
      const places = [];
      this.labels.forEach((l, i) => { if (l === label) places.push(this.screenOf(this.codes, i * this.J)); });
      if (!places.length || (this.shown !== null && this.shown !== label)) return;
      const [x, y] = [0, 1].map(k => places.map(place => place[k]).sort((p, q) => p - q)[places.length >> 1]);
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
    const z = this.screenOf(this.z).map(v => Math.min(Math.max(v, 0), this.size));
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

  // The mean as a cross, ellipses at one and two standard deviations, samples as small rings.
  paintPosterior(c) {
    const {mean, logVar} = this.q, [x, y] = this.screenOf(mean);
    c.strokeStyle = theme.accent;
    c.lineWidth = 1.5;
    c.beginPath();
    c.moveTo(x - 5, y); c.lineTo(x + 5, y); c.moveTo(x, y - 5); c.lineTo(x, y + 5);
    c.stroke();
    if (!logVar) return;
    const {low, high} = this.told;
    const [rx, ry] = this.axes.map(j => Math.exp(logVar[j] / 2) / (high[j] - low[j]) * this.size);
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

  // arrow: the direction in latent coordinates, and `strength` from 0 to 1, its length.
  paintArrow(c, [x, y]) {
    const {low, high} = this.told, [a, b] = this.axes, {direction, strength} = this.arrow;
    const dx = direction[a] / (high[a] - low[a]), dy = -direction[b] / (high[b] - low[b]), length = Math.hypot(dx, dy);
    if (!length) return;
    const reach = 16 + 90 * strength, [ux, uy] = [dx / length, dy / length], [tx, ty] = [x + reach * ux, y + reach * uy];
    for (const [colour, width] of [[theme.card, 7], [theme.gradient, 3]]) {
      c.strokeStyle = colour;
      c.lineWidth = width;
      c.lineCap = c.lineJoin = "round";
      c.beginPath();
      c.moveTo(x, y); c.lineTo(tx, ty);
      c.moveTo(tx - 9 * ux - 6 * uy, ty - 9 * uy + 6 * ux); c.lineTo(tx, ty); c.lineTo(tx - 9 * ux + 6 * uy, ty - 9 * uy - 6 * ux);
      c.stroke();
    }
  }

  // The point of the scatter nearest to a place on the screen, if it is within `reach` pixels.
  nearest(x, y, reach = Infinity) {
    let best = null, least = reach * reach;
    for (let i = 0; i < this.labels.length; i++) {
      if (this.shown !== null && this.shown !== this.labels[i]) continue;
      const [px, py] = this.screenOf(this.codes, i * this.J), distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance < least) [best, least] = [i, distance];
    }
    return best;
  }

  listen() {
    const place = event => {
      const box = this.top.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    let from = null, moved = false;
    this.top.addEventListener("pointerdown", event => {
      this.top.setPointerCapture(event.pointerId);
      [from, moved] = [place(event), false];
      this.onHover(null);
    });
    this.top.addEventListener("pointermove", event => {
      const [x, y] = place(event);
      if (!from) return event.pointerType === "mouse" && this.onHover(this.nearest(x, y, NEAR), x, y);
      moved ||= Math.hypot(x - from[0], y - from[1]) > 3;
      if (moved) this.onMove(...this.toLatent(x, y));
    });
    this.top.addEventListener("pointerup", event => {
      const [x, y] = place(event), near = this.nearest(x, y, NEAR);
      if (from && !moved) near === null ? this.onMove(...this.toLatent(x, y)) : this.onPick(near);
      from = null;
    });
    this.top.addEventListener("pointercancel", () => { from = null; });
    this.top.addEventListener("pointerleave", () => this.onHover(null));
    this.top.addEventListener("keydown", event => this.key(event));
  }

  // Arrow keys move z, with shift in small steps; Enter picks the nearest test image.
  key(event) {
    const step = event.shiftKey ? 0.004 : 0.02, {low, high} = this.told, [a, b] = this.axes;
    const [right, up] = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]}[event.key] || [];
    if (event.key === "Enter") this.onPick(this.nearest(...this.screenOf(this.z)));
    else if (right === undefined) return;
    else this.onMove(this.z[a] + right * step * (high[a] - low[a]), this.z[b] + up * step * (high[b] - low[b]));
    event.preventDefault();
  }
}

// 1, 2 or 5 times a power of ten, about as large as x.
function niceStep(x) {
  const power = 10 ** Math.floor(Math.log10(x)), lead = x / power;
  return power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
}
