"use strict";
const trace = JSON.parse(document.getElementById("data").textContent);
const events = trace.events;
const byId = id => document.getElementById(id);
const dark = matchMedia("(prefers-color-scheme: dark)");
let current = 0;

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

const percent = value => `${(100 * value).toFixed(value < 0.0995 ? 1 : 0)} %`;

function amount(value, unit) {
  const [factor, prefix] = value >= 1e9 ? [1e9, "G"] : value >= 1e6 ? [1e6, "M"] : value >= 1e3 ? [1e3, "k"] : [1, ""];
  return `${number(value / factor)} ${prefix}${unit}`;
}

const SIGNS = [[/x\^(?=[ ,=]|$)/g, "x\u0302"], [/\^T/g, "\u1d40"], [/\^2/g, "\u00b2"], [/\bsigma\b/g, "\u03c3"], [/\bmu\b/g, "\u03bc"], [/\bdmu\b/g, "d\u03bc"],
  [/\beps(ilon)?\b/g, "\u03b5"], [/\b(d?)gamma\b/g, "$1\u03b3"], [/\b(d?)beta\b/g, "$1\u03b2"], [/\balpha\b/g, "\u03b1"], [/'/g, "\u2032"], [/ \* /g, " \u00b7 "],
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
  const canvas = make("canvas", { class: "map", role: "img", "aria-label": `heat map of ${array.name}` }), key = make("canvas", { class: "key" });
  const zoom = Math.max(1, Math.min(24, Math.floor(340 / columns), Math.floor(340 / rows)));
  canvas.style.width = `${columns * zoom}px`;
  canvas.style.aspectRatio = rows === 1 ? `${columns * zoom} / ${Math.max(zoom, 22)}` : `${columns} / ${rows}`;
  paint(canvas, columns, rows, i => bytes[i] ? (bytes[i] - 128) / 127 : null);
  const low = array.low < 0 ? -1 : 0, high = array.high > 0 || low === 0 ? 1 : 0;
  paint(key, 64, 1, i => low + (high - low) * i / 63);
  const note = make("div", { class: "note" }), end = (sign, outside) => `${outside ? (sign < 0 ? "\u2264 " : "\u2265 ") : ""}${number(sign * scale)}`;
  const rest = `${array.caption}. mean ${number(array.mean)}, spread ${number(array.spread)}, zeros ${percent(array.zeros)}, ` +
    `min ${number(array.low)}, max ${number(array.high)}`;
  note.textContent = rest;
  canvas.addEventListener("pointermove", event => {
    const box = canvas.getBoundingClientRect();
    const row = Math.min(rows - 1, Math.floor((event.clientY - box.top) / box.height * rows));
    const column = Math.min(columns - 1, Math.floor((event.clientX - box.left) / box.width * columns)), byte = bytes[row * columns + column];
    note.textContent = byte ? `row ${row}, column ${column} of the picture: about ${number((byte - 128) / 127 * scale)}` : rest;
  });
  canvas.addEventListener("pointerleave", () => { note.textContent = rest; });
  return make("figure", {},
    make("figcaption", {}, make("b", {}, array.name), " ", make("span", { class: "shape" }, array.shape.join(" \u00d7 "))), canvas, key,
    make("div", { class: "ends" }, make("span", {}, low ? end(-1, array.low < -1.001 * scale) : "0"), make("span", {}, high ? end(1, array.high > 1.001 * scale) : "0")), note);
}

function gallery(title, arrays, kept = false) {
  return arrays.length ? [make("div", {}, make("h3", {}, title), make("div", { class: kept ? "arrays kept" : "arrays" }, ...arrays.map(heatMap)))] : [];
}

// The chain: a column for each place, forwards above backwards, the optimizer before all.

const places = [...new Set(events.filter(event => event.direction === "forward").map(event => event.place))];
const findingsAt = event => trace.findings.filter(finding => finding.place === event.place && finding.direction === event.direction);

function partOf(place) {
  if (place === "loss" || place === "kl") return "loss";
  if (place.startsWith("encoder")) return "encoder";
  return ["z_mean", "z_log_var", "sampling"].includes(place) ? "latent" : "decoder";
}

const MEASURES = {
  ms: { of: event => event.ms, hint: "bar: time" },
  size: { of: event => event.direction === "forward" ? event.spread : event.dx ?? event.gradient, log: true,
    hint: "bar, logarithmic: above, the spread of the activations; below, the size of the gradient that goes on" },
  ratio: { of: event => event.direction === "forward" ? null : event.ratio, log: true,
    hint: "bar, logarithmic: how far the step moves the parameters, beside their size; around a thousandth is usual" },
};

function drawBars(name) {
  const measure = MEASURES[name];
  for (const directions of [["forward"], ["backward", "update"]]) {
    const shown = events.filter(event => directions.includes(event.direction));
    const values = shown.map(measure.of).filter(value => value > 0), most = Math.max(...values), least = Math.min(...values);
    for (const event of shown) {
      const value = measure.of(event);
      const part = !(value > 0) ? 0 : measure.log ? 0.06 + 0.94 * (Math.log(value / least) / (Math.log(most / least) || 1)) : value / most;
      event.chip.querySelector("i").style.width = `${100 * part}%`;
      const arrow = event.direction === "forward" ? "\u2192" : "\u2190";
      event.chip.lastElementChild.textContent = `${arrow} ${name === "ms" ? `${number(event.ms, 2)} ms` : value > 0 ? number(value, 2) : ""}`;
    }
  }
  byId("measure-hint").textContent = measure.hint;
  for (const button of document.querySelectorAll("[data-measure]")) button.setAttribute("aria-pressed", button.dataset.measure === name);
}

function drawChain() {
  const chain = byId("chain");
  let first = 0;
  places.forEach((place, i) => {
    if (i + 1 < places.length && partOf(place) === partOf(places[i + 1])) return;
    const part = partOf(place), style = `grid-row: 1; grid-column: ${first + 2} / ${i + 3}; color: var(--${part}); border-color: var(--${part})`;
    chain.append(make("div", { class: "part", style }, part));
    first = i + 1;
  });
  events.forEach((event, i) => {
    const row = event.direction === "forward" ? 2 : 3, column = event.direction === "update" ? 1 : places.indexOf(event.place) + 2;
    event.chip = make("button", { class: `chip ${event.direction}`, style: `grid-row: ${row}; grid-column: ${column}`, title: `${event.name}, ${event.direction}` },
      make("b", {}, event.name.split("/").pop().replace(/:.*/, "").replace(/_/g, "_\u200b")), ...(findingsAt(event).length ? [make("em", { class: "ill" })] : []), make("i"), make("span"));
    event.chip.addEventListener("click", () => show(i));
    chain.append(event.chip);
  });
}

// The stage: one event.

function facts(event) {
  const list = [["time", `${number(event.ms)} ms, ${percent(event.ms / trace.step)}`]];
  if (event.flops) list.push(["multiply and add", amount(event.flops, "FLOP")]);
  if (event.peak) list.push(["of the sgemm peak", percent(event.peak)]);
  if (event.bytes) list.push(["memory", amount(event.bytes, "B")], ["at", amount(event.bytes / event.ms * 1e3, "B/s")]);
  if (event.parameters) list.push(["parameters", event.parameters.toLocaleString("en")]);
  if (event.output) list.push(["output", event.output.replaceAll("x", " \u00d7 ")], ["mean \u00b1 spread", `${number(event.mean, 2)} \u00b1 ${number(event.spread, 2)}`],
    ["zeros", percent(event.zeros)]);
  const norms = { dout: "|dout|, what comes", dx: "|dx|, what goes on", gradient: "|dW|, its gradient", weight: "|W|, parameters", change: "|step|", ratio: "|step| / |W|",
    clipnorm: "clipped to a norm of" };
  for (const [name, label] of Object.entries(norms)) if (event[name] != null) list.push([label, number(event[name])]);
  const result = list.map(([term, value]) => [make("dt", {}, term), make("dd", {}, value)]);
  if (event.entries) result.push([make("dt", {}, `finite differences, ${event.entries} entries`),
    make("dd", { class: event.passed ? "right" : "wrong" }, `${event.passed ? "right" : "WRONG"} to ${number(event.error, 1)}`)]);
  return make("dl", {}, ...result.map(pair => make("div", {}, ...pair)));
}

function arraysOf(event) {
  const named = (...names) => event.arrays.filter(array => names.includes(array.name));
  if (event.direction === "forward" && event.output && named("input").length) {
    const rest = event.arrays.filter(array => !["input", "initial state", "output"].includes(array.name));
    return [...gallery("goes in", named("input", "initial state")), ...gallery("parameters", rest), ...gallery("comes out", named("output"))];
  }
  if (event.direction === "backward" && named("dout").length) {
    const forward = events.find(other => other.direction === "forward" && other.place === event.place);
    const gradients = event.arrays.filter(array => !["dout", "dx"].includes(array.name));
    return [...gallery("comes back from the layer behind", named("dout")), ...gallery("gradients of its parameters", gradients),
      ...gallery("goes on to the layer before", named("dx")), ...gallery("kept from the forward pass", forward.arrays, true)];
  }
  return gallery("arrays", event.arrays);
}

function updatesTable(event) {
  if (!event.updates) return [];
  const rows = event.updates.map(([place, weight, change, ratio]) => make("tr", {}, ...[place, number(weight), number(change), number(ratio)].map(cell => make("td", {}, cell))));
  return [make("div", { class: "scroll" }, make("table", {}, make("tr", {}, ...["layer", "|W|", "|step|", "|step| / |W|"].map(name => make("th", {}, name))), ...rows))];
}

function findingCard(finding) {
  const card = make("button", { class: "finding" }, make("b", {}, finding.place), `: ${finding.problem}.`, make("small", {}, `rule: ${finding.rule}`));
  card.addEventListener("click", () => show(events.findIndex(event => event.place === finding.place && event.direction === finding.direction)));
  return card;
}

function drawHealth() {
  const count = trace.findings.length;
  if (!count) {
    byId("health").append(make("p", { class: "well" },
      "Nothing unhealthy was found: no dead units, saturation, vanishing or exploding gradients, collapsed latent dimensions."));
    return;
  }
  const details = make("details", {}, make("summary", {}, count === 1 ? "One thing is unhealthy" : `${count} things are unhealthy`), ...trace.findings.map(findingCard));
  details.open = count <= 2;
  byId("health").append(details);
}

const WORDS = { forward: "\u2192 forwards", backward: "\u2190 backwards", update: "the update" };

function show(i) {
  current = Math.max(0, Math.min(events.length - 1, i));
  const event = events[current], kind = event.activation === "linear" ? event.kind : `${event.kind}, ${event.activation}`;
  byId("stage").replaceChildren(make("p", { class: `direction ${event.direction}` }, `${WORDS[event.direction]}: ${kind}`), make("h2", {}, event.name),
    make("div", { class: "formula" }, ...event.formula.split(/,  /).filter(Boolean).map(line => make("div", {}, pretty(line)))),
    ...findingsAt(event).map(findingCard), facts(event), ...updatesTable(event), make("div", { id: "flow" }, ...arraysOf(event)));
  for (const other of events) other.chip.removeAttribute("aria-current");
  event.chip.setAttribute("aria-current", "step");
  const chain = byId("chain"), middle = event.chip.offsetLeft - chain.offsetLeft - (chain.clientWidth - event.chip.clientWidth) / 2;
  chain.scrollTo({ left: middle });
  byId("position").textContent = `${current + 1} of ${events.length}`;
  byId("previous").disabled = current === 0;
  byId("next").disabled = current === events.length - 1;
}

function drawTable() {
  const columns = [["layer", event => event.name], ["", event => event.direction], ["output", event => event.output], ["parameters", event => event.parameters || ""],
    ["MFLOP", event => event.flops ? number(event.flops / 1e6) : ""], ["MB", event => number(event.bytes / 1e6)], ["ms", event => number(event.ms)],
    ["of peak", event => event.peak ? percent(event.peak) : ""], ["mean", event => number(event.mean)], ["spread", event => number(event.spread)],
    ["zeros", event => event.zeros == null ? "" : percent(event.zeros)], ["|dout|", event => number(event.dout)], ["|dx|", event => number(event.dx)],
    ["|dW|", event => number(event.gradient)], ["|step| / |W|", event => number(event.ratio)], ["check", event => event.entries ? number(event.error, 1) : ""]];
  byId("table").append(make("tr", {}, ...columns.map(([name]) => make("th", {}, name))),
    ...events.map(event => make("tr", {}, ...columns.map(([, cell]) => make("td", {}, String(cell(event) ?? ""))))));
}

byId("title").textContent = trace.title;
byId("about").append(...trace.about.map(line => make("p", {}, line)));
drawHealth();
drawChain();
drawBars("ms");
drawTable();
show(0);
for (const button of document.querySelectorAll("[data-measure]")) button.addEventListener("click", () => drawBars(button.dataset.measure));
byId("previous").addEventListener("click", () => show(current - 1));
byId("next").addEventListener("click", () => show(current + 1));
dark.addEventListener("change", () => show(current));
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const target = { ArrowRight: current + 1, ArrowLeft: current - 1, Home: 0, End: events.length - 1 }[event.key];
  if (target === undefined) return;
  event.preventDefault();
  show(target);
});
