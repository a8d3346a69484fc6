// The variational autoencoder, and the plain one, with the whole chain of gradients: scratchvae/models/vae.py for one example.

class ReconstructionLoss {
  constructor({name, scale, activation}) {
    Object.assign(this, {name, scale, f: parseActivation(activation)});
  }

  // What the logits mean: the image.
  output(logits) {
    const p = logits.slice();
    activate(p, this.f);
    return p;
  }

  // The part of the loss that each pixel costs: their sum is the loss, scale times the mean over the pixels.
  perPixel(logits, x) {
    const p = this.output(logits), weight = this.scale / x.length;
    return p.map(this.name === "squared_error" ? (p_i, i) => weight * (p_i - x[i]) ** 2 :
      (p_i, i) => weight * (Math.max(logits[i], 0) - logits[i] * x[i] + Math.log1p(Math.exp(-Math.abs(logits[i])))));
  }

  // dlogits.  For binary cross-entropy after a sigmoid: (p - x) scale / D, the cancellation that makes them belong together.
  backward(logits, x) {
    const p = this.output(logits), weight = this.scale / x.length;
    if (this.name !== "squared_error") return p.map((p_i, i) => weight * (p_i - x[i]));
    const dlogits = p.map((p_i, i) => 2 * weight * (p_i - x[i]));
    activateBackward(dlogits, p, dlogits, this.f);
    return dlogits;
  }
}

class VAE {
  constructor({parts, loss, kl_weight}) {
    this.encoder = new Sequential(parts.encoder);
    this.decoder = new Sequential(parts.decoder);
    this.shortcut = new Sequential(parts.shortcut);     // the same function, in fewer steps where there are any to save
    this.heads = parts.z_mean ? {mean: new Sequential(parts.z_mean), logVar: new Sequential(parts.z_log_var)} : null;
    this.loss = new ReconstructionLoss(loss);
    this.klWeight = kl_weight;
  }

  // q(z|x) = N(mean, exp(logVar)); a plain autoencoder has a point without a spread: logVar is null.
  encode(x) {
    const h = this.encoder.forward(x);
    if (!this.heads) return {mean: h.slice(), logVar: null};
    return {mean: this.heads.mean.forward(h).slice(), logVar: this.heads.logVar.forward(h).slice()};
  }

  // The image of a latent point z.
  decode(z) {
    return this.loss.output(this.shortcut.forward(z));
  }

  // The loss of x at z, in all and by pixel.
  lossAt(x, z, q) {
    const perPixel = this.loss.perPixel(this.decoder.forward(z), x);
    const reconstruction = perPixel.reduce((a, b) => a + b, 0);
    const kl = q.logVar ? gaussianKL(q) : 0;
    return {perPixel, reconstruction, kl, total: reconstruction + this.klWeight * kl};
  }

  // All gradients of the loss of x, or of its part that one pixel costs, at z = mean + sigma eps: forward, and the same chain
  // backward, last line first.  x as what is to be reconstructed is a constant: dx is what comes through the encoder.
  backward(x, z, pixel = null) {
    const q = this.encode(x);
    const logits = this.decoder.forward(z);
    const loss = this.lossAt(x, z, q), norms = [];
    const visit = part => (layer, dy) => layer.weights && Object.keys(layer.weights).length &&
      norms.push({part, layer, dy: norm(dy), weights: norm(...Object.values(layer.grads))});

    const dlogits = this.loss.backward(logits, x);
    if (pixel !== null) dlogits.forEach((_, i) => { if (i !== pixel) dlogits[i] = 0; });
    const dz = this.decoder.backward(dlogits, visit("decoder")).slice();
    if (!this.heads) return {q, loss, norms, dlogits, dz, dmean: dz, dlogVar: null, dx: this.encoder.backward(dz, visit("encoder"))};
    const weight = pixel === null ? this.klWeight : 0;
    const dmean = dz.map((d, j) => d + weight * q.mean[j]);                                     // dz/dmean = 1
    const dlogVar = dz.map((d, j) => d * (z[j] - q.mean[j]) / 2                                 // dz/dlogVar = sigma eps / 2
      + weight * (Math.exp(q.logVar[j]) - 1) / 2);
    const dh = this.heads.mean.backward(dmean, visit("encoder")).slice();
    this.heads.logVar.backward(dlogVar, visit("encoder")).forEach((d, i) => { dh[i] += d; });   // both heads read h: they add
    return {q, loss, norms, dlogits, dz, dmean, dlogVar, dx: this.encoder.backward(dh, visit("encoder"))};
  }
}

// KL(q || N(0, 1)), nats.
function gaussianKL({mean, logVar}) {
  return mean.reduce((sum, mu, j) => sum + (mu * mu + Math.exp(logVar[j]) - 1 - logVar[j]) / 2, 0);
}

// mean + sigma eps.
function reparameterize({mean, logVar}, eps) {
  return mean.map((mu, j) => mu + (logVar ? Math.exp(logVar[j] / 2) * eps[j] : 0));
}
