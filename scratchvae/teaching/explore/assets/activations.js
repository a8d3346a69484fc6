// Activations y = f(x), forward above backward.
//
// forward(y, slope, width) replaces y, which holds x, by f(x).  backward(dy, y, dx, slope, width)
// writes dx = dy f'(x), where f' is a function of y; dx may be dy itself.

const linear = {
  forward() {},

  backward(dy, y, dx) {
    dx.set(dy);
  },
};

// x where x > 0, else slope x; the slope of relu is 0.
const rectifier = {
  forward(y, slope) {
    for (let i = 0; i < y.length; i++) y[i] = y[i] > 0 ? y[i] : slope * y[i];
  },

  backward(dy, y, dx, slope) {
    for (let i = 0; i < y.length; i++) dx[i] = y[i] > 0 ? dy[i] : slope * dy[i];
  },
};

const logistic = {
  forward(y) {
    for (let i = 0; i < y.length; i++) y[i] = sigmoid(y[i]);
  },

  backward(dy, y, dx) {
    for (let i = 0; i < y.length; i++) dx[i] = dy[i] * y[i] * (1 - y[i]);
  },
};

const tanh = {
  forward(y) {
    for (let i = 0; i < y.length; i++) y[i] = Math.tanh(y[i]);
  },

  backward(dy, y, dx) {
    for (let i = 0; i < y.length; i++) dx[i] = dy[i] * (1 - y[i] * y[i]);
  },
};

// exp(x) divided by its sum, for each row of `width` numbers:
// dx_j = y_j (dy_j - sum over i of dy_i y_i).
const softmax = {
  forward(y, slope, width) {
    for (let row = 0; row < y.length; row += width) softmaxRow(y.subarray(row, row + width));
  },

  backward(dy, y, dx, slope, width) {
    for (let row = 0; row < y.length; row += width) {
      let sum = 0;
      for (let i = row; i < row + width; i++) sum += dy[i] * y[i];
      for (let i = row; i < row + width; i++) dx[i] = y[i] * (dy[i] - sum);
    }
  },
};

function sigmoid(x) {
  const e = Math.exp(-Math.abs(x));             // at most 1, so that neither side overflows
  return (x >= 0 ? 1 : e) / (1 + e);
}

function softmaxRow(row) {
  let largest = -Infinity;
  let sum = 0;
  for (const v of row) largest = Math.max(largest, v);
  for (let i = 0; i < row.length; i++) sum += row[i] = Math.exp(row[i] - largest);
  for (let i = 0; i < row.length; i++) row[i] /= sum;
}

// The activations that the page can compute, by their names in Python.
const ACTIVATIONS = {
  linear, relu: rectifier, leaky_relu: rectifier, sigmoid: logistic, tanh, softmax,
};

// "leaky_relu(0.3)" -> {name: "leaky_relu", slope: 0.3}.
function parseActivation(activation) {
  const [, name, argument] = /^(\w+?)(?:\(([^)]*)\))?$/.exec(activation);
  return {name, slope: name === "leaky_relu" ? Number(argument ?? 0.2) : 0};
}

function activate(y, {name, slope}, width) {
  ACTIVATIONS[name].forward(y, slope, width);
}

function activateBackward(dy, y, dx, {name, slope}, width) {
  ACTIVATIONS[name].backward(dy, y, dx, slope, width);
}
