// What both kinds of page share: the header, the footer and the start.

const $ = id => document.getElementById(id);

// Fills in the texts about the run; `hint` says what one can do on this page.
function describeRun({lab, title, count, epochs, note}, hint) {
  const parameters = count.toLocaleString("en");
  const unit = epochs === 1 ? "epoch" : "epochs";
  $("lab").textContent = lab;
  $("note").textContent = note;
  $("about").textContent = `${title}. ${parameters} parameters, ${epochs} ${unit}. ${hint}`;
}

// Unpacks the page's data, builds the page from it, and marks the page as ready.
async function start(build) {
  const {content, arrays} = await unpack();
  build(content, arrays);
  document.documentElement.dataset.ready = "true";
  performance.mark("ready");
}
