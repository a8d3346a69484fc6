// In place of a decoder that is too heavy for a page: images decoded at the points of a grid over the plane, and between them a mixture
// of the four nearest.

class GridModel {
  constructor({grid, low, high, side}, images) {
    Object.assign(this, {n: grid.side, low, high, pixels: side * side, images});
  }

  decode(z) {
    const [u, v] = [0, 1].map(j => {
      const place = (z[j] - this.low[j]) / (this.high[j] - this.low[j]) * (this.n - 1);
      return Math.min(Math.max(place, 0), this.n - 1);
    });
    const column = Math.min(Math.floor(u), this.n - 2), row = Math.min(Math.floor(v), this.n - 2);
    const right = u - column, up = v - row, image = new Float32Array(this.pixels);
    this.add(image, row, column, (1 - up) * (1 - right));
    this.add(image, row, column + 1, (1 - up) * right);
    this.add(image, row + 1, column, up * (1 - right));
    this.add(image, row + 1, column + 1, up * right);
    return image;
  }

  add(image, row, column, weight) {
    const start = (row * this.n + column) * this.pixels;
    for (let i = 0; i < this.pixels; i++) image[i] += weight * this.images[start + i] / 255;
  }
}
