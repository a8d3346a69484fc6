// The three products that forward and backward passes are made of.
//
// All arrays are flat, and a block of an array begins at an offset: x at xo, and so on.  For
// y = x W, with a row x (K) and a matrix W (K, M), the backward pass needs
//
//   dx = dy W^T    and    dW = x^T dy.

const block = new Int32Array(4);

// y (M) += x (K) W (K, M).  Rows of W are taken four at a time.  A row that meets a zero in x is
// skipped: ReLU makes many zeros.
function addRowTimesMatrix(x, xo, K, W, wo, M, y, yo) {
  let found = 0;
  for (let k = 0; k < K; k++) {
    if (x[xo + k] === 0) continue;
    block[found++] = k;
    if (found < 4) continue;
    found = 0;
    const x0 = x[xo + block[0]];
    const x1 = x[xo + block[1]];
    const x2 = x[xo + block[2]];
    const x3 = x[xo + block[3]];
    const a = wo + block[0] * M;
    const b = wo + block[1] * M;
    const c = wo + block[2] * M;
    const d = wo + block[3] * M;
    for (let m = 0; m < M; m++) {
      y[yo + m] += x0 * W[a + m] + x1 * W[b + m] + x2 * W[c + m] + x3 * W[d + m];
    }
  }
  for (let i = 0; i < found; i++) {
    const x0 = x[xo + block[i]];
    const a = wo + block[i] * M;
    for (let m = 0; m < M; m++) y[yo + m] += x0 * W[a + m];
  }
}

// dx (K) += dy (M) W^T, for W (K, M).
function addRowTimesTransposed(dy, yo, M, W, wo, K, dx, xo) {
  let k = 0;
  for (; k + 3 < K; k += 4) {
    const a = wo + k * M;
    const b = a + M;
    const c = b + M;
    const d = c + M;
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let m = 0; m < M; m++) {
      const v = dy[yo + m];
      s0 += v * W[a + m];
      s1 += v * W[b + m];
      s2 += v * W[c + m];
      s3 += v * W[d + m];
    }
    dx[xo + k] += s0;
    dx[xo + k + 1] += s1;
    dx[xo + k + 2] += s2;
    dx[xo + k + 3] += s3;
  }
  for (; k < K; k++) {
    let s = 0;
    for (let m = 0; m < M; m++) s += dy[yo + m] * W[wo + k * M + m];
    dx[xo + k] += s;
  }
}

// dW (K, M) += x^T (K) dy (M).
function addOuter(x, xo, K, dy, yo, M, dW, wo) {
  for (let k = 0; k < K; k++) {
    const v = x[xo + k];
    if (v === 0) continue;
    const a = wo + k * M;
    for (let m = 0; m < M; m++) dW[a + m] += v * dy[yo + m];
  }
}

// The length of a vector, or of several vectors as one.
function norm(...vectors) {
  let sum = 0;
  for (const vector of vectors) {
    for (let i = 0; i < vector.length; i++) sum += vector[i] * vector[i];
  }
  return Math.sqrt(sum);
}
