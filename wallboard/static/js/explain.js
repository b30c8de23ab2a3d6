// The contacts behind a number, with the events that put them there.

import { h } from "./dom.js";
import { ask } from "./feed.js";
import { clock, count, decimal, duration, percent, precise, shown } from "./format.js";

const dialog = document.getElementById("explain");
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close(); // the backdrop
});

const AS = { ratio: (value) => percent(value, 1), ms: duration, points: decimal, count, number: decimal };
const HEAD = new Set(["at", "type", "leg"]);

function frame(title, lines, body) {
  const close = h("button", { class: "icon-button", type: "button", "aria-label": "Close", onclick: () => dialog.close() }, "✕");
  dialog.replaceChildren(h("div", { class: "explain-in" },
    h("div", { class: "explain-head" }, h("div", {}, h("h2", { id: "explain-title" }, title), lines.map((line) => h("p", {}, line))), close),
    h("div", { class: "explain-body", tabindex: "0", role: "region", "aria-label": "Contacts" }, body)));
}

function fields(event) {
  return Object.entries(event).filter(([name]) => !HEAD.has(name)).map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ");
}

function eventRow(event) {
  return h("li", {}, h("time", {}, precise(Date.parse(event.at))), h("span", {}, event.type.replaceAll("_", " ")), h("span", { class: "fields" }, fields(event)));
}

function counts(contact, unit) {
  if (contact.den === null) return unit === "ms" ? h("span", { class: "counts" }, duration(contact.num)) : h("span", { class: "counts" }, contact.note);
  if (unit === "ratio") {
    return h("span", { class: "counts" }, contact.note ? `${contact.note} ` : "", h("span", { class: contact.num ? "yes" : "no" }, contact.num ? "in the numerator" : "not in the numerator"));
  }
  return h("span", { class: "counts" }, unit === "ms" ? duration(contact.num) : count(contact.num));
}

function contactRow(contact, unit) {
  const id = contact.contact_id ?? [contact.agent, contact.quarter].filter(Boolean).join(", ");
  return h("details", {}, h("summary", {}, h("span", { class: "id" }, id), counts(contact, unit)), h("ul", { class: "events" }, contact.events.map(eventRow)));
}

export async function explain(kpi, queue, name, from, to) {
  frame("Looking up the contacts ...", [], "");
  if (!dialog.open) dialog.showModal();
  let answer;
  try {
    answer = await ask("/api/explain", { kpi, queue, ...(from === undefined ? {} : { from, to }) });
  } catch (error) {
    frame("No answer", [String(error.message)], "");
    return;
  }
  const value = shown(answer.value, AS[answer.unit] ?? String);
  const quotient = answer.unit === "ratio" || answer.unit === "points" ? ` = ${count(answer.num)} / ${count(answer.den)}` : "";
  const when = answer.window_start ? `${clock(Date.parse(answer.window_start))} to ${clock(Date.parse(answer.window_end))}` : `at ${clock(Date.parse(answer.as_of))}`;
  const more = answer.of > answer.contacts.length ? `; the first ${count(answer.contacts.length)} are listed` : "";
  const rows = answer.contacts.map((contact) => contactRow(contact, answer.unit));
  frame(`${answer.name}: ${value}${quotient}`, [`${name}, ${when}, from ${count(answer.of)} contacts${more}.`, answer.definition],
    rows.length ? rows : h("p", { class: "empty" }, "Nothing was counted there."));
}
