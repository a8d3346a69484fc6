// The backward pass in words and bars.

// A number as one reads it: three digits, a real minus sign.
function number(v) {
  const text = v === 0 ? "0" : Math.abs(v) >= 0.01 && Math.abs(v) < 1e4 ? String(Number(v.toPrecision(3))) : v.toExponential(1);
  return text.replaceAll("-", "\u2212");
}

function vector(values) {
  const shown = [...values].slice(0, 3).map(number).join(", ");
  return `(${shown}${values.length > 3 ? ", \u2026" : ""})`;
}

// One row a layer with weights, from the loss back to the input: bars on a scale of powers of ten.
function paintNorms(table, norms) {
  const sizes = norms.flatMap(row => [row.dy, row.weights]).filter(v => v > 0).map(Math.log10);
  const top = Math.max(...sizes), bottom = Math.max(Math.min(...sizes), top - 8) - 0.5;
  const bar = v => `<td><span class="bar" style="width:${v > 0 ? Math.max(100 * (Math.log10(v) - bottom) / (top - bottom), 1) : 0}%"></span>` +
    `<span class="value">${number(v)}</span></td>`;
  table.innerHTML = norms.map(({part, layer, dy, weights}) =>
    `<tr><th scope="row"><span>${part}</span> ${layer.name}</th>${bar(dy)}${bar(weights)}</tr>`).join("");
}

// What the gradient says, in a sentence or two.
function explain({q, loss, dz, dlogVar, dlogits}, x, p, z, pixel, side) {
  const d = name => `\u2202L/\u2202${name}`;
  const start = pixel === null
    ? `<b>L = ${number(loss.total)}</b>${q.logVar ? ` = reconstruction ${number(loss.reconstruction)} + weighted KL ${number(loss.total - loss.reconstruction)}` : ""}. `
    : `Pixel in row ${Math.floor(pixel / side) + 1}, column ${pixel % side + 1}: the decoder says ${number(p[pixel])}, the input is ${number(x[pixel])}, ` +
      `which costs <b>L = ${number(loss.perPixel[pixel])}</b>, and ${d("logit")} = ${number(dlogits[pixel])}. `;
  const way = `At z the gradient is ${d("z")} = ${vector(dz)}; the arrow points the other way, downhill. `;
  if (!q.logVar) return start + way + "This autoencoder has no distribution: the same gradient goes straight on into the encoder.";
  const eps = z.map((v, j) => (v - q.mean[j]) / Math.exp(q.logVar[j] / 2));
  return start + way + `Because <i>z = \u03bc + \u03c3\u03b5</i>, it reaches \u03bc unchanged (\u2202z/\u2202\u03bc = 1) and log \u03c3\u00b2 times ` +
    `\u03b5\u03c3/2, here with \u03b5 = ${vector(eps)}: ${pixel === null ? "with the KL's share, " : ""}${d("log \u03c3\u00b2")} = ${vector(dlogVar)}.`;
}
