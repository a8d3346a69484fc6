// Unpacks what Python packed into the page: JSON about the run, and arrays.

const HALVES = new Float32Array(65536);         // the value of each 16-bit pattern as a float16
for (let bits = 0; bits < 65536; bits++) {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const normal = (1 + fraction / 1024) * 2 ** (exponent - 15);
  const subnormal = fraction * 2 ** -24;
  HALVES[bits] = sign * (exponent ? normal : subnormal);
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

// The bytes of deflated base64 text.
async function inflated(base64) {
  const text = atob(base64);
  const packed = new Uint8Array(text.length);
  for (let i = 0; i < packed.length; i++) packed[i] = text.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

// {content, arrays}: in content.parts, the indices of weights are replaced by the weights.
async function unpack() {
  const content = JSON.parse($("content").textContent);
  const buffer = await inflated($("payload").textContent);
  const arrays = content.arrays.map(([type, ...place]) => VIEWS[type](buffer, ...place));
  for (const layers of Object.values(content.parts || {})) {
    for (const layer of layers) {
      for (const name in layer.weights) layer.weights[name] = arrays[layer.weights[name]];
    }
  }
  return {content, arrays};
}
