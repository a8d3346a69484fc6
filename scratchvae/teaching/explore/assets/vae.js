// The variational and the plain autoencoder, with the whole chain of gradients:
// scratchvae/models/vae.py for one example.

class ReconstructionLoss {
  constructor({name, scale, activation}) {
    this.name = name;
    this.scale = scale;
    this.f = parseActivation(activation);
  }

  // The image that the logits mean.
  output(logits) {
    const p = logits.slice();
    activate(p, this.f);
    return p;
  }

  // The loss of each number.  Their sum is the loss: scale times the mean over the numbers.
  perNumber(logits, x) {
    const p = this.output(logits);
    const weight = this.scale / x.length;
    if (this.name === "squared_error") return p.map((p_i, i) => weight * (p_i - x[i]) ** 2);
    return p.map((_, i) => weight * binaryCrossentropy(logits[i], x[i]));
  }

  // dlogits.  For binary cross-entropy after a sigmoid it is (p - x) scale / D: the derivative of
  // the sigmoid cancels.
  backward(logits, x) {
    const p = this.output(logits);
    const weight = this.scale / x.length;
    if (this.name !== "squared_error") return p.map((p_i, i) => weight * (p_i - x[i]));
    const dlogits = p.map((p_i, i) => 2 * weight * (p_i - x[i]));
    activateBackward(dlogits, p, dlogits, this.f);
    return dlogits;
  }
}

// -x log p - (1 - x) log(1 - p) for p = sigmoid(logit), without overflow.
function binaryCrossentropy(logit, x) {
  return Math.max(logit, 0) - logit * x + Math.log1p(Math.exp(-Math.abs(logit)));
}

class VAE {
  constructor({parts, loss, kl_weight, shape}) {
    this.channels = shape.channels;
    this.encoder = new Sequential(parts.encoder);
    this.decoder = new Sequential(parts.decoder);
    this.shortcut = new Sequential(parts.shortcut);     // the decoder in fewer steps, if possible
    this.heads = null;
    if (parts.z_mean) {
      this.heads = {
        mean: new Sequential(parts.z_mean),
        logVar: new Sequential(parts.z_log_var),
      };
    }
    this.loss = new ReconstructionLoss(loss);
    this.klWeight = kl_weight;
  }

  // q(z|x) = N(mean, exp(logVar)).  A plain autoencoder has only a point: logVar is null.
  encode(x) {
    const h = this.encoder.forward(x);
    if (!this.heads) return {mean: h.slice(), logVar: null};
    return {
      mean: this.heads.mean.forward(h).slice(),
      logVar: this.heads.logVar.forward(h).slice(),
    };
  }

  // The image of a latent point z.
  decode(z) {
    return this.loss.output(this.shortcut.forward(z));
  }

  // The loss of x at z: in total, by term, and by pixel.
  lossAt(x, z, q) {
    return this.lossOf(this.decoder.forward(z), x, q);
  }

  lossOf(logits, x, q) {
    const perPixel = sumOfChannels(this.loss.perNumber(logits, x), this.channels);
    const reconstruction = perPixel.reduce((a, b) => a + b, 0);
    const kl = q.logVar ? gaussianKL(q) : 0;
    return {perPixel, reconstruction, kl, total: reconstruction + this.klWeight * kl};
  }

  // All gradients of the loss of x, or of one pixel's part of it, at z = mean + sigma eps: the
  // forward pass, and then the same chain backward, last line first.  The target of the
  // reconstruction is a constant: dx is the gradient that arrives through the encoder.
  backward(x, z, pixel = null) {
    const norms = [];
    const visit = part => (layer, dy) => {
      if (!layer.weights || !Object.keys(layer.weights).length) return;
      norms.push({part, layer, dy: norm(dy), weights: norm(...Object.values(layer.grads))});
    };

    const q = this.encode(x);
    const logits = this.decoder.forward(z);
    const loss = this.lossOf(logits, x, q);

    const dlogits = this.loss.backward(logits, x);
    if (pixel !== null) keepOnly(dlogits, pixel * this.channels, this.channels);
    const dz = this.decoder.backward(dlogits, visit("decoder")).slice();
    if (!this.heads) {
      const dx = this.encoder.backward(dz, visit("encoder"));
      return {q, loss, norms, dlogits, dz, dmean: dz, dlogVar: null, dx};
    }
    const weight = pixel === null ? this.klWeight : 0;
    const dmean = dz.map((d, j) => d + weight * q.mean[j]);                   // dz/dmean = 1
    const dlogVar = dz.map((d, j) => d * (z[j] - q.mean[j]) / 2               // sigma eps / 2
      + weight * (Math.exp(q.logVar[j]) - 1) / 2);
    const dh = this.heads.mean.backward(dmean, visit("encoder")).slice();
    const dh2 = this.heads.logVar.backward(dlogVar, visit("encoder"));
    for (let i = 0; i < dh.length; i++) dh[i] += dh2[i];                      // both heads read h
    const dx = this.encoder.backward(dh, visit("encoder"));
    return {q, loss, norms, dlogits, dz, dmean, dlogVar, dx};
  }
}

function keepOnly(array, start, count) {
  const kept = array.slice(start, start + count);
  array.fill(0);
  array.set(kept, start);
}

// The sum of each `channels` numbers in a row: of those of a pixel.
function sumOfChannels(numbers, channels) {
  if (channels === 1) return numbers;
  const sums = new Float32Array(numbers.length / channels);
  numbers.forEach((v, i) => {
    sums[Math.floor(i / channels)] += v;
  });
  return sums;
}

// KL(q || N(0, 1)) in nats.
function gaussianKL({mean, logVar}) {
  const term = (mu, j) => (mu * mu + Math.exp(logVar[j]) - 1 - logVar[j]) / 2;
  return mean.reduce((sum, mu, j) => sum + term(mu, j), 0);
}

// z = mean + sigma eps.
function reparameterize({mean, logVar}, eps) {
  return mean.map((mu, j) => mu + (logVar ? Math.exp(logVar[j] / 2) * eps[j] : 0));
}
