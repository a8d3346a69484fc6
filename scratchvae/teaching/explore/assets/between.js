// The page of a run about lines of text: two lines, what the model makes of the way between their codes, and of any z beside it.

const STOPS = 9;                // lines of the ladder, both ends included
const RANGE = 3;                // of the sliders: the prior's three standard deviations
const REST = 150;               // milliseconds without a key after which a typed line is encoded
const $ = id => document.getElementById(id);

class Between {
  constructor(told) {
    this.told = told;
    this.model = new TextVAE(told);
    this.words = new Map(told.lines.map((line, i) => [line, told.tokens[i]]));
    this.ends = ["first", "second"].map(id => ({input: $(id), unknown: $(id).parentElement.querySelector(".unknown")}));
    $("lab").textContent = told.lab;
    $("note").textContent = told.note;
    $("about").textContent = `${told.title}. ${told.count.toLocaleString("en")} parameters, ${told.epochs} epoch${told.epochs === 1 ? "" : "s"}. ` +
      "Type two lines, or pick them, and slide from one to the other.";
    $("writes").textContent = told.writes;
    $("dimensions").textContent = told.latent_dim;
    for (const line of told.lines) $("lines").append(new Option(line));
    this.makeLadder();
    this.z = Array(told.latent_dim).fill(0);
    this.sliders = new Sliders($("sliders"), {low: Array(told.latent_dim).fill(-RANGE), high: Array(told.latent_dim).fill(RANGE)},
      (j, v) => this.setZ(this.z.map((old, i) => (i === j ? v : old))));
    this.ends.forEach((end, i) => this.listen(end, $(["other-first", "other-second"][i])));
    $("way").addEventListener("input", () => this.slide(Number($("way").value)));
    this.ends.forEach((end, i) => { end.input.value = told.lines[Math.min(i, told.lines.length - 1)]; this.read(end); });
    this.slide(0);
  }

  listen(end, other) {
    end.input.addEventListener("input", () => {
      clearTimeout(end.waiting);
      end.waiting = setTimeout(() => { if (this.read(end)) this.slide(Number($("way").value)); }, REST);
    });
    other.addEventListener("click", () => {
      end.input.value = this.told.lines[Math.floor(Math.random() * this.told.lines.length)];
      this.read(end);
      this.slide(Number($("way").value));
    });
  }

  // Encodes what stands in an end's field; false if there is nothing in it that the model knows.
  read(end) {
    const words = this.words.get(end.input.value) ?? tokenize(end.input.value);
    const strange = words.filter(word => !this.model.indices.has(word));
    end.unknown.textContent = !words.length ? "write a line" : strange.length === words.length ? "the model knows none of these words" :
      strange.length ? `the model doesn\u2019t know ${strange.map(word => `\u201c${word}\u201d`).join(", ")}` : "";
    if (strange.length === words.length) return false;
    end.z = this.model.encode(this.model.example(words));
    this.writeLadder();
    return true;
  }

  makeLadder() {
    this.rungs = Array.from({length: STOPS}, (_, i) => {
      const item = document.createElement("li"), button = document.createElement("button");
      button.addEventListener("click", () => { $("way").value = i / (STOPS - 1); this.slide(i / (STOPS - 1)); });
      item.append(button);
      $("ladder").append(item);
      return button;
    });
  }

  // The rungs are written one after the other, so that the page stays awake; a change of the ends begins anew.
  writeLadder() {
    const turn = this.turn = {};
    const write = i => {
      if (turn !== this.turn || i === STOPS || !this.ends.every(end => end.z)) return;
      this.rungs[i].textContent = detokenize(this.model.decode(this.at(i / (STOPS - 1))).map(({word}) => word)) || "(an empty line)";
      setTimeout(write, 0, i + 1);
    };
    setTimeout(write, 0, 0);
  }

  at(t) {
    const [a, b] = this.ends.map(end => end.z);
    return a.map((v, j) => (1 - t) * v + t * b[j]);
  }

  slide(t) {
    if (!this.ends.every(end => end.z)) return;             // not before both lines have words that the model knows
    this.rungs.forEach((rung, i) => rung.setAttribute("aria-current", String(Math.round(t * (STOPS - 1)) === i)));
    this.setZ(this.at(t));
  }

  setZ(z) {
    this.z = z;
    this.sliders.show(z);
    const written = this.model.decode(z), texts = pieces(written.map(({word}) => word));
    $("line").replaceChildren(...texts.map((text, i) => {
      const span = document.createElement("span");
      span.textContent = text;
      span.style.opacity = 0.45 + 0.55 * Math.sqrt(written[i].probability);
      span.title = `${Math.round(100 * written[i].probability)} %`;
      return span;
    }));
    if (!written.length) $("line").textContent = "(an empty line)";
  }
}

let between;
unpack().then(({told}) => {
  between = new Between(told);
  document.documentElement.dataset.ready = "true";
  performance.mark("ready");
});
