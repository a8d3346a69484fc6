// Numbers within bounds, and as text.

function clamp(v, low, high) {
  return Math.min(Math.max(v, low), high);
}

// A number with three digits and a real minus sign.
function number(v) {
  const size = Math.abs(v);
  const plain = v === 0 || (size >= 0.01 && size < 1e4);
  const text = plain ? String(Number(v.toPrecision(3))) : v.toExponential(1);
  return text.replaceAll("-", "\u2212");
}

// The first three numbers of a vector: (1, 2, 3, ...).
function vector(values) {
  const shown = [...values].slice(0, 3).map(number).join(", ");
  return `(${shown}${values.length > 3 ? ", \u2026" : ""})`;
}

function subscript(number) {
  return String(number).replace(/\d/g, digit => String.fromCharCode(0x2080 + Number(digit)));
}
