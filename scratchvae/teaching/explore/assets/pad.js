// Drawing into the input with mouse, finger or keyboard.  The brush is soft and round, and a stroke
// only adds ink.

const BRUSH = 1.15;             // radius in pixels: strokes about as thick as in MNIST's digits

class Pad {
  // x (side * side): the image drawn into.  onDraw is called after each piece of a stroke.
  constructor(canvas, mark, side, onDraw) {
    this.canvas = canvas;
    this.side = side;
    this.onDraw = onDraw;
    this.x = new Float32Array(side * side);
    this.last = null;
    this.cursor = new PixelCursor(canvas, mark, side, pixel => this.cursor.put(pixel));
    this.listenToPointer();
    this.listenToKeys();
  }

  listenToPointer() {
    const {canvas, side} = this;
    canvas.addEventListener("pointerdown", event => {
      canvas.setPointerCapture(event.pointerId);
      this.last = placeOn(canvas, side, event);
      this.strokeTo(this.last);
    });
    canvas.addEventListener("pointermove", event => {
      if (this.last) this.strokeTo(placeOn(canvas, side, event));
    });
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, () => {
        this.last = null;
      });
    }
  }

  // Arrow keys move the cursor (see PixelCursor), and space inks its pixel.
  listenToKeys() {
    const {canvas, side, cursor} = this;
    canvas.addEventListener("blur", () => cursor.put(null));
    canvas.addEventListener("keydown", event => {
      if (event.key !== " " || cursor.pixel === null) return;
      event.preventDefault();
      this.last = [cursor.pixel % side + 0.5, Math.floor(cursor.pixel / side) + 0.5];
      this.strokeTo(this.last);
      this.last = null;
    });
  }

  strokeTo([x1, y1]) {
    const [x0, y0] = this.last;
    const dx = x1 - x0;
    const dy = y1 - y0;
    const length2 = dx * dx + dy * dy || 1;
    for (let i = 0; i < this.x.length; i++) {
      const px = i % this.side + 0.5;
      const py = Math.floor(i / this.side) + 0.5;
      const along = ((px - x0) * dx + (py - y0) * dy) / length2;
      const t = clamp(along, 0, 1);               // the point of the stroke nearest to i
      const distance = Math.hypot(px - x0 - t * dx, py - y0 - t * dy);
      const ink = clamp(BRUSH + 0.5 - distance, 0, 1);
      this.x[i] = Math.max(this.x[i], ink);
    }
    this.last = [x1, y1];
    this.onDraw();
  }
}
