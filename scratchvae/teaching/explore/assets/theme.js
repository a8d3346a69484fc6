// The colours of the style sheet, for painting on canvases.  They differ between light and dark.

const theme = {};

function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const colour = name => style.getPropertyValue(`--${name}`).trim();
  const names = ["text", "faint", "line", "accent", "gradient", "card"];
  for (const name of names) theme[name] = colour(name);
  for (const name of ["ink", "paper", "cold", "hot"]) theme[`${name}RGB`] = toRGB(colour(name));
  theme.classes = Array.from({length: 10}, (_, i) => colour(`class-${i}`));
}

// "#1b5fa8" -> [27, 95, 168].
function toRGB(hex) {
  return [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16));
}

function onThemeChange(repaint) {
  readTheme();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    readTheme();
    repaint();
  });
}
