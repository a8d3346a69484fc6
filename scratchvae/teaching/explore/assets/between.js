// The page of a text run: two lines, the lines that the model decodes on the way between their
// codes, and a slider for each dimension of z.

const STOPS = 9;                // lines of the ladder, both ends included
const RANGE = 3;                // of the sliders: three standard deviations of the prior
const REST = 150;               // milliseconds without a key before a typed line is encoded

class Between {
  constructor(content) {
    this.content = content;
    this.model = new TextVAE(content);
    this.words = new Map(content.lines.map((line, i) => [line, content.tokens[i]]));
    this.z = Array(content.latent_dim).fill(0);
    describeRun(content, "Type two lines or choose them, and slide from one to the other.");
    $("writes").textContent = content.writes;
    $("dimensions").textContent = content.latent_dim;
    for (const line of content.lines) $("lines").append(new Option(line));
    this.ends = ["first", "second"].map(id => this.makeEnd(id));
    this.rungs = Array.from({length: STOPS}, (_, i) => this.makeRung(i));
    this.sliders = this.makeSliders();
    $("way").addEventListener("input", () => this.slideToPosition());
    this.ends.forEach((end, i) => {
      end.input.value = content.lines[Math.min(i, content.lines.length - 1)];
      this.read(end);
    });
    this.slide(0);
  }

  // One of the two lines: its field, and the place of messages about it.
  makeEnd(id) {
    const input = $(id);
    const end = {input, unknown: input.parentElement.querySelector(".unknown")};
    input.addEventListener("input", () => {
      clearTimeout(end.waiting);
      end.waiting = setTimeout(() => {
        if (this.read(end)) this.slideToPosition();
      }, REST);
    });
    $(`other-${id}`).addEventListener("click", () => {
      const {lines} = this.content;
      input.value = lines[Math.floor(Math.random() * lines.length)];
      this.read(end);
      this.slideToPosition();
    });
    return end;
  }

  makeRung(i) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.addEventListener("click", () => {
      $("way").value = i / (STOPS - 1);
      this.slide(i / (STOPS - 1));
    });
    item.append(button);
    $("ladder").append(item);
    return button;
  }

  makeSliders() {
    const dimensions = this.content.latent_dim;
    const range = {low: Array(dimensions).fill(-RANGE), high: Array(dimensions).fill(RANGE)};
    const onSlide = (j, value) => this.setZ(this.z.map((old, i) => (i === j ? value : old)));
    return new Sliders($("sliders"), range, onSlide);
  }

  // Encodes the line in an end's field.  Returns false if the model knows none of its words.
  read(end) {
    const words = this.words.get(end.input.value) ?? tokenize(end.input.value);
    const unknown = words.filter(word => !this.model.indices.has(word));
    end.unknown.textContent = unknownWords(words, unknown);
    if (unknown.length === words.length) return false;
    end.z = this.model.encode(this.model.example(words));
    this.writeLadder();
    return true;
  }

  // Writes one rung after the other, so that the page stays responsive.  When an end changes, a
  // new turn begins and the old one stops.
  writeLadder() {
    const turn = {};
    this.turn = turn;
    const write = i => {
      if (turn !== this.turn || i === STOPS || !this.isComplete()) return;
      const words = this.model.decode(this.at(i / (STOPS - 1))).map(({word}) => word);
      this.rungs[i].textContent = detokenize(words) || "(an empty line)";
      setTimeout(write, 0, i + 1);
    };
    setTimeout(write, 0, 0);
  }

  // Whether both lines have a code.
  isComplete() {
    return this.ends.every(end => end.z);
  }

  // The point at a share t of the way from the first line's code to the second's.
  at(t) {
    const [a, b] = this.ends.map(end => end.z);
    return a.map((v, j) => (1 - t) * v + t * b[j]);
  }

  slideToPosition() {
    this.slide(Number($("way").value));
  }

  slide(t) {
    if (!this.isComplete()) return;
    this.rungs.forEach((rung, i) => {
      rung.setAttribute("aria-current", String(Math.round(t * (STOPS - 1)) === i));
    });
    this.setZ(this.at(t));
  }

  setZ(z) {
    this.z = z;
    this.sliders.show(z);
    const written = this.model.decode(z);
    const texts = pieces(written.map(({word}) => word));
    $("line").replaceChildren(...texts.map((text, i) => makeWord(text, written[i].probability)));
    if (!written.length) $("line").textContent = "(an empty line)";
  }
}

// The message about words that the model does not know.
function unknownWords(words, unknown) {
  if (!words.length) return "write a line";
  if (unknown.length === words.length) return "the model knows none of these words";
  if (!unknown.length) return "";
  const list = unknown.map(word => `\u201c${word}\u201d`).join(", ");
  return `the model doesn\u2019t know ${list}`;
}

// A word, which is fainter if it was less probable.
function makeWord(text, probability) {
  const span = document.createElement("span");
  span.textContent = text;
  span.style.opacity = 0.45 + 0.55 * Math.sqrt(probability);
  span.title = `${Math.round(100 * probability)} %`;
  return span;
}

let between;
start(content => {
  between = new Between(content);
});
