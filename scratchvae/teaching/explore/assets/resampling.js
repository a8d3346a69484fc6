// Layers without weights that make images smaller or larger, forward above backward.
//
// Images are (height, width, channels).  Pooling and upsampling visit windows as a convolution
// does: see eachTap in convolution.js.

class Pooling extends Layer {
  constructor(config) {
    super(config);
    const {input, output, pool_size, strides} = config;
    this.windows = {fine: input, coarse: output, size: pool_size, strides};
  }
}

// The maximum of each window and channel.  The gradient goes to the pixel of the maximum: the first
// in row-major order if there are several.
class MaxPooling2D extends Pooling {
  constructor(config) {
    super(config);
    this.largest = new Int32Array(this.y.length);       // the index in x of each maximum
  }

  forward(x) {
    const {y, largest} = this;
    const C = this.input[2];
    y.fill(-Infinity);
    eachTap(this.windows, (coarse, fine) => {
      for (let c = 0; c < C; c++) {
        const from = fine * C + c;
        const to = coarse * C + c;
        if (x[from] <= y[to]) continue;
        y[to] = x[from];
        largest[to] = from;
      }
    });
    return y;
  }

  backward(dy) {
    this.clearGradients();
    for (let i = 0; i < dy.length; i++) this.dx[this.largest[i]] += dy[i];
    return this.dx;
  }
}

// The mean of each window and channel, over the pixels that are inside the image.
class AveragePooling2D extends Pooling {
  constructor(config) {
    super(config);
    const [P, Q] = this.output;
    this.counts = new Int32Array(P * Q);                // pixels in each window
    eachTap(this.windows, coarse => {
      this.counts[coarse]++;
    });
  }

  forward(x) {
    const {y, counts} = this;
    const C = this.input[2];
    y.fill(0);
    eachTap(this.windows, (coarse, fine) => {
      for (let c = 0; c < C; c++) y[coarse * C + c] += x[fine * C + c] / counts[coarse];
    });
    return y;
  }

  backward(dy) {
    this.clearGradients();
    const {dx, counts} = this;
    const C = this.input[2];
    eachTap(this.windows, (coarse, fine) => {
      for (let c = 0; c < C; c++) dx[fine * C + c] += dy[coarse * C + c] / counts[coarse];
    });
    return dx;
  }
}

// Repeats each pixel in a window of `size`.  The gradient of a pixel is the sum over its window.
class UpSampling2D extends Layer {
  constructor(config) {
    super(config);
    const {input, output, size} = config;
    this.windows = {fine: output, coarse: input, size, strides: size};
  }

  forward(x) {
    const {y} = this;
    const C = this.input[2];
    eachTap(this.windows, (coarse, fine) => {
      for (let c = 0; c < C; c++) y[fine * C + c] = x[coarse * C + c];
    });
    return y;
  }

  backward(dy) {
    this.clearGradients();
    const {dx} = this;
    const C = this.input[2];
    eachTap(this.windows, (coarse, fine) => {
      for (let c = 0; c < C; c++) dx[coarse * C + c] += dy[fine * C + c];
    });
    return dx;
  }
}

// Surrounds an image by zeros.
class ZeroPadding2D extends Layer {
  forward(x) {
    placeInside(x, this.input, this.y, this.output, this.padding);
    return this.y;
  }

  backward(dy) {
    this.clearGradients();
    takeInside(dy, this.output, this.dx, this.input, this.padding);
    return this.dx;
  }
}

// Cuts off the margins of an image.
class Cropping2D extends Layer {
  forward(x) {
    takeInside(x, this.input, this.y, this.output, this.cropping);
    return this.y;
  }

  backward(dy) {
    this.clearGradients();
    placeInside(dy, this.output, this.dx, this.input, this.cropping);
    return this.dx;
  }
}

// Copies a small image into a large one, inside these margins.
function placeInside(small, smallShape, large, largeShape, margins) {
  eachRow(smallShape, largeShape, margins, (from, to, length) => {
    large.set(small.subarray(from, from + length), to);
  });
}

// Copies the part of a large image inside these margins.
function takeInside(large, largeShape, small, smallShape, margins) {
  eachRow(smallShape, largeShape, margins, (to, from, length) => {
    small.set(large.subarray(from, from + length), to);
  });
}

// Calls f(start in the small image, start in the large one, length) for each row of a small image
// that lies inside a large one.
function eachRow([H, W, C], [, largeWidth], [[top], [left]], f) {
  for (let h = 0; h < H; h++) f(h * W * C, ((top + h) * largeWidth + left) * C, W * C);
}

Object.assign(LAYERS, {
  MaxPooling2D, AveragePooling2D, UpSampling2D, ZeroPadding2D, Cropping2D,
});
