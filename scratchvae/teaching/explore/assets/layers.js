// Layers for one example at a time, forward above backward, as in kernels/reference.
//
// backward(dy) takes the gradient of the loss with respect to the output of the last forward pass,
// fills `grads`, and returns the gradient with respect to the input.

const product = shape => shape.reduce((a, b) => a * b, 1);

class Layer {
  // config: name, class, input, output, weights, and the layer's arguments.
  constructor(config) {
    Object.assign(this, config);
    this.f = parseActivation(this.activation || "linear");
    this.y = new Float32Array(product(this.output));
  }

  // Makes the arrays of the backward pass if there are none yet, and sets dx and grads to zero.
  clearGradients() {
    this.dx ??= new Float32Array(product(this.input));
    this.dz ??= new Float32Array(this.y.length);
    this.grads ??= this.zerosLikeWeights();
    this.dx.fill(0);
    for (const gradient of Object.values(this.grads)) gradient.fill(0);
  }

  // The mask for the next layer: see Sequential.
  maskAfter(x, mask) {
    return null;
  }

  zerosLikeWeights() {
    const entries = Object.entries(this.weights);
    return Object.fromEntries(entries.map(([name, w]) => [name, new Float32Array(w.length)]));
  }
}

// y = f(x W + b), for each row of x (..., K); W (K, units).
class Dense extends Layer {
  maskAfter(x, mask) {
    return mask;
  }

  forward(x) {
    const {kernel, bias} = this.weights;
    const M = this.units;
    const K = kernel.length / M;
    this.x = x;
    for (let row = 0; row * K < x.length; row++) {
      this.y.set(bias, row * M);
      addRowTimesMatrix(x, row * K, K, kernel, 0, M, this.y, row * M);
    }
    activate(this.y, this.f, M);
    return this.y;
  }

  backward(dy) {
    this.clearGradients();
    const {kernel} = this.weights;
    const M = this.units;
    const K = kernel.length / M;
    activateBackward(dy, this.y, this.dz, this.f, M);
    for (let row = 0; row * K < this.x.length; row++) {
      addOuter(this.x, row * K, K, this.dz, row * M, M, this.grads.kernel, 0);
      for (let m = 0; m < M; m++) this.grads.bias[m] += this.dz[row * M + m];
      addRowTimesTransposed(this.dz, row * M, M, kernel, 0, K, this.dx, row * K);
    }
    return this.dx;
  }
}

// y = gamma (x - mean) / sqrt(variance + epsilon) + beta, for each channel (the last axis).
//
// Mean and variance are the moving averages of training.  They are constants here, so
// dx = gamma dy / sqrt(variance + epsilon).
class BatchNormalization extends Layer {
  constructor(config) {
    super(config);
    const {moving_variance} = this.weights;
    this.scale = moving_variance.map(variance => 1 / Math.sqrt(variance + this.epsilon));
  }

  forward(x) {
    const {gamma, beta, moving_mean} = this.weights;
    const C = gamma.length;
    this.x = x;
    for (let row = 0; row < x.length; row += C) {
      for (let c = 0; c < C; c++) {
        const centred = x[row + c] - moving_mean[c];
        this.y[row + c] = gamma[c] * centred * this.scale[c] + beta[c];
      }
    }
    return this.y;
  }

  backward(dy) {
    this.clearGradients();
    const {gamma, moving_mean} = this.weights;
    const C = gamma.length;
    for (let row = 0; row < dy.length; row += C) {
      for (let c = 0; c < C; c++) {
        const centred = this.x[row + c] - moving_mean[c];
        this.grads.gamma[c] += dy[row + c] * centred * this.scale[c];
        this.grads.beta[c] += dy[row + c];
        this.dx[row + c] = gamma[c] * this.scale[c] * dy[row + c];
      }
    }
    return this.dx;
  }
}

// y = gamma xhat + beta, with xhat = (x - mean) / sqrt(variance + epsilon).  Mean and variance are
// those of each position, over the channels (the last axis).
//
// Both depend on x, so with dxhat = gamma dy and s = 1 / sqrt(variance + epsilon)
//
//   dx = s (dxhat - mean(dxhat) - xhat mean(dxhat xhat)).
class LayerNormalization extends Layer {
  constructor(config) {
    super(config);
    this.xhat = new Float32Array(this.y.length);
    this.scale = new Float32Array(this.y.length / this.weights.gamma.length);
  }

  maskAfter(x, mask) {
    return mask;
  }

  forward(x) {
    const {xhat, scale} = this;
    const {gamma, beta} = this.weights;
    const C = gamma.length;
    for (let i = 0; i < scale.length; i++) {
      const row = i * C;
      let mean = 0;
      for (let c = 0; c < C; c++) mean += x[row + c] / C;
      let variance = 0;
      for (let c = 0; c < C; c++) variance += (x[row + c] - mean) ** 2 / C;
      scale[i] = 1 / Math.sqrt(variance + this.epsilon);
      for (let c = 0; c < C; c++) {
        xhat[row + c] = (x[row + c] - mean) * scale[i];
        this.y[row + c] = gamma[c] * xhat[row + c] + beta[c];
      }
    }
    return this.y;
  }

  backward(dy) {
    this.clearGradients();
    const {dx, xhat, scale, grads} = this;
    const {gamma} = this.weights;
    const C = gamma.length;
    for (let i = 0; i < scale.length; i++) {
      const row = i * C;
      let meanDxhat = 0;
      let meanDxhatXhat = 0;
      for (let c = 0; c < C; c++) {
        const dxhat = gamma[c] * dy[row + c];
        meanDxhat += dxhat / C;
        meanDxhatXhat += dxhat * xhat[row + c] / C;
        grads.gamma[c] += dy[row + c] * xhat[row + c];
        grads.beta[c] += dy[row + c];
      }
      for (let c = 0; c < C; c++) {
        const dxhat = gamma[c] * dy[row + c];
        dx[row + c] = scale[i] * (dxhat - meanDxhat - xhat[row + c] * meanDxhatXhat);
      }
    }
    return dx;
  }
}

// y = f(x).
class Activation extends Layer {
  maskAfter(x, mask) {
    return mask;
  }

  forward(x) {
    this.y.set(x);
    activate(this.y, this.f, this.output.at(-1));
    return this.y;
  }

  backward(dy) {
    this.clearGradients();
    activateBackward(dy, this.y, this.dx, this.f, this.output.at(-1));
    return this.dx;
  }
}

// y = x: Flatten and Reshape, because all arrays are flat here.
class Identity {
  constructor(config) {
    Object.assign(this, config);
  }

  maskAfter(x, mask) {
    return null;
  }

  forward(x) {
    return x;
  }

  backward(dy) {
    return dy;
  }
}

// y = x: elements are dropped in training only.
class Dropout extends Identity {
  maskAfter(x, mask) {
    return mask;
  }
}

// The classes that the page can compute, by their names in Python.
const LAYERS = {
  Dense, BatchNormalization, LayerNormalization, Activation, Dropout,
  Flatten: Identity, Reshape: Identity,
};

// layers[-1](... layers[0](x)): forward down the list, backward up it.
class Sequential {
  constructor(configs) {
    this.layers = configs.map(config => new LAYERS[config.class](config));
  }

  // A mask, which says what steps of a sequence count, goes from layer to layer: see recurrent.js.
  forward(x) {
    let mask = null;
    for (const layer of this.layers) {
      const after = layer.maskAfter(x, mask);
      x = layer.forward(x, mask);
      mask = after;
    }
    return x;
  }

  // Returns dx.  `visit`, if given, is called with each layer and the gradient dy of its output.
  backward(dy, visit) {
    for (const layer of this.layers.toReversed()) {
      const dx = layer.backward(dy);
      visit?.(layer, dy);
      dy = dx;
    }
    return dy;
  }
}
