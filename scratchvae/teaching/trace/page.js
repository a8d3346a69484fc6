// The chain of a training step's events, and the stage on which one of them is seen.

const trace = JSON.parse(document.getElementById("data").textContent);
const events = trace.events;
let current = 0;

function gallery(title, arrays, style = "") {
  if (!arrays.length) return [];
  return [make("div", {}, make("h3", {}, title), make("div", { class: `arrays ${style}` }, ...arrays.map(heatMap)))];
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
  ms: { of: event => event.ms, hint: "" },
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
      event.chip.lastElementChild.textContent = `${arrow} ${value > 0 ? number(value, 2) : ""}${name === "ms" ? " ms" : ""}`;
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
    const part = partOf(place), style = `grid-row: 1; grid-column: ${first + 2} / ${i + 3}; color: var(--${part})`;
    chain.append(make("div", { class: "part", style }, part));
    first = i + 1;
  });
  events.forEach((event, i) => {
    const row = event.direction === "forward" ? 2 : 3, column = event.direction === "update" ? 1 : places.indexOf(event.place) + 2;
    const style = `grid-row: ${row}; grid-column: ${column}`, title = `${event.name}, ${event.direction}`;
    const short = event.name.split("/").pop().replace(/:.*/, "").replace(/_(?!\d)/g, "_\u200b");   // may break after _, but not before a number
    const mark = findingsAt(event).length ? [make("em", { class: "ill", title: "unhealthy" })] : [];
    event.chip = make("button", { class: `chip ${event.direction}`, style, title }, make("b", {}, short), ...mark, make("i"), make("span"));
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
  if (event.output) list.push(["output", event.output.replaceAll("x", " \u00d7 ")],
    ["mean \u00b1 spread", `${number(event.mean, 2)} \u00b1 ${number(event.spread, 2)}`], ["zeros", percent(event.zeros)]);
  const norms = { dout: "|dout|, what comes", dx: "|dx|, what goes on", gradient: "|dW|, its gradient", weight: "|W|, parameters",
    change: "|step|", ratio: "|step| / |W|", clipnorm: "clipped to a norm of" };
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
    return [...gallery("goes in", named("input", "initial state")), ...gallery("parameters", rest, "below"), ...gallery("comes out", named("output"))];
  }
  if (event.direction === "backward" && named("dout").length) {
    const forward = events.find(other => other.direction === "forward" && other.place === event.place);
    const gradients = event.arrays.filter(array => !["dout", "dx"].includes(array.name));
    return [...gallery("comes back from the layer behind", named("dout")), ...gallery("gradients of its parameters", gradients, "below"),
      ...gallery("goes on to the layer before", named("dx")), ...gallery("kept from the forward pass", forward.arrays, "kept")];
  }
  return gallery(event.direction === "forward" ? "what it reads and makes" : "gradients", event.arrays);
}

const tableRow = (tag, cells) => make("tr", {}, ...cells.map(cell => make(tag, {}, String(cell ?? ""))));

function updatesTable(event) {
  if (!event.updates) return [];
  const table = make("table", {}, tableRow("th", ["layer", "|W|", "|step|", "|step| / |W|"]),
    ...event.updates.map(([place, ...sizes]) => tableRow("td", [place, ...sizes.map(size => number(size))])));
  return [make("div", { class: "scroll" }, table)];
}

function findingCard(finding) {
  const { place, direction, problem, rule } = finding;
  const card = make("button", { class: "finding" }, make("b", {}, place), `: ${problem}.`, make("small", {}, `rule: ${rule}`));
  card.addEventListener("click", () => show(events.findIndex(event => event.place === place && event.direction === direction)));
  return card;
}

function drawHealth() {
  const count = trace.findings.length;
  if (!count) {
    byId("health").append(make("p", { class: "well" },
      "Nothing unhealthy was found: no dead units, saturation, vanishing or exploding gradients, collapsed latent dimensions."));
    return;
  }
  const title = count === 1 ? "One thing is unhealthy" : `${count} things are unhealthy`;
  const details = make("details", {}, make("summary", {}, title), ...trace.findings.map(findingCard));
  details.open = count <= 2;
  byId("health").append(details);
}

const WORDS = { forward: "\u2192 forwards", backward: "\u2190 backwards", update: "the update" };

function show(i) {
  current = Math.max(0, Math.min(events.length - 1, i));
  const event = events[current], kind = event.activation === "linear" ? event.kind : `${event.kind}, ${event.activation}`;
  byId("stage").replaceChildren(
    make("p", { class: `direction ${event.direction}` }, `${WORDS[event.direction]}: ${kind}`), make("h2", {}, event.name),
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
  const millions = value => value ? number(value / 1e6) : "";
  const columns = {
    layer: event => event.name, "": event => event.direction, output: event => event.output, parameters: event => event.parameters || "",
    MFLOP: event => millions(event.flops), MB: event => millions(event.bytes), ms: event => number(event.ms),
    "of peak": event => event.peak ? percent(event.peak) : "", mean: event => number(event.mean), spread: event => number(event.spread),
    zeros: event => event.zeros == null ? "" : percent(event.zeros), "|dout|": event => number(event.dout), "|dx|": event => number(event.dx),
    "|dW|": event => number(event.gradient), "|step| / |W|": event => number(event.ratio),
    check: event => event.entries ? number(event.error, 1) : "",
  };
  byId("table").append(tableRow("th", Object.keys(columns)),
    ...events.map(event => tableRow("td", Object.values(columns).map(cell => cell(event)))));
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
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => show(current));
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const target = { ArrowRight: current + 1, ArrowLeft: current - 1, Home: 0, End: events.length - 1 }[event.key];
  if (target === undefined) return;
  event.preventDefault();
  show(target);
});
