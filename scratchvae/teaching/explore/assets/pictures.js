// Images and heat maps on canvases of a pixel each, which the style sheet makes larger.

class Picture {
  constructor(canvas, side) {
    canvas.width = canvas.height = side;
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.data = this.context.createImageData(side, side);
  }

  // Numbers from 0, paper, to 1, ink.
  show(values) {
    this.paint(values, theme.paperRGB, theme.inkRGB, v => v);
  }

  // Numbers of both signs: white paper at 0, hot above, cold below; the largest in size is the fullest colour.
  heat(values) {
    let largest = 0;
    for (const v of values) largest = Math.max(largest, Math.abs(v));
    this.paint(values, theme.paperRGB, null, v => (largest ? v / largest : 0));
    return largest;
  }

  paint(values, from, to, share) {
    const {data} = this.data;
    for (let i = 0; i < values.length; i++) {
      const s = share(values[i]), colour = to || (s > 0 ? theme.hotRGB : theme.coldRGB), t = Math.min(Math.abs(s), 1);
      for (let c = 0; c < 3; c++) data[4 * i + c] = from[c] + t * (colour[c] - from[c]);
      data[4 * i + 3] = 255;
    }
    this.context.putImageData(this.data, 0, 0);
  }
}

// A frame around one pixel of a picture, moved by the arrow keys.  `mark` is an element laid over the canvas.
class PixelCursor {
  constructor(canvas, mark, side, onMove) {
    Object.assign(this, {canvas, mark, side, pixel: null});
    mark.style.width = mark.style.height = `${100 / side}%`;
    canvas.addEventListener("keydown", event => {
      const step = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -side, ArrowDown: side}[event.key];
      if (!step) return;
      event.preventDefault();
      const from = this.pixel ?? (side >> 1) * side + (side >> 1), to = from + step;
      const inside = to >= 0 && to < side * side && (Math.abs(step) > 1 || Math.floor(to / side) === Math.floor(from / side));
      onMove(this.pixel === null || !inside ? from : to);
    });
  }

  // Puts the frame there; null takes it away.
  put(pixel) {
    this.pixel = pixel;
    this.mark.hidden = pixel === null;
    if (pixel === null) return;
    this.mark.style.left = `${100 * (pixel % this.side) / this.side}%`;
    this.mark.style.top = `${100 * Math.floor(pixel / this.side) / this.side}%`;
  }
}

// Where an event lies on a canvas, in its pixels (fractions, x to the right, y down).
function placeOn(canvas, side, event) {
  const box = canvas.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width * side, (event.clientY - box.top) / box.height * side];
}
