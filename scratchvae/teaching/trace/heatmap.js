"use strict";
const byId = id => document.getElementById(id);

// Small helpers: elements, and numbers for people.

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
  return size >= 1e5 || size < 1e-3 ? value.toExponential(digits - 1) : String(Number(value.toPrecision(digits)));
}

const percent = value => `${(100 * value).toFixed(value > 0 && value < 0.0995 ? 1 : 0)}\u00a0%`;

function amount(value, unit) {
  const [factor, prefix] = value >= 1e9 ? [1e9, "G"] : value >= 1e6 ? [1e6, "M"] : value >= 1e3 ? [1e3, "k"] : [1, ""];
  return `${number(value / factor)} ${prefix}${unit}`;
}

const SIGNS = [
  [/x\^(?=[ ,=]|$)/g, "x\u0302"], [/\^T/g, "\u1d40"], [/\^2/g, "\u00b2"], [/\bsigma\b/g, "\u03c3"],
  [/\bmu\b/g, "\u03bc"], [/\bdmu\b/g, "d\u03bc"], [/\beps(ilon)?\b/g, "\u03b5"], [/\b(d?)gamma\b/g, "$1\u03b3"],
  [/\b(d?)beta\b/g, "$1\u03b2"], [/\balpha\b/g, "\u03b1"], [/'/g, "\u2032"], [/ \* /g, " \u00b7 "],
  [/-/g, "\u2212"], [/one\u2212hot/g, "one-hot"], [/cross\u2212entropies/g, "cross-entropies"]];
const pretty = formula => SIGNS.reduce((text, [from, to]) => text.replace(from, to), formula);

// Heat maps.  A byte is a number: (byte - 128) / 127 * scale; 0 is a gap between tiles.

function colour(name) {
  const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16));
}

function palette() {
  const [zero, plus, minus] = ["--card", "--plus", "--minus"].map(colour);
  return level => {                                   // from -1 to 1; small numbers are made a little bolder
    const part = Math.abs(level) ** 0.75, end = level < 0 ? minus : plus;
    return zero.map((from, i) => Math.round(from + (end[i] - from) * part));
  };
}

const levels = array => array.bytes ??= Uint8Array.from(atob(array.cells), c => c.charCodeAt(0));

function paint(canvas, width, height, level) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d"), image = context.createImageData(width, height), shade = palette();
  for (let i = 0; i < width * height; i++) {
    const value = level(i);
    if (value !== null) image.data.set([...shade(value), 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
}

function heatMap(array) {
  const { rows, columns, scale } = array, bytes = levels(array);
  const canvas = make("canvas", { class: "map", role: "img", "aria-label": `heat map of ${array.name}` });
  const key = make("canvas", { class: "key" }), note = make("div", { class: "note" });
  const zoom = Math.max(1, Math.min(24, Math.floor(300 / columns), Math.floor(300 / rows)));
  const width = Math.max(columns * zoom, 110), height = Math.max(rows * zoom, 22);            // a few columns, or one row, are drawn wider
  canvas.style.width = `${width}px`;
  canvas.style.aspectRatio = `${width} / ${height}`;
  paint(canvas, columns, rows, i => bytes[i] ? (bytes[i] - 128) / 127 : null);
  const low = array.low < 0 ? -1 : 0, high = array.high > 0 || low === 0 ? 1 : 0;
  paint(key, 64, 1, i => low + (high - low) * i / 63);
  const end = (sign, more) => make("span", {}, sign ? `${more ? (sign < 0 ? "\u2264 " : "\u2265 ") : ""}${number(sign * scale)}` : "0");
  const rest = `${array.caption}. mean ${number(array.mean)}, spread ${number(array.spread)}, zeros ${percent(array.zeros)}, ` +
    `min ${number(array.low)}, max ${number(array.high)}`;
  note.textContent = rest;
  canvas.addEventListener("pointermove", event => {
    const box = canvas.getBoundingClientRect();
    const row = Math.min(rows - 1, Math.floor((event.clientY - box.top) / box.height * rows));
    const column = Math.min(columns - 1, Math.floor((event.clientX - box.left) / box.width * columns));
    const byte = bytes[row * columns + column];
    note.textContent = byte ? `row ${row}, column ${column} of the picture: about ${number((byte - 128) / 127 * scale)}` : rest;
  });
  canvas.addEventListener("pointerleave", () => { note.textContent = rest; });
  return make("figure", {},
    make("figcaption", {}, make("b", {}, array.name), " ", make("span", { class: "shape" }, array.shape.join(" \u00d7 "))), canvas, key,
    make("div", { class: "ends" }, end(low, array.low < -1.001 * scale), end(high, array.high > 1.001 * scale)), note);
}
