// Charts as SVG, drawn from numbers; the page has no library.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 360, LEFT = 34, RIGHT = 8, TOP = 8, BOTTOM = 20;

function add(parent, name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

function frame(target, height, low, high, first, last, unit) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`);
  svg.setAttribute("aria-hidden", "true");
  const x = (v) => LEFT + (WIDTH - LEFT - RIGHT) * (v - first) / Math.max(1, last - first);
  const y = (v) => TOP + (height - TOP - BOTTOM) * (high - v) / Math.max(1e-9, high - low);
  for (const tick of [low, (low + high) / 2, high]) {
    add(svg, "line", {x1: LEFT, x2: WIDTH - RIGHT, y1: y(tick), y2: y(tick), class: "axis"});
    add(svg, "text", {x: LEFT - 4, y: y(tick) + 4, "text-anchor": "end"}, short(tick));
  }
  add(svg, "text", {x: LEFT, y: height - 5}, String(first));
  add(svg, "text", {x: WIDTH - RIGHT, y: height - 5, "text-anchor": "end"}, `${last} ${unit}`);
  target.replaceChildren(svg);
  return {svg, x, y};
}

export function short(value) {
  return Math.abs(value) >= 10000 ? `${Math.round(value / 1000)}k` : String(Math.round(value));
}

/** Lines over 0..100 per cent: series are {points: [[x, y]], kind: "one" | "two"}. */
export function lines(target, series, first, last, unit, said) {
  const values = series.flatMap((s) => s.points.map((p) => p[1]));
  const low = values.length ? Math.max(0, 10 * Math.floor(Math.min(...values) / 10 - 0.5)) : 0;
  const {svg, x, y} = frame(target, 150, low, 100, first, last, unit);
  for (const {points, kind} of series) {
    if (points.length > 1) {
      add(svg, "polyline", {class: kind, points: points.map(([a, b]) => `${x(a)},${y(b)}`).join(" ")});
    }
    const end = points[points.length - 1];
    if (end && kind === "one") add(svg, "circle", {cx: x(end[0]), cy: y(end[1]), r: 3});
  }
  target.setAttribute("aria-label", said);
}

/** A bar for each number, from 1 to as many as there will be. */
export function bars(target, values, count, unit, said) {
  const high = Math.max(1, ...values);
  const {svg, x, y} = frame(target, 80, 0, high, 1, Math.max(count, 2), unit);
  const width = Math.max(1, 0.7 * (x(2) - x(1)));
  values.forEach((value, n) => {
    const left = Math.min(Math.max(LEFT, x(n + 1) - width / 2), WIDTH - RIGHT - width);
    add(svg, "rect", {x: left, y: y(value), width, height: y(0) - y(value)});
  });
  target.setAttribute("aria-label", said);
}
