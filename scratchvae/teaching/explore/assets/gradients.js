// The backward pass as bars and sentences.

// A row for each layer with weights, from the loss back to the input.  Bars are logarithmic.
function paintNorms(table, norms) {
  const sizes = norms.flatMap(row => [row.dy, row.weights]).filter(v => v > 0).map(Math.log10);
  const top = Math.max(...sizes);
  const bottom = Math.max(Math.min(...sizes), top - 8) - 0.5;
  const width = v => (v > 0 ? Math.max(100 * (Math.log10(v) - bottom) / (top - bottom), 1) : 0);
  const bar = v => `<td><span class="bar" style="width:${width(v)}%"></span>` +
    `<span class="value">${number(v)}</span></td>`;
  const rows = norms.map(({part, layer, dy, weights}) => {
    const name = `<th scope="row"><span>${part}</span> ${layer.name}</th>`;
    return `<tr>${name}${bar(dy)}${bar(weights)}</tr>`;
  });
  table.innerHTML = rows.join("");
}

const partial = name => `\u2202L/\u2202${name}`;

// Explains the gradients `result` of the loss of x, whose reconstruction is p.
function explain(result, x, p, pixel, shape) {
  const loss = pixel === null ? explainLoss(result) : explainPixel(result, x, p, pixel, shape);
  const downhill = `${partial("z")} = ${vector(result.dz)}; ` +
    "the arrow points the opposite way, downhill. ";
  return loss + downhill + explainEncoder(result, pixel);
}

function explainLoss({q, loss}) {
  const total = `<b>L = ${number(loss.total)}</b>`;
  if (!q.logVar) return `${total}. `;
  const reconstruction = number(loss.reconstruction);
  const kl = number(loss.total - loss.reconstruction);
  return `${total} = reconstruction ${reconstruction} + weighted KL ${kl}. `;
}

function explainPixel({loss, dlogits}, x, p, pixel, {width, channels}) {
  const row = Math.floor(pixel / width) + 1;
  const column = pixel % width + 1;
  const own = array => (channels === 1 ? number(array[pixel]) :
    vector(array.slice(pixel * channels, (pixel + 1) * channels)));
  return `Pixel in row ${row}, column ${column}: the output is ${own(p)} and the input ` +
    `${own(x)}. Its loss is <b>L = ${number(loss.perPixel[pixel])}</b>, and ` +
    `${partial("logit")} = ${own(dlogits)}. `;
}

function explainEncoder({q, dlogVar}, pixel) {
  if (!q.logVar) {
    return "A plain autoencoder has no distribution: " +
      "the same gradient continues into the encoder.";
  }
  const kl = pixel === null ? "; the KL adds \u03bc and (\u03c3\u00b2 \u2212 1)/2" : "";
  return "Through <i>z = \u03bc + \u03c3\u03b5</i> it reaches \u03bc unchanged " +
    "(\u2202z/\u2202\u03bc = 1), and log \u03c3\u00b2 multiplied by " +
    `\u03b5\u03c3/2 = (z \u2212 \u03bc)/2${kl}: ` +
    `${partial("log \u03c3\u00b2")} = ${vector(dlogVar)}.`;
}
