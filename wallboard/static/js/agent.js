// An agent's day: state, and the contacts handled.

import { h } from "./dom.js";
import { ask } from "./feed.js";
import { NONE, clock, count, duration, shown, spoken } from "./format.js";
import { AGENT } from "./words.js";

const EVERY_MS = 10_000;

function number(label, value, note) {
  return h("div", { class: "number" }, h("span", { class: "label" }, label), h("span", { class: "value" }, value), h("span", { class: "note" }, note));
}

function legRow(leg) {
  const told = leg.ended_ms === null ? "now" : leg.transferred_out ? "transferred" : "ended";
  return h("tr", {},
    h("th", { scope: "row" }, clock(leg.entered_ms)), h("td", {}, leg.contact_id), h("td", {}, leg.queue || leg.channel),
    ...["queue_ms", "talk_ms", "hold_ms", "acw_ms"].map((name) => h("td", {}, shown(leg[name], duration))),
    h("td", {}, told));
}

export class AgentView {
  constructor(main, feed, agent) {
    this.feed = feed;
    this.agent = agent;
    this.body = h("div", { class: "view" });
    this.numbers = h("div", { class: "numbers" });
    this.table = h("div", { class: "scroll" });
    main.replaceChildren(this.body);
    this.body.replaceChildren(
      h("div", { class: "crumb" }, h("a", { class: "back", href: "/" }, "← All queues"), h("h2", {}, agent)),
      this.numbers,
      h("section", { class: "panel" }, h("h3", {}, "Contacts today"), this.table),
    );
    this.load();
    this.timer = setInterval(() => this.load(), EVERY_MS);
  }

  leave() {
    clearInterval(this.timer);
  }

  fill() {}

  draw() {}

  async load() {
    let answer;
    try {
      answer = await ask("/api/agent", { agent: this.agent });
    } catch (error) {
      this.table.replaceChildren(h("p", { class: "empty" }, String(error.message)));
      return;
    }
    const known = answer.legs.filter((leg) => leg.handle_ms !== null);
    const handled = known.reduce((sum, leg) => sum + leg.handle_ms, 0);
    this.numbers.replaceChildren(
      number("Now", AGENT[answer.state] ?? "unknown", answer.since_ms ? `state told ${spoken(answer.as_of - answer.since_ms)} ago` : ""),
      number("Team", answer.team || NONE, ""),
      number("Handled today", count(known.length), ""),
      number("AHT today", known.length ? duration(handled / known.length) : NONE, ""),
    );
    const head = h("tr", {}, ["From", "Contact", "Queue", "Waited", "Talk", "Hold", "Wrap-up", "Then"].map((text) => h("th", { scope: "col" }, text)));
    this.table.replaceChildren(answer.legs.length
      ? h("table", {}, h("thead", {}, head), h("tbody", {}, answer.legs.map(legRow)))
      : h("p", { class: "empty" }, "No contact today."));
  }
}
