// The chain of a training step's events, and the stage, which shows one of them.

const trace = JSON.parse(document.getElementById("data").textContent);
const events = trace.events;
let current = 0;

function gallery(title, arrays, style = "") {
  if (!arrays.length) return [];
  const maps = make("div", { class: `arrays ${style}` }, ...arrays.map(heatMap));
  return [make("div", {}, make("h3", {}, title), maps)];
}

// The chain: a column for each place, forward above backward.  The optimizer has the first column.

const forwardEvents = events.filter(event => event.direction === "forward");
const places = [...new Set(forwardEvents.map(event => event.place))];

function findingsAt(event) {
  return trace.findings.filter(finding => isAt(event, finding));
}

// Whether an event is the one that a finding is about.
function isAt(event, { place, direction }) {
  return event.place === place && event.direction === direction;
}

function partOf(place) {
  if (place === "loss" || place === "kl") return "loss";
  if (place.startsWith("encoder")) return "encoder";
  return ["z_mean", "z_log_var", "sampling"].includes(place) ? "latent" : "decoder";
}

// What a bar can show: the number of an event, on a linear or a logarithmic scale.
const MEASURES = {
  ms: { of: event => event.ms, hint: "" },
  size: {
    of: event => event.direction === "forward" ? event.spread : event.dx ?? event.gradient,
    log: true,
    hint: "bars, logarithmic: in the upper row, the spread of the activations; " +
      "in the lower row, the size of the gradient that is passed on",
  },
  ratio: {
    of: event => event.direction === "forward" ? null : event.ratio,
    log: true,
    hint: "bars, logarithmic: the size of the step relative to the size of the parameters; " +
      "about 0.001 is usual",
  },
};

function drawBars(name) {
  const measure = MEASURES[name];
  for (const directions of [["forward"], ["backward", "update"]]) {
    const shown = events.filter(event => directions.includes(event.direction));
    const values = shown.map(measure.of).filter(value => value > 0);
    const most = Math.max(...values);
    const least = Math.min(...values);
    for (const event of shown) {
      const value = measure.of(event);
      const share = value > 0 ? barLength(value, least, most, measure.log) : 0;
      const arrow = event.direction === "forward" ? "\u2192" : "\u2190";
      const text = value > 0 ? number(value, 2) : "";
      const unit = name === "ms" ? " ms" : "";
      event.chip.querySelector("i").style.width = `${100 * share}%`;
      event.chip.lastElementChild.textContent = `${arrow} ${text}${unit}`;
    }
  }
  byId("measure-hint").textContent = measure.hint;
  for (const button of measureButtons()) {
    button.setAttribute("aria-pressed", button.dataset.measure === name);
  }
}

// The length of a bar as a share of the longest.
function barLength(value, least, most, log) {
  if (!log) return value / most;
  return 0.06 + 0.94 * (Math.log(value / least) / (Math.log(most / least) || 1));
}

function measureButtons() {
  return document.querySelectorAll("[data-measure]");
}

function drawChain() {
  drawParts();
  events.forEach((event, i) => {
    event.chip = makeChip(event);
    event.chip.addEventListener("click", () => show(i));
    byId("chain").append(event.chip);
  });
}

// The names of the model's parts, each above its places.
function drawParts() {
  let first = 0;
  places.forEach((place, i) => {
    const part = partOf(place);
    if (i + 1 < places.length && part === partOf(places[i + 1])) return;
    const columns = `${first + 2} / ${i + 3}`;
    const style = `grid-row: 1; grid-column: ${columns}; color: var(--${part})`;
    byId("chain").append(make("div", { class: "part", style }, part));
    first = i + 1;
  });
}

function makeChip(event) {
  const row = event.direction === "forward" ? 2 : 3;
  const column = event.direction === "update" ? 1 : places.indexOf(event.place) + 2;
  const attributes = {
    class: `chip ${event.direction}`,
    style: `grid-row: ${row}; grid-column: ${column}`,
    title: `${event.name}, ${event.direction}`,
  };
  const name = make("b", {}, shortName(event.name));
  const mark = findingsAt(event).length ? [make("em", { class: "ill", title: "unhealthy" })] : [];
  return make("button", attributes, name, ...mark, make("i"), make("span"));
}

// "encoder/batch_normalization_1" -> "batch_normalization_1", which may break after an underscore
// if no number follows.
function shortName(name) {
  return name.split("/").pop().replace(/:.*/, "").replace(/_(?!\d)/g, "_\u200b");
}

// The stage: one event.

function facts(event) {
  const list = [...costs(event), ...statistics(event)];
  const rows = list.map(([term, value]) => factRow(term, make("dd", {}, value)));
  if (event.entries) rows.push(checkRow(event));
  return make("dl", {}, ...rows);
}

function factRow(term, definition) {
  return make("div", {}, make("dt", {}, term), definition);
}

// Time, operations and memory.
function costs({ ms, flops, peak, bytes }) {
  const list = [["time", `${number(ms)} ms, ${percent(ms / trace.step)}`]];
  if (flops) list.push(["multiply and add", amount(flops, "FLOP")]);
  if (peak) list.push(["of the sgemm peak", percent(peak)]);
  if (bytes) list.push(["memory", amount(bytes, "B")]);
  if (bytes) list.push(["memory per second", amount(bytes / ms * 1e3, "B/s")]);
  return list;
}

const NORMS = {
  dout: "|dout|, upstream gradient",
  dx: "|dx|, passed on",
  gradient: "|dW|, of the parameters",
  weight: "|W|, parameters",
  change: "|step|",
  ratio: "|step| / |W|",
  clipnorm: "clipped to a norm of",
};

function statistics(event) {
  const list = [];
  if (event.parameters) list.push(["parameters", event.parameters.toLocaleString("en")]);
  if (event.output) {
    list.push(["output", event.output.replaceAll("x", " \u00d7 ")]);
    list.push(["mean \u00b1 spread", `${number(event.mean, 2)} \u00b1 ${number(event.spread, 2)}`]);
    list.push(["zeros", percent(event.zeros)]);
  }
  for (const [name, label] of Object.entries(NORMS)) {
    if (event[name] != null) list.push([label, number(event[name])]);
  }
  return list;
}

function checkRow({ entries, passed, error }) {
  const text = `${passed ? "right" : "WRONG"} to ${number(error, 1)}`;
  const definition = make("dd", { class: passed ? "right" : "wrong" }, text);
  return factRow(`finite differences, ${entries} entries`, definition);
}

function arraysOf(event) {
  const named = (...names) => event.arrays.filter(array => names.includes(array.name));
  const others = (...names) => event.arrays.filter(array => !names.includes(array.name));
  if (event.direction === "forward" && event.output && named("input").length) {
    return [
      ...gallery("input", named("input", "initial state")),
      ...gallery("parameters", others("input", "initial state", "output"), "below"),
      ...gallery("output", named("output")),
    ];
  }
  if (event.direction === "backward" && named("dout").length) {
    const forward = forwardEvents.find(other => other.place === event.place);
    return [
      ...gallery("upstream gradient, from the next layer", named("dout")),
      ...gallery("gradients of the parameters", others("dout", "dx"), "below"),
      ...gallery("gradient for the previous layer", named("dx")),
      ...gallery("kept from the forward pass", forward.arrays, "kept"),
    ];
  }
  return gallery(event.direction === "forward" ? "inputs and results" : "gradients", event.arrays);
}

function tableRow(tag, cells) {
  return make("tr", {}, ...cells.map(cell => make(tag, {}, String(cell ?? ""))));
}

function updatesTable(event) {
  if (!event.updates) return [];
  const head = tableRow("th", ["layer", "|W|", "|step|", "|step| / |W|"]);
  const rows = event.updates.map(([place, ...sizes]) => {
    return tableRow("td", [place, ...sizes.map(size => number(size))]);
  });
  return [make("div", { class: "scroll" }, make("table", {}, head, ...rows))];
}

function findingCard(finding) {
  const rule = make("small", {}, `rule: ${finding.rule}`);
  const place = make("b", {}, finding.place);
  const card = make("button", { class: "finding" }, place, `: ${finding.problem}.`, rule);
  card.addEventListener("click", () => {
    show(events.findIndex(event => isAt(event, finding)));
  });
  return card;
}

function drawHealth() {
  const count = trace.findings.length;
  if (!count) {
    byId("health").append(make("p", { class: "well" }, "Nothing unhealthy was found: no dead " +
      "units, saturation, vanishing or exploding gradients, collapsed latent dimensions."));
    return;
  }
  const title = count === 1 ? "One thing is unhealthy" : `${count} things are unhealthy`;
  const summary = make("summary", {}, title);
  const details = make("details", {}, summary, ...trace.findings.map(findingCard));
  details.open = count <= 2;
  byId("health").append(details);
}

const WORDS = {
  forward: "\u2192 forwards",
  backward: "\u2190 backwards",
  update: "the update",
};

function show(i) {
  current = Math.max(0, Math.min(events.length - 1, i));
  const event = events[current];
  byId("stage").replaceChildren(...stageOf(event));
  for (const other of events) other.chip.removeAttribute("aria-current");
  event.chip.setAttribute("aria-current", "step");
  scrollChainTo(event.chip);
  byId("position").textContent = `${current + 1} of ${events.length}`;
  byId("previous").disabled = current === 0;
  byId("next").disabled = current === events.length - 1;
}

function stageOf(event) {
  const { kind, activation, direction } = event;
  const kinds = activation === "linear" ? kind : `${kind}, ${activation}`;
  const formulas = event.formula.split(/,  /).filter(Boolean);
  return [
    make("p", { class: `direction ${direction}` }, `${WORDS[direction]}: ${kinds}`),
    make("h2", {}, event.name),
    make("div", { class: "formula" }, ...formulas.map(line => make("div", {}, pretty(line)))),
    ...findingsAt(event).map(findingCard),
    facts(event),
    ...updatesTable(event),
    make("div", { id: "flow" }, ...arraysOf(event)),
  ];
}

// Scrolls the chain so that a chip is in the middle.
function scrollChainTo(chip) {
  const chain = byId("chain");
  const left = chip.offsetLeft - chain.offsetLeft;
  chain.scrollTo({ left: left - (chain.clientWidth - chip.clientWidth) / 2 });
}

// The columns of the table of all numbers: what each shows of an event.
const COLUMNS = {
  layer: event => event.name,
  "": event => event.direction,
  output: event => event.output,
  parameters: event => event.parameters || "",
  MFLOP: event => millions(event.flops),
  MB: event => millions(event.bytes),
  ms: event => number(event.ms),
  "of peak": event => event.peak ? percent(event.peak) : "",
  mean: event => number(event.mean),
  spread: event => number(event.spread),
  zeros: event => event.zeros == null ? "" : percent(event.zeros),
  "|dout|": event => number(event.dout),
  "|dx|": event => number(event.dx),
  "|dW|": event => number(event.gradient),
  "|step| / |W|": event => number(event.ratio),
  check: event => event.entries ? number(event.error, 1) : "",
};

const millions = value => value ? number(value / 1e6) : "";

function drawTable() {
  const cells = Object.values(COLUMNS);
  const rows = events.map(event => tableRow("td", cells.map(cell => cell(event))));
  byId("table").append(tableRow("th", Object.keys(COLUMNS)), ...rows);
}

byId("title").textContent = trace.title;
byId("about").append(...trace.about.map(line => make("p", {}, line)));
drawHealth();
drawChain();
drawBars("ms");
drawTable();
show(0);
for (const button of measureButtons()) {
  button.addEventListener("click", () => drawBars(button.dataset.measure));
}
byId("previous").addEventListener("click", () => show(current - 1));
byId("next").addEventListener("click", () => show(current + 1));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => show(current));
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const last = events.length - 1;
  const targets = { ArrowRight: current + 1, ArrowLeft: current - 1, Home: 0, End: last };
  if (!(event.key in targets)) return;
  event.preventDefault();
  show(targets[event.key]);
});
