// Lines to latent points and back: scratchvae/models/text_vae.py, and the VAE of the lab text-gru, which writes all words at once.
// What is written is the most probable word, then the next, and so on; padding and the unknown word are never written.

const PADDING = 0;

class TextVAE {
  constructor({parts, vocabulary, unknown, end, steps, padding, writes}) {
    Object.assign(this, {vocabulary, unknown, end, steps, padding, atOnce: writes === "all at once"});
    this.indices = new Map(vocabulary.map((word, index) => [word, index]));
    this.networks = Object.fromEntries(Object.entries(parts).map(([name, layers]) => [name, new Sequential(layers)]));
  }

  // The words of a line as `steps` indices: with its end, filled up or cut off on the side that the lab does.
  example(words) {
    const line = words.map(word => this.indices.get(word) ?? this.unknown), pre = this.padding === "pre";
    if (this.end !== null) line.push(this.end);
    const kept = pre ? line.slice(-this.steps) : line.slice(0, this.steps), filling = Array(this.steps - kept.length).fill(PADDING);
    return pre ? [...filling, ...kept] : [...kept, ...filling];
  }

  // The mean of q(z|x).
  encode(example) {
    return this.networks.z_mean.forward(this.networks.encoder.forward(example)).slice();
  }

  // [{word, probability}] of a latent point.
  decode(z) {
    return (this.atOnce ? this.writeAtOnce(z) : this.writeWordByWord(z)).map(({index, probability}) => ({word: this.vocabulary[index], probability}));
  }

  writeAtOnce(z) {
    const logits = this.networks.decoder.forward(z), V = this.vocabulary.length;
    return Array.from({length: this.steps}, (_, t) => this.mostProbable(logits.subarray(t * V, (t + 1) * V), [this.unknown]))
      .filter(({index}) => index !== PADDING);
  }

  writeWordByWord(z) {
    const {initial, words, gru, decoder} = this.networks, [cell] = gru.layers, [{weights: {embeddings}, output_dim: E}] = words.layers;
    const input = new Float32Array(E + z.length), written = [];
    input.set(z, E);                                    // z is told to the first state, and at every step
    for (let h = initial.forward(z).slice(), word = this.end; written.length < this.steps;) {
      input.set(embeddings.subarray(word * E, (word + 1) * E));
      h = cell.step(input, h);
      const next = this.mostProbable(decoder.forward(h), [PADDING, this.unknown]);
      word = next.index;
      if (word === this.end) break;
      written.push(next);
    }
    return written;
  }

  mostProbable(logits, forbidden) {
    let index = -1, sum = 0;
    for (let i = 0; i < logits.length; i++) if (!forbidden.includes(i) && (index < 0 || logits[i] > logits[index])) index = i;
    for (const v of logits) sum += Math.exp(v - logits[index]);
    return {index, probability: 1 / sum};
  }
}
