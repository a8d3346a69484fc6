// A slider for each latent dimension, where there are more than two, and the choice of the two that the plane shows.

class Sliders {
  // onSlide(j, value), onAxes([first, second]).
  constructor(element, {low, high}, onSlide, onAxes) {
    this.rows = low.map((_, j) => {
      const row = document.createElement("label");
      row.className = "slider";
      row.innerHTML = `<span><i>z</i>${subscript(j + 1)}</span><input type="range" min="${low[j]}" max="${high[j]}" step="any">` +
        "<output></output><span class=\"pull\" aria-hidden=\"true\"><span></span></span>";
      const [input, output, bar] = ["input", "output", ".pull span"].map(selector => row.querySelector(selector));
      input.addEventListener("input", () => onSlide(j, Number(input.value)));
      input.addEventListener("keydown", event => {          // "any" would make the arrow keys' steps the browser's
        const way = {ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1}[event.key];
        if (!way) return;
        event.preventDefault();
        onSlide(j, Math.min(Math.max(Number(input.value) + way * (high[j] - low[j]) / 60, low[j]), high[j]));
      });
      element.querySelector(".rows").append(row);
      return {input, output, bar};
    });
    this.selects = [...element.querySelectorAll("select")];
    this.selects.forEach((select, axis) => {
      select.innerHTML = low.map((_, j) => `<option value="${j}">z${subscript(j + 1)}</option>`).join("");
      select.value = axis;
      select.addEventListener("change", () => onAxes(this.selects.map(other => Number(other.value))));
    });
  }

  show(z) {
    this.rows.forEach(({input, output}, j) => {
      input.value = z[j];
      output.textContent = number(z[j]);
    });
  }

  // Under each slider, which way the loss falls, and how steeply beside the others.
  pull(dz) {
    const largest = Math.max(...(dz || []).map(Math.abs), 1e-30);
    this.rows.forEach(({bar}, j) => {
      const share = dz ? -dz[j] / largest : 0;
      bar.style.width = `${50 * Math.abs(share)}%`;
      bar.style.left = `${50 + 50 * Math.min(share, 0)}%`;
    });
  }
}
