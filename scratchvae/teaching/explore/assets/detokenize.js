// Words as a line of text: the rules of scratchvae.text.detokenize.

const CLOSING = new Set(". , : ; ! ? ) ] } % ... '' ” ’ »".split(" "));
const OPENING = new Set("( [ { $ `` “ ‘ „ «".split(" "));
const ENDINGS = new Set("n't 's 'd 'll 're 've 'm".split(" "));
const PAIRS = new Set([
  "can not", "gon na", "wan na", "got ta", "gim me", "lem me", "more 'n", "d 'ye", "'t is",
  "'t was",
]);
const CUT_IN_FRONT = new Set((
  "bout em fore gainst gan gins greed larum larums mongst neath sblood scape scaped sdeath tis " +
  "twas tween twere twill twixt twould un zounds"
).split(" "));
const CUT_AT_THE_END = new Set("a an gi ha i o t th wi".split(" "));
const QUOTES = new Map([["``", "\""], ["''", "\""]]);

// The text of each word, with a space before it where one belongs.
function pieces(words) {
  const quoted = new Map([["'", false], ["\"", false]]);
  let joined = true;
  return words.map((word, i) => {
    const before = words[i - 1] ?? "";
    const after = words[i + 1] ?? "";
    const [left, right] = joins(word, before, after, quoted);
    const space = left || joined ? "" : " ";
    joined = right;
    return space + (QUOTES.get(word) ?? word);
  });
}

const detokenize = words => pieces(words).join("");

// Whether a word is joined to the word on its left and to the word on its right.  `quoted` keeps
// which quotations are open.
function joins(word, before, after, quoted) {
  const pair = PAIRS.has(`${before} ${word}`.toLowerCase());
  const left = CLOSING.has(word) || ENDINGS.has(word) || pair;
  const right = OPENING.has(word);
  if (word === "--") return [true, true];
  if (word === "'" && CUT_IN_FRONT.has(after.toLowerCase())) return [left, true];
  if (word === "'" && !quoted.get("'") && belongsBefore(before, after)) return [true, right];
  if (quoted.has(word)) {
    const closes = quoted.get(word);
    quoted.set(word, !closes);
    return [closes, !closes];
  }
  return [left, right];
}

// Whether an apostrophe outside quotations ends the word before it: o' the, soldiers' arms.
function belongsBefore(before, after) {
  const first = after.slice(0, 1);
  const upper = first !== first.toLowerCase();
  if (!after || CLOSING.has(after) || CUT_AT_THE_END.has(before.toLowerCase())) return true;
  return before.endsWith("s") && !upper;
}
