// Replaces a decoder that is too heavy for a page: images decoded at the points of a grid over the
// plane.  Between the points, a mixture of the four nearest images.

class GridModel {
  constructor({grid, low, high, shape}, images) {
    this.n = grid.side;
    this.low = low;
    this.high = high;
    this.numbers = shape.height * shape.width * shape.channels;
    this.images = images;
  }

  decode(z) {
    const u = this.place(z, 0);
    const v = this.place(z, 1);
    const column = Math.min(Math.floor(u), this.n - 2);
    const row = Math.min(Math.floor(v), this.n - 2);
    const right = u - column;
    const up = v - row;
    const image = new Float32Array(this.numbers);
    this.add(image, row, column, (1 - up) * (1 - right));
    this.add(image, row, column + 1, (1 - up) * right);
    this.add(image, row + 1, column, up * (1 - right));
    this.add(image, row + 1, column + 1, up * right);
    return image;
  }

  // Where coordinate j of z lies on the grid: from 0 to n - 1.
  place(z, j) {
    const place = (z[j] - this.low[j]) / (this.high[j] - this.low[j]) * (this.n - 1);
    return clamp(place, 0, this.n - 1);
  }

  add(image, row, column, weight) {
    const start = (row * this.n + column) * this.numbers;
    for (let i = 0; i < this.numbers; i++) image[i] += weight * this.images[start + i] / 255;
  }
}
