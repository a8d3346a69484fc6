// y = f(x), element by element (softmax: over rows of `width`), and dx = dy f'(x), written in terms of y.

// {f, slope}: the name without its argument, and what leaky_relu(SLOPE) multiplies negative numbers by.
function parseActivation(activation) {
  const [, name, argument] = /^(\w+?)(?:\(([^)]*)\))?$/.exec(activation);
  return {name, slope: name === "leaky_relu" ? Number(argument ?? 0.2) : 0};
}

function sigmoid(x) {
  const e = Math.exp(-Math.abs(x));             // at most 1: no overflow on either side
  return (x >= 0 ? 1 : e) / (1 + e);
}

// y = f(y), in its place.
function activate(y, {name, slope}, width) {
  if (name === "relu" || name === "leaky_relu") for (let i = 0; i < y.length; i++) y[i] = y[i] > 0 ? y[i] : slope * y[i];
  else if (name === "sigmoid") for (let i = 0; i < y.length; i++) y[i] = sigmoid(y[i]);
  else if (name === "tanh") for (let i = 0; i < y.length; i++) y[i] = Math.tanh(y[i]);
  else if (name === "softmax") for (let row = 0; row < y.length; row += width) softmax(y.subarray(row, row + width));
}

function softmax(row) {
  let largest = -Infinity, sum = 0;
  for (const v of row) largest = Math.max(largest, v);
  for (let i = 0; i < row.length; i++) sum += row[i] = Math.exp(row[i] - largest);
  for (let i = 0; i < row.length; i++) row[i] /= sum;
}

// dx from dy and the y of the forward pass; dx may be dy itself.
function activateBackward(dy, y, dx, {name, slope}, width) {
  if (name === "linear") dx.set(dy);
  else if (name === "relu" || name === "leaky_relu") for (let i = 0; i < y.length; i++) dx[i] = y[i] > 0 ? dy[i] : slope * dy[i];
  else if (name === "sigmoid") for (let i = 0; i < y.length; i++) dx[i] = dy[i] * y[i] * (1 - y[i]);
  else if (name === "tanh") for (let i = 0; i < y.length; i++) dx[i] = dy[i] * (1 - y[i] * y[i]);
  else if (name === "softmax") {
    for (let row = 0; row < y.length; row += width) {
      let along = 0;                            // dx_j = y_j (dy_j - sum over i of dy_i y_i)
      for (let i = row; i < row + width; i++) along += dy[i] * y[i];
      for (let i = row; i < row + width; i++) dx[i] = y[i] * (dy[i] - along);
    }
  }
}
