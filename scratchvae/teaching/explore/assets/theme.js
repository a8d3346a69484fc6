// The colours of the style sheet, for what is painted on canvases: they differ in light and dark.

const theme = {};

function readTheme() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["ink", "paper", "cold", "hot", "text", "faint", "line", "accent", "gradient", "card"])
    theme[name] = style.getPropertyValue(`--${name}`).trim();
  theme.classes = Array.from({length: 10}, (_, i) => style.getPropertyValue(`--class-${i}`).trim());
  for (const name of ["ink", "paper", "cold", "hot"])
    theme[`${name}RGB`] = [1, 3, 5].map(i => parseInt(theme[name].slice(i, i + 2), 16));
}

function onThemeChange(repaint) {
  readTheme();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    readTheme();
    repaint();
  });
}
