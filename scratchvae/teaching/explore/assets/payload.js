// What Python packed into the page: JSON about the model, and its arrays.

const HALVES = new Float32Array(65536);         // the number that each pattern of 16 bits means as a float16
for (let bits = 0; bits < 65536; bits++) {
  const sign = bits >> 15 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  HALVES[bits] = sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
}

function widened(halves) {
  const singles = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) singles[i] = HALVES[halves[i]];
  return singles;
}

const VIEWS = {
  float32: (buffer, offset, count) => new Float32Array(buffer, offset, count),
  float16: (buffer, offset, count) => widened(new Uint16Array(buffer, offset, count)),
  uint8: (buffer, offset, count) => new Uint8Array(buffer, offset, count),
};

// {told, arrays}: told.parts have their weights in place of the weights' numbers.
async function unpack() {
  const told = JSON.parse(document.getElementById("told").textContent);
  const text = atob(document.getElementById("payload").textContent);
  const packed = new Uint8Array(text.length);
  for (let i = 0; i < packed.length; i++) packed[i] = text.charCodeAt(i);
  const buffer = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
  const arrays = told.arrays.map(([type, offset, count]) => VIEWS[type](buffer, offset, count));
  for (const layers of Object.values(told.parts || {}))
    for (const layer of layers)
      for (const name in layer.weights) layer.weights[name] = arrays[layer.weights[name]];
  return {told, arrays};
}
