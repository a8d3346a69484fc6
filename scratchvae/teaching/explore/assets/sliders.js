// A slider for each latent dimension, and the choice of the two that the plane shows.

const KEY_STEPS = 60;           // presses of an arrow key from one end of a slider to the other

class Sliders {
  // onSlide(j, value) and onAxes([first, second]) are called when the user changes something.
  constructor(element, {low, high}, onSlide, onAxes) {
    const rows = element.querySelector(".rows");
    this.rows = low.map((_, j) => {
      const row = makeSlider(j, low[j], high[j], value => onSlide(j, value));
      rows.append(row);
      const [input, output, bar] = ["input", "output", ".pull span"]
        .map(selector => row.querySelector(selector));
      return {input, output, bar};
    });
    const selects = [...element.querySelectorAll("select")];
    selects.forEach((select, axis) => {
      select.innerHTML = low.map((_, j) => `<option value="${j}">${nameOf(j)}</option>`).join("");
      select.value = axis;
      select.addEventListener("change", () => onAxes(selects.map(other => Number(other.value))));
    });
  }

  show(z) {
    this.rows.forEach(({input, output}, j) => {
      input.value = z[j];
      output.textContent = number(z[j]);
    });
  }

  // Shows under each slider in which direction the loss falls, relative to the steepest dimension.
  pull(dz) {
    const largest = Math.max(...dz.map(Math.abs), 1e-30);
    this.rows.forEach(({bar}, j) => {
      const share = -dz[j] / largest;
      bar.style.width = `${50 * Math.abs(share)}%`;
      bar.style.left = `${50 + 50 * Math.min(share, 0)}%`;
    });
  }
}

// The name of a latent dimension, as text.
const nameOf = j => `z${subscript(j + 1)}`;

function makeSlider(j, low, high, onSlide) {
  const row = document.createElement("label");
  row.className = "slider";
  row.innerHTML = `<span><i>z</i>${subscript(j + 1)}</span>` +
    `<input type="range" min="${low}" max="${high}" step="any"><output></output>` +
    "<span class=\"pull\" aria-hidden=\"true\"><span></span></span>";
  const input = row.querySelector("input");
  input.addEventListener("input", () => onSlide(Number(input.value)));
  input.addEventListener("keydown", event => {  // with step="any" the browser would choose the step
    const direction = {ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1}[event.key];
    if (!direction) return;
    event.preventDefault();
    const value = Number(input.value) + direction * (high - low) / KEY_STEPS;
    onSlide(clamp(value, low, high));
  });
  return row;
}
