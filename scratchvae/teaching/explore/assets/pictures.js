// Images and heat maps on canvases.  An image pixel is a canvas pixel, which the style sheet
// enlarges.

class Picture {
  // shape: {height, width, channels, ink}.  Images with ink are grey, from 0 (paper) to 1 (ink);
  // others are photographs, from 0 (dark) to 1 (light).
  constructor(canvas, shape) {
    const {width, height} = shape;
    canvas.width = width;
    canvas.height = height;
    this.shape = shape;
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.data = this.context.createImageData(width, height);
  }

  show(values) {
    if (this.shape.ink) this.paint(values, v => v, () => theme.inkRGB);
    else this.paintLight(values);
  }

  paintLight(values) {
    const {data} = this.data;
    const {channels} = this.shape;
    for (let i = 0; i < data.length / 4; i++) {
      for (let c = 0; c < 3; c++) data[4 * i + c] = 255 * values[channels * i + c % channels];
      data[4 * i + 3] = 255;
    }
    this.context.putImageData(this.data, 0, 0);
  }

  // Numbers of both signs: paper at 0, hot above and cold below.  The number that is largest in
  // size has the full colour.  The channels of a pixel are added.
  heat(numbers) {
    const values = sumOfChannels(numbers, this.shape.channels);
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
  constructor(canvas, mark, {width, height}, onMove) {
    this.mark = mark;
    this.width = width;
    this.height = height;
    this.pixel = null;
    mark.style.width = `${100 / width}%`;
    mark.style.height = `${100 / height}%`;
    canvas.addEventListener("keydown", event => {
      const step = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -width, ArrowDown: width}[event.key];
      if (!step) return;
      event.preventDefault();
      onMove(this.after(step));
    });
  }

  // The pixel that a step leads to: the middle at first, and never one outside the picture.
  after(step) {
    const {width, height} = this;
    if (this.pixel === null) return (height >> 1) * width + (width >> 1);
    const to = this.pixel + step;
    const sameRow = Math.floor(to / width) === Math.floor(this.pixel / width);
    const inside = to >= 0 && to < width * height && (Math.abs(step) > 1 || sameRow);
    return inside ? to : this.pixel;
  }

  // Puts the frame around a pixel; null hides it.
  put(pixel) {
    this.pixel = pixel;
    this.mark.hidden = pixel === null;
    if (pixel === null) return;
    this.mark.style.left = `${100 * (pixel % this.width) / this.width}%`;
    this.mark.style.top = `${100 * Math.floor(pixel / this.width) / this.height}%`;
  }
}

// Where an event lies on a canvas, in image pixels (fractions; x to the right, y down).
function placeOn(canvas, {width, height}, event) {
  const box = canvas.getBoundingClientRect();
  const x = (event.clientX - box.left) / box.width * width;
  const y = (event.clientY - box.top) / box.height * height;
  return [x, y];
}
