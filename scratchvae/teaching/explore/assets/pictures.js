// Images and heat maps on canvases.  An image pixel is a canvas pixel, which the style sheet
// enlarges.

class Picture {
  constructor(canvas, side) {
    canvas.width = side;
    canvas.height = side;
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.data = this.context.createImageData(side, side);
  }

  // Numbers from 0 (paper) to 1 (ink).
  show(values) {
    this.paint(values, v => v, () => theme.inkRGB);
  }

  // Numbers of both signs: paper at 0, hot above and cold below.  The number that is largest in
  // size has the full colour.
  heat(values) {
    let largest = 0;
    for (const v of values) largest = Math.max(largest, Math.abs(v));
    const share = v => (largest ? v / largest : 0);
    this.paint(values, share, s => (s > 0 ? theme.hotRGB : theme.coldRGB));
  }

  // share(value): how much of the colour to mix with paper; its sign may choose the colour.
  paint(values, share, colourOf) {
    const {data} = this.data;
    const from = theme.paperRGB;
    for (let i = 0; i < values.length; i++) {
      const s = share(values[i]);
      const colour = colourOf(s);
      const t = Math.min(Math.abs(s), 1);
      for (let c = 0; c < 3; c++) data[4 * i + c] = from[c] + t * (colour[c] - from[c]);
      data[4 * i + 3] = 255;
    }
    this.context.putImageData(this.data, 0, 0);
  }
}

// A frame around one pixel of a picture, moved by the arrow keys.  `mark` is an element laid over
// the canvas.
class PixelCursor {
  constructor(canvas, mark, side, onMove) {
    this.mark = mark;
    this.side = side;
    this.pixel = null;
    mark.style.width = `${100 / side}%`;
    mark.style.height = `${100 / side}%`;
    canvas.addEventListener("keydown", event => {
      const step = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -side, ArrowDown: side}[event.key];
      if (!step) return;
      event.preventDefault();
      onMove(this.after(step));
    });
  }

  // The pixel that a step leads to: the middle at first, and never one outside the picture.
  after(step) {
    const {side} = this;
    if (this.pixel === null) return (side >> 1) * side + (side >> 1);
    const to = this.pixel + step;
    const sameRow = Math.floor(to / side) === Math.floor(this.pixel / side);
    const inside = to >= 0 && to < side * side && (Math.abs(step) > 1 || sameRow);
    return inside ? to : this.pixel;
  }

  // Puts the frame around a pixel; null hides it.
  put(pixel) {
    this.pixel = pixel;
    this.mark.hidden = pixel === null;
    if (pixel === null) return;
    this.mark.style.left = `${100 * (pixel % this.side) / this.side}%`;
    this.mark.style.top = `${100 * Math.floor(pixel / this.side) / this.side}%`;
  }
}

// Where an event lies on a canvas, in image pixels (fractions; x to the right, y down).
function placeOn(canvas, side, event) {
  const box = canvas.getBoundingClientRect();
  const x = (event.clientX - box.left) / box.width * side;
  const y = (event.clientY - box.top) / box.height * side;
  return [x, y];
}
