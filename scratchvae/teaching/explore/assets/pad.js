// Drawing into the input with mouse, finger or keyboard.  The brush is soft and round, and a stroke
// only adds ink.

const BRUSH = 1.15;             // radius in pixels: strokes about as thick as in MNIST's digits

class Pad {
  // x (height * width * channels): the image drawn into, in white where it is a photograph.  onDraw
  // is called after each piece of a stroke.
  constructor(canvas, mark, shape, onDraw) {
    const {height, width, channels} = shape;
    this.canvas = canvas;
    this.shape = shape;
    this.onDraw = onDraw;
    this.x = new Float32Array(height * width * channels);
    this.brush = BRUSH * Math.max(1, Math.min(height, width) / 32);
    this.last = null;
    this.cursor = new PixelCursor(canvas, mark, shape, pixel => this.cursor.put(pixel));
    this.listenToPointer();
    this.listenToKeys();
  }

  listenToPointer() {
    const {canvas, shape} = this;
    canvas.addEventListener("pointerdown", event => {
      canvas.setPointerCapture(event.pointerId);
      this.last = placeOn(canvas, shape, event);
      this.strokeTo(this.last);
    });
    canvas.addEventListener("pointermove", event => {
      if (this.last) this.strokeTo(placeOn(canvas, shape, event));
    });
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, () => {
        this.last = null;
      });
    }
  }

  // Arrow keys move the cursor (see PixelCursor), and space inks its pixel.
  listenToKeys() {
    const {canvas, cursor} = this;
    const {width} = this.shape;
    canvas.addEventListener("blur", () => cursor.put(null));
    canvas.addEventListener("keydown", event => {
      if (event.key !== " " || cursor.pixel === null) return;
      event.preventDefault();
      this.last = [cursor.pixel % width + 0.5, Math.floor(cursor.pixel / width) + 0.5];
      this.strokeTo(this.last);
      this.last = null;
    });
  }

  strokeTo([x1, y1]) {
    const [x0, y0] = this.last;
    const {width, channels} = this.shape;
    const dx = x1 - x0;
    const dy = y1 - y0;
    const length2 = dx * dx + dy * dy || 1;
    for (let i = 0; i < this.x.length; i++) {
      const pixel = Math.floor(i / channels);
      const px = pixel % width + 0.5;
      const py = Math.floor(pixel / width) + 0.5;
      const along = ((px - x0) * dx + (py - y0) * dy) / length2;
      const t = clamp(along, 0, 1);               // the point of the stroke nearest to i
      const distance = Math.hypot(px - x0 - t * dx, py - y0 - t * dy);
      const ink = clamp(this.brush + 0.5 - distance, 0, 1);
      this.x[i] = Math.max(this.x[i], ink);
    }
    this.last = [x1, y1];
    this.onDraw();
  }
}
