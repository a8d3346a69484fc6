// A convolution is a dense layer at every position of a window: see kernels/reference/conv2d.py.
// Its transpose uses the backward pass as a forward pass.  Images are (height, width, channels).

// Calls f(coarse pixel, fine pixel, tap) for each position of a window, which is a pixel of a
// coarse image, and each pixel of a fine image in it, both in row-major order.  Zeros surround the
// fine image.  windows: the shapes of the images, and size and strides of the window.
function eachTap(windows, f) {
  const {fine: [H, W], coarse: [P, Q], size: [A, B], strides: [sh, sw]} = windows;
  const top = zerosBefore(windows, 0);
  const left = zerosBefore(windows, 1);
  for (let p = 0; p < P; p++) {
    for (let q = 0; q < Q; q++) {
      for (let a = 0; a < A; a++) {
        const h = p * sh + a - top;
        if (h < 0 || h >= H) continue;
        for (let b = 0; b < B; b++) {
          const w = q * sw + b - left;
          if (w >= 0 && w < W) f(p * Q + q, h * W + w, a * B + b);
        }
      }
    }
  }
}

// How many zeros are above the fine image (axis 0) or left of it (axis 1): by TensorFlow's rule the
// smaller half of all zeros on the axis.
function zerosBefore({fine, coarse, size, strides}, axis) {
  const zeros = (coarse[axis] - 1) * strides[axis] + size[axis] - fine[axis];
  return Math.max(zeros, 0) >> 1;
}

class Convolution extends Layer {
  // Fills y with the bias.
  addBias() {
    const {bias} = this.weights;
    for (let i = 0; i < this.y.length; i += bias.length) this.y.set(bias, i);
  }

  // Computes dz from dy, and the gradient of the bias.
  backwardToSum(dy) {
    this.clearGradients();
    activateBackward(dy, this.y, this.dz, this.f);
    for (let i = 0; i < dy.length; i++) this.grads.bias[i % this.filters] += this.dz[i];
  }
}

// y = f(x * W + b); W (A, B, C, M).
class Conv2D extends Convolution {
  constructor(config) {
    super(config);
    const {input, output, kernel_size, strides} = config;
    this.windows = {fine: input, coarse: output, size: kernel_size, strides};
  }

  forward(x) {
    const {y} = this;
    const {kernel} = this.weights;
    const C = this.input[2];
    const M = this.filters;
    this.x = x;
    this.addBias();
    eachTap(this.windows, (coarse, fine, tap) => {
      addRowTimesMatrix(x, fine * C, C, kernel, tap * C * M, M, y, coarse * M);
    });
    activate(y, this.f);
    return y;
  }

  backward(dy) {
    this.backwardToSum(dy);
    const {x, dx, dz, grads} = this;
    const {kernel} = this.weights;
    const C = this.input[2];
    const M = this.filters;
    eachTap(this.windows, (coarse, fine, tap) => {
      addOuter(x, fine * C, C, dz, coarse * M, M, grads.kernel, tap * C * M);
      addRowTimesTransposed(dz, coarse * M, M, kernel, tap * C * M, C, dx, fine * C);
    });
    return dx;
  }
}

// Each pixel of x adds its multiple of the window to a finer image; W (A, B, M, C).
class Conv2DTranspose extends Convolution {
  constructor(config) {
    super(config);
    const {input, output, kernel_size, strides} = config;
    this.windows = {fine: output, coarse: input, size: kernel_size, strides};
    this.across = this.transposedKernel();
  }

  // W as (A, B, C, M), with which the forward pass can skip the zeros of x: ReLU makes many.
  transposedKernel() {
    const {kernel} = this.weights;
    const C = this.input[2];
    const M = this.filters;
    const across = new Float32Array(kernel.length);
    for (let i = 0; i < kernel.length; i++) {
      const tap = Math.floor(i / (M * C));
      const m = Math.floor(i / C) % M;
      const c = i % C;
      across[(tap * C + c) * M + m] = kernel[i];
    }
    return across;
  }

  forward(x) {
    const {y, across} = this;
    const C = this.input[2];
    const M = this.filters;
    this.x = x;
    this.addBias();
    eachTap(this.windows, (coarse, fine, tap) => {
      addRowTimesMatrix(x, coarse * C, C, across, tap * C * M, M, y, fine * M);
    });
    activate(y, this.f);
    return y;
  }

  backward(dy) {
    this.backwardToSum(dy);
    const {x, dx, dz, grads} = this;
    const {kernel} = this.weights;
    const C = this.input[2];
    const M = this.filters;
    eachTap(this.windows, (coarse, fine, tap) => {
      addOuter(dz, fine * M, M, x, coarse * C, C, grads.kernel, tap * M * C);
      addRowTimesMatrix(dz, fine * M, M, kernel, tap * M * C, C, dx, coarse * C);
    });
    return dx;
  }
}

Object.assign(LAYERS, {Conv2D, Conv2DTranspose});
