// The backward pass in words and bars.

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
  const way = `${d("z")} = ${vector(dz)}; the arrow points the other way, downhill. `;
  if (!q.logVar) return start + way + "A plain autoencoder has no distribution: the same gradient goes straight on into the encoder.";
  return start + way + `Through <i>z = \u03bc + \u03c3\u03b5</i> it reaches \u03bc as it is (\u2202z/\u2202\u03bc = 1), and log \u03c3\u00b2 times ` +
    `\u03b5\u03c3/2 = (z \u2212 \u03bc)/2${pixel === null ? "; the KL adds \u03bc and (\u03c3\u00b2 \u2212 1)/2" : ""}: ` +
    `${d("log \u03c3\u00b2")} = ${vector(dlogVar)}.`;
}
