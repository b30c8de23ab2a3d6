// Elements without HTML in strings: nothing that comes from events is ever read as markup.

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";
const SIGNS = {
  trouble: [["path", { d: "M12 2.5 23 21.5H1z", fill: "currentColor" }], ["path", { d: "M12 9v6m0 2v1.6", stroke: "var(--sign, #fff)", "stroke-width": 2.4, "stroke-linecap": "round" }]],
  watch: [["circle", { cx: 12, cy: 12, r: 10, fill: "none", stroke: "currentColor", "stroke-width": 2.4 }], ["path", { d: "M12 6.5v7m0 2.6v1", stroke: "currentColor", "stroke-width": 2.6, "stroke-linecap": "round" }]],
  fine: [["path", { d: "m4 12.5 5.5 5.5L20 6.5", fill: "none", stroke: "currentColor", "stroke-width": 3, "stroke-linecap": "round", "stroke-linejoin": "round" }]],
  quiet: [["path", { d: "M5 12h14", stroke: "currentColor", "stroke-width": 3, "stroke-linecap": "round" }]],
  stale: [["circle", { cx: 12, cy: 12, r: 9.5, fill: "none", stroke: "currentColor", "stroke-width": 2.2 }], ["path", { d: "M12 6.5V12l3.6 2.4", fill: "none", stroke: "currentColor", "stroke-width": 2.4, "stroke-linecap": "round" }]],
};

export function sign(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  for (const [tag, attributes] of SIGNS[name] ?? []) {
    const part = document.createElementNS(SVG, tag);
    for (const [key, value] of Object.entries(attributes)) part.setAttribute(key, value);
    svg.append(part);
  }
  return svg;
}

// What has not changed is not touched: no repaint, nothing for a screen reader to say again.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function mark(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value === true ? "" : value);
}
