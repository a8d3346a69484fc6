"use strict";
const byId = id => document.getElementById(id);

// Small helpers: elements, and numbers as text.

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function number(value, digits = 3) {
  if (typeof value !== "number") return value ?? "";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(digits - 1);
  return String(Number(value.toPrecision(digits)));
}

function percent(value) {
  const digits = value > 0 && value < 0.0995 ? 1 : 0;
  return `${(100 * value).toFixed(digits)}\u00a0%`;
}

const PREFIXES = [[1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]];

// 2.5e6 and "B" -> "2.5 MB".
function amount(value, unit) {
  const [factor, prefix] = PREFIXES.find(([least]) => value >= least) ?? [1, ""];
  return `${number(value / factor)} ${prefix}${unit}`;
}

const SIGNS = [
  [/x\^(?=[ ,=]|$)/g, "x\u0302"],
  [/\^T/g, "\u1d40"],
  [/\^2/g, "\u00b2"],
  [/\bsigma\b/g, "\u03c3"],
  [/\bmu\b/g, "\u03bc"],
  [/\bdmu\b/g, "d\u03bc"],
  [/\beps(ilon)?\b/g, "\u03b5"],
  [/\b(d?)gamma\b/g, "$1\u03b3"],
  [/\b(d?)beta\b/g, "$1\u03b2"],
  [/\balpha\b/g, "\u03b1"],
  [/'/g, "\u2032"],
  [/ \* /g, " \u00b7 "],
  [/-/g, "\u2212"],
  [/one\u2212hot/g, "one-hot"],
  [/cross\u2212entropies/g, "cross-entropies"],
];

// A formula with mathematical signs.
const pretty = formula => SIGNS.reduce((text, [from, to]) => text.replace(from, to), formula);

// Heat maps.  A byte means the number (byte - 128) / 127 * scale.  The byte 0 is a gap between
// tiles.

function colour(name) {
  const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16));
}

// A function from a level, -1 to 1, to its colour.  Small levels are emphasised a little.
function palette() {
  const [zero, plus, minus] = ["--card", "--plus", "--minus"].map(colour);
  return level => {
    const part = Math.abs(level) ** 0.75;
    const end = level < 0 ? minus : plus;
    return zero.map((from, i) => Math.round(from + (end[i] - from) * part));
  };
}

// The bytes of an array, decoded once.
function bytesOf(array) {
  array.bytes ??= Uint8Array.from(atob(array.cells), c => c.charCodeAt(0));
  return array.bytes;
}

// Paints a canvas; level(i) is the level of cell i, or null for a gap.
function paint(canvas, width, height, level) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const shade = palette();
  for (let i = 0; i < width * height; i++) {
    const value = level(i);
    if (value !== null) image.data.set([...shade(value), 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
}

// A figure of an array: its name and shape, the heat map, the colour key, and a note.
function heatMap(array) {
  const shape = make("span", { class: "shape" }, array.shape.join(" \u00d7 "));
  const caption = make("figcaption", {}, make("b", {}, array.name), " ", shape);
  const note = make("div", { class: "note" });
  const map = mapCanvas(array);
  noteNumbers(map, note, array);
  return make("figure", {}, caption, map, ...colourKey(array), note);
}

function mapCanvas(array) {
  const { rows, columns } = array;
  const bytes = bytesOf(array);
  const attributes = { class: "map", role: "img", "aria-label": `heat map of ${array.name}` };
  const canvas = make("canvas", attributes);
  const zoom = Math.max(1, Math.min(24, Math.floor(300 / columns), Math.floor(300 / rows)));
  const width = Math.max(columns * zoom, 110);          // a few columns are drawn wider
  const height = Math.max(rows * zoom, 22);             // and one row taller
  canvas.style.width = `${width}px`;
  canvas.style.aspectRatio = `${width} / ${height}`;
  paint(canvas, columns, rows, i => bytes[i] ? (bytes[i] - 128) / 127 : null);
  return canvas;
}

// Shows a summary of the array in the note, or the number under the pointer.
function noteNumbers(canvas, note, array) {
  const { rows, columns, scale } = array;
  const bytes = bytesOf(array);
  const summary = `${array.caption}. mean ${number(array.mean)}, spread ${number(array.spread)}, ` +
    `zeros ${percent(array.zeros)}, min ${number(array.low)}, max ${number(array.high)}`;
  note.textContent = summary;
  canvas.addEventListener("pointermove", event => {
    const box = canvas.getBoundingClientRect();
    const down = (event.clientY - box.top) / box.height;
    const across = (event.clientX - box.left) / box.width;
    const row = Math.min(rows - 1, Math.floor(down * rows));
    const column = Math.min(columns - 1, Math.floor(across * columns));
    const byte = bytes[row * columns + column];
    const place = `row ${row}, column ${column} of the picture`;
    const value = number((byte - 128) / 127 * scale);
    note.textContent = byte ? `${place}: about ${value}` : summary;
  });
  canvas.addEventListener("pointerleave", () => {
    note.textContent = summary;
  });
}

// The colours between the lowest and the highest level, with the numbers at both ends.
function colourKey({ low, high, scale }) {
  const first = low < 0 ? -1 : 0;
  const last = high > 0 || first === 0 ? 1 : 0;
  const key = make("canvas", { class: "key" });
  paint(key, 64, 1, i => first + (last - first) * i / 63);
  const below = low < -1.001 * scale ? "\u2264 " : "";
  const above = high > 1.001 * scale ? "\u2265 " : "";
  const least = first ? below + number(-scale) : "0";
  const most = last ? above + number(scale) : "0";
  return [key, make("div", { class: "ends" }, make("span", {}, least), make("span", {}, most))];
}
