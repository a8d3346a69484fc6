// Numbers in text.

// As one reads it: three digits, a real minus sign.
function number(v) {
  const text = v === 0 ? "0" : Math.abs(v) >= 0.01 && Math.abs(v) < 1e4 ? String(Number(v.toPrecision(3))) : v.toExponential(1);
  return text.replaceAll("-", "\u2212");
}

// (1, 2, 3, ...): the first three.
function vector(values) {
  const shown = [...values].slice(0, 3).map(number).join(", ");
  return `(${shown}${values.length > 3 ? ", \u2026" : ""})`;
}

function subscript(number) {
  return String(number).replace(/\d/g, digit => String.fromCharCode(0x2080 + Number(digit)));
}
