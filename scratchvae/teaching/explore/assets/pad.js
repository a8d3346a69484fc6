// Drawing into the input with mouse, finger or keyboard: a soft round brush whose stroke raises pixels, never lowers them.

const BRUSH = 1.15;             // radius in pixels: strokes about as thick as those of MNIST's digits

class Pad {
  // x (side * side): the image drawn into.  onDraw: called after each piece of a stroke.
  constructor(canvas, mark, side, onDraw) {
    Object.assign(this, {canvas, side, onDraw, x: new Float32Array(side * side), last: null});
    this.cursor = new PixelCursor(canvas, mark, side, pixel => this.cursor.put(pixel));
    canvas.addEventListener("pointerdown", event => {
      canvas.setPointerCapture(event.pointerId);
      this.last = placeOn(canvas, side, event);
      this.strokeTo(this.last);
    });
    canvas.addEventListener("pointermove", event => { if (this.last) this.strokeTo(placeOn(canvas, side, event)); });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { this.last = null; });
    canvas.addEventListener("blur", () => this.cursor.put(null));
    canvas.addEventListener("keydown", event => {
      if (event.key !== " " || this.cursor.pixel === null) return;
      event.preventDefault();
      const at = [this.cursor.pixel % side + 0.5, Math.floor(this.cursor.pixel / side) + 0.5];
      this.last = at;
      this.strokeTo(at);
      this.last = null;
    });
  }

  strokeTo([x1, y1]) {
    const [x0, y0] = this.last, dx = x1 - x0, dy = y1 - y0, length2 = dx * dx + dy * dy || 1;
    for (let i = 0; i < this.x.length; i++) {
      const px = i % this.side + 0.5, py = Math.floor(i / this.side) + 0.5;
      const t = Math.min(Math.max(((px - x0) * dx + (py - y0) * dy) / length2, 0), 1);          // the nearest point of the stroke
      const distance = Math.hypot(px - x0 - t * dx, py - y0 - t * dy);
      this.x[i] = Math.max(this.x[i], Math.min(Math.max(BRUSH + 0.5 - distance, 0), 1));
    }
    this.last = [x1, y1];
    this.onDraw();
  }
}
