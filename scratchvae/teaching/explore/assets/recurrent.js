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

// Keras's gated recurrent unit (reset_after=True): the equations 1 to 6 of
// kernels/reference/gru.py.
class GRU {
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
    this.a = new Float32Array(3 * units);
    this.q = new Float32Array(3 * units);
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

  // The last state (U), or with return_sequences all states (T U).
  forward(x, mask) {
    const {T, K, U} = this;
    const states = new Float32Array(T * U);
    let h = new Float32Array(U);
    for (let i = 0; i < T; i++) {
      const t = this.backwards ? T - 1 - i : i;
      if (!mask || mask[t]) h = this.step(x.subarray(t * K, (t + 1) * K), h);
      states.set(h, t * U);
    }
    return this.sequences ? states : h;
  }
}

// One GRU forwards in time and one backwards, their outputs side by side.
class Bidirectional {
  constructor(config) {
    this.directions = ["forward/", "backward/"].map(direction => new GRU(config, direction));
    this.U = config.units;
  }

  forward(x, mask) {
    const {U} = this;
    const halves = this.directions.map(gru => gru.forward(x, mask));
    const y = new Float32Array(2 * halves[0].length);
    for (let t = 0; t * U < halves[0].length; t++) {
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

Object.assign(LAYERS, {Embedding, GRU, Bidirectional, RepeatVector});
