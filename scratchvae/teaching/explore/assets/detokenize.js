// Words as one would write them: scratchvae.text.detokenize, rule by rule.

const CLOSING = new Set(". , : ; ! ? ) ] } % ... '' ” ’ »".split(" "));
const OPENING = new Set("( [ { $ `` “ ‘ „ «".split(" "));
const ENDINGS = new Set("n't 's 'd 'll 're 've 'm".split(" "));
const PAIRS = new Set(["can not", "gon na", "wan na", "got ta", "gim me", "lem me", "more 'n", "d 'ye", "'t is", "'t was"]);
const CUT_IN_FRONT = new Set(("bout em fore gainst gan gins greed larum larums mongst neath sblood scape scaped sdeath tis twas tween " +
  "twere twill twixt twould un zounds").split(" "));
const CUT_AT_THE_END = new Set("a an gi ha i o t th wi".split(" "));
const QUOTES = {"``": "\"", "''": "\""};

// For each word what is written: with a blank before it, or not.
function pieces(words) {
  const quoted = {"'": false, "\"": false};
  let joined = true;
  return words.map((word, i) => {
    const before = words[i - 1] ?? "", after = words[i + 1] ?? "";
    let left = CLOSING.has(word) || ENDINGS.has(word) || PAIRS.has(`${before} ${word}`.toLowerCase()), right = OPENING.has(word);
    if (word === "--") left = right = true;
    else if (word === "'" && CUT_IN_FRONT.has(after.toLowerCase())) right = true;
    else if (word === "'" && !quoted["'"] && belongsBefore(before, after)) left = true;
    else if (word in quoted) {
      [left, right] = [quoted[word], !quoted[word]];
      quoted[word] = right;
    }
    const blank = left || joined ? "" : " ";
    joined = right;
    return blank + (QUOTES[word] ?? word);
  });
}

const detokenize = words => pieces(words).join("");

// Does an apostrophe between these, where no quotation is open, end the word before it: o' the, soldiers' arms?
function belongsBefore(before, after) {
  const first = after.slice(0, 1), upper = first !== first.toLowerCase();
  return !after || CLOSING.has(after) || CUT_AT_THE_END.has(before.toLowerCase()) || (before.endsWith("s") && !upper);
}
