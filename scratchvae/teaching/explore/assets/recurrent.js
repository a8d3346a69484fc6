// Layers of text, forward only: the page encodes and decodes lines, and trains nothing.
//
// T steps, K numbers per step, U units.  A mask (T numbers 0 or 1, or null) says which steps count.

// A row of numbers for each word.
class Embedding extends Layer {
  maskAfter(words) {
    return this.mask_zero ? Array.from(words, word => Number(word !== 0)) : null;
  }

  forward(words) {
    const {embeddings} = this.weights;
    const E = this.output_dim;
    words.forEach((word, t) => {
      this.y.set(embeddings.subarray(word * E, (word + 1) * E), t * E);
    });
    return this.y;
  }
}

// A layer that carries a state from step to step.  The output is the first U numbers of the state.
// A step that the mask skips keeps the state.
class Recurrent {
  // direction: the prefix of the weights' names if the layer is half of a Bidirectional.
  constructor({units, weights, input, return_sequences}, direction = "") {
    this.kernel = weights[`${direction}kernel`];
    this.recurrent = weights[`${direction}recurrent_kernel`];
    this.bias = weights[`${direction}bias`];
    this.U = units;
    this.T = input[0];
    this.K = input[1];
    this.sequences = return_sequences;
    this.backwards = direction === "backward/";
    this.stateSize = units;
  }

  maskAfter(x, mask) {
    return this.sequences ? mask : null;
  }

  // The last output (U), or with return_sequences all outputs (T U).
  forward(x, mask) {
    const {T, K, U} = this;
    const outputs = new Float32Array(T * U);
    let state = new Float32Array(this.stateSize);
    for (let i = 0; i < T; i++) {
      const t = this.backwards ? T - 1 - i : i;
      if (!mask || mask[t]) state = this.step(x.subarray(t * K, (t + 1) * K), state);
      outputs.set(state.subarray(0, U), t * U);
    }
    return this.sequences ? outputs : state.subarray(0, U);
  }
}

// Keras's gated recurrent unit (reset_after=True): the equations 1 to 6 of
// kernels/reference/gru.py.
class GRU extends Recurrent {
  constructor(config, direction) {
    super(config, direction);
    this.a = new Float32Array(3 * this.U);
    this.q = new Float32Array(3 * this.U);
  }

  // The state after a step with input x (K), from the state before it.
  step(x, before) {
    const {U, a, q} = this;
    const h = new Float32Array(U);
    a.set(this.bias.subarray(0, 3 * U));
    q.set(this.bias.subarray(3 * U));
    addRowTimesMatrix(x, 0, this.K, this.kernel, 0, 3 * U, a, 0);                       // 1
    addRowTimesMatrix(before, 0, U, this.recurrent, 0, 3 * U, q, 0);                    // 2
    for (let u = 0; u < U; u++) {
      const z = sigmoid(a[u] + q[u]);                                                   // 3
      const r = sigmoid(a[U + u] + q[U + u]);                                           // 4
      const c = Math.tanh(a[2 * U + u] + r * q[2 * U + u]);                             // 5
      h[u] = z * before[u] + (1 - z) * c;                                               // 6
    }
    return h;
  }
}

// Keras's long short-term memory (Hochreiter & Schmidhuber 1997, with forget gates).  The state is
// (h, c):
//
//   i, f, o = sigmoid(x W + h U + b), g = tanh(x W + h U + b)     in the order i, f, g, o
//   c' = f c + i g
//   h' = o tanh(c')
class LSTM extends Recurrent {
  constructor(config, direction) {
    super(config, direction);
    this.stateSize = 2 * this.U;
    this.gates = new Float32Array(4 * this.U);
  }

  // The state after a step with input x (K), from the state before it.
  step(x, before) {
    const {U, gates} = this;
    const after = new Float32Array(2 * U);
    gates.set(this.bias);
    addRowTimesMatrix(x, 0, this.K, this.kernel, 0, 4 * U, gates, 0);
    addRowTimesMatrix(before, 0, U, this.recurrent, 0, 4 * U, gates, 0);
    for (let u = 0; u < U; u++) {
      const i = sigmoid(gates[u]);
      const f = sigmoid(gates[U + u]);
      const g = Math.tanh(gates[2 * U + u]);
      const o = sigmoid(gates[3 * U + u]);
      const c = f * before[U + u] + i * g;
      after[u] = o * Math.tanh(c);
      after[U + u] = c;
    }
    return after;
  }
}

// One recurrent layer forwards in time and one backwards, their outputs side by side.  With
// return_sequences, steps that the mask skips are zeros, as in Keras.
class Bidirectional {
  constructor(config) {
    const inner = LAYERS[config.layer_class ?? "GRU"];
    this.directions = ["forward/", "backward/"].map(direction => new inner(config, direction));
    this.U = config.units;
    this.sequences = config.return_sequences;
  }

  maskAfter(x, mask) {
    return this.sequences ? mask : null;
  }

  forward(x, mask) {
    const {U} = this;
    const halves = this.directions.map(layer => layer.forward(x, mask));
    const y = new Float32Array(2 * halves[0].length);
    for (let t = 0; t * U < halves[0].length; t++) {
      if (this.sequences && mask && !mask[t]) continue;
      halves.forEach((half, side) => {
        y.set(half.subarray(t * U, (t + 1) * U), (2 * t + side) * U);
      });
    }
    return y;
  }
}

// The same vector at every step.
class RepeatVector extends Layer {
  forward(x) {
    for (let t = 0; t < this.n; t++) this.y.set(x, t * x.length);
    return this.y;
  }
}

Object.assign(LAYERS, {Embedding, GRU, LSTM, Bidirectional, RepeatVector});
