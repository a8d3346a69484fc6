// Encodes lines and decodes latent points: scratchvae/models/text_vae.py, and the VAE of the lab
// text-gru, which writes all words at once.  The page writes the most probable word at each step;
// it never writes padding or the unknown word.

const PADDING = 0;

class TextVAE {
  constructor({parts, vocabulary, unknown, end, steps, padding, writes}) {
    this.vocabulary = vocabulary;
    this.unknown = unknown;
    this.end = end;
    this.steps = steps;
    this.padding = padding;
    this.atOnce = writes === "all at once";
    this.indices = new Map(vocabulary.map((word, index) => [word, index]));
    this.networks = {};
    for (const part in parts) this.networks[part] = new Sequential(parts[part]);
  }

  // The words of a line as `steps` indices: with the end word, and padded or cut as in the lab.
  example(words) {
    const line = words.map(word => this.indices.get(word) ?? this.unknown);
    if (this.end !== null) line.push(this.end);
    const before = this.padding === "pre";
    const kept = before ? line.slice(-this.steps) : line.slice(0, this.steps);
    const filling = Array(this.steps - kept.length).fill(PADDING);
    return before ? [...filling, ...kept] : [...kept, ...filling];
  }

  // The mean of q(z|x).
  encode(example) {
    return this.networks.z_mean.forward(this.networks.encoder.forward(example)).slice();
  }

  // The words of a latent point: [{word, probability}].
  decode(z) {
    const written = this.atOnce ? this.writeAtOnce(z) : this.writeWordByWord(z);
    return written.map(({index, probability}) => ({word: this.vocabulary[index], probability}));
  }

  writeAtOnce(z) {
    const logits = this.networks.decoder.forward(z);
    const V = this.vocabulary.length;
    const written = [];
    for (let t = 0; t < this.steps; t++) {
      const next = mostProbable(logits.subarray(t * V, (t + 1) * V), [this.unknown]);
      if (next.index !== PADDING) written.push(next);
    }
    return written;
  }

  writeWordByWord(z) {
    const {initial, words, gru, decoder} = this.networks;
    const [cell] = gru.layers;
    const {embeddings} = words.layers[0].weights;
    const E = words.layers[0].output_dim;
    const input = new Float32Array(E + z.length);       // the last word, and z at every step
    input.set(z, E);
    const written = [];
    let h = initial.forward(z).slice();
    let word = this.end;
    while (written.length < this.steps) {
      input.set(embeddings.subarray(word * E, (word + 1) * E));
      h = cell.step(input, h);
      const next = mostProbable(decoder.forward(h), [PADDING, this.unknown]);
      word = next.index;
      if (word === this.end) break;
      written.push(next);
    }
    return written;
  }
}

// The index of the largest logit that is not forbidden, and its probability (a softmax).
function mostProbable(logits, forbidden) {
  let index = -1;
  for (let i = 0; i < logits.length; i++) {
    if (forbidden.includes(i)) continue;
    if (index < 0 || logits[i] > logits[index]) index = i;
  }
  let sum = 0;
  for (const v of logits) sum += Math.exp(v - logits[index]);
  return {index, probability: 1 / sum};
}
