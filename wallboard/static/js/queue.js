// A queue from near: its day, its agents, and the contacts behind each number.

import { course, halves, level } from "./charts.js";
import { h, mark, say, sign } from "./dom.js";
import { explain } from "./explain.js";
import { ask } from "./feed.js";
import { NONE, count, decimal, duration, percent, ratio, shown, slot, spoken, weekday } from "./format.js";
import { levelOf } from "./tiles.js";
import { AGENT, STATE, because } from "./words.js";

const QUARTER_MS = 900_000;
const HALF_HOUR_MS = 2 * QUARTER_MS;
const ROWS = 12;
const AGENTS_EVERY_MS = 10_000;
const agentLink = (agent) => `/agent?${new URLSearchParams({ agent })}`;

export class QueueView {
  constructor(main, feed, queue) {
    this.feed = feed;
    this.queue = queue;
    this.name = h("h2", {}, queue);
    this.badge = h("p", { class: "badge" });
    this.reasons = h("p", { class: "reasons" });
    this.numbers = h("div", { class: "numbers" });
    this.offered = h("div", { class: "plot", "aria-hidden": "true" });
    this.level = h("div", { class: "plot", "aria-hidden": "true" });
    this.offeredTitle = h("h3", {}, "Offered by half-hour");
    this.levelTitle = h("h3", {}, "Service level by half-hour");
    this.table = h("div", { class: "scroll" });
    this.agents = h("div", { class: "scroll" });
    main.replaceChildren(h("div", { class: "view" },
      h("div", { class: "crumb" }, h("a", { class: "back", href: "/" }, "← All queues"), this.name, this.badge, this.reasons),
      this.numbers,
      h("div", { class: "panels" },
        h("section", { class: "panel" }, this.offeredTitle, h("div", { class: "chart" }, this.offered)),
        h("section", { class: "panel" }, this.levelTitle, h("div", { class: "chart" }, this.level)),
        h("section", { class: "panel" }, h("h3", {}, "The last hours ", h("small", {}, "a number opens its contacts")), this.table),
        h("section", { class: "panel" }, h("h3", {}, "Agents today"), this.agents),
      ),
    ));
    this.resized = new ResizeObserver(() => this.draw());
    this.resized.observe(this.offered);
    this.loadAgents();
    this.timer = setInterval(() => this.loadAgents(), AGENTS_EVERY_MS);
  }

  leave() {
    clearInterval(this.timer);
    this.resized.disconnect();
  }

  get document() {
    return this.feed.said.now?.queues.find((one) => one.queue === this.queue);
  }

  fill(said) {
    const queue = this.document;
    if (!queue) return;
    say(this.name, queue.name);
    mark(this.badge, "data-state", queue.state);
    if (this.state !== queue.state) this.badge.replaceChildren(sign(queue.state), STATE[queue.state]);
    this.state = queue.state;
    say(this.reasons, queue.reasons.map(because).join("; "));
    this.fillNumbers(queue, said.slow?.quality[this.queue] ?? {});
  }

  // Buttons stay the same elements, so that one keeps the focus while its number moves.
  fillNumbers(queue, quality) {
    const { live, day, targets } = queue;
    const today = (kpi) => () => this.explainDay(kpi);
    const over = (one, kpi) => one && (() => explain(kpi, this.queue, queue.name, one.from, one.to));
    const fcr = quality.fcr_gross?.den ? ["fcr_gross", quality.fcr_gross, "final"] : ["fcr_gross_provisional", quality.fcr_gross_provisional, "provisional"];
    const hello = this.feed.said.hello ?? {};
    const rows = [
      ["Waiting now", count(live.waiting_now), "contacts", () => explain("waiting_now", this.queue, queue.name)],
      ["Longest wait now", live.waiting_now ? duration(live.oldest_ms) : NONE, "which contact", live.waiting_now ? () => explain("longest_wait_now", this.queue, queue.name) : null],
      ["Service level, 30 min", shown(levelOf(queue), percent), `target ${shown(targets.service_level, percent)} in ${spoken(queue.threshold_ms)}`, null],
      ["Service level today", shown(ratio(day.service_level), percent), day.service_level.map(count).join(" of "), today("service_level")],
      ["Abandoned today", shown(ratio(day.abandonment_rate), (value) => percent(value, 1)), day.abandonment_rate.map(count).join(" of "), today("abandonment_rate")],
      ["ASA today", shown(ratio(day.asa), duration), `${count(day.asa[1])} answered`, today("asa")],
      ["AHT today", shown(ratio(day.aht), duration), `${count(day.aht[1])} handled`, today("aht")],
      ["FCR", shown(fcr[1]?.den ? fcr[1].num / fcr[1].den : null, percent), `${hello.fcr_days} days, ${fcr[2]}`, null],
      ["CSAT", shown(quality.csat?.den ? quality.csat.num / quality.csat.den : null, decimal), `${hello.csat_days} days, ${count(quality.csat?.n ?? 0)} answers`, null],
    ];
    if (this.numbers.children.length !== rows.length) {
      this.numbers.replaceChildren(...rows.map(() => h("div", { class: "number" })));
    }
    rows.forEach(([label, value, note, act], index) => this.fillNumber(index, label, value, note, act));
  }

  fillNumber(index, label, value, note, act) {
    let element = this.numbers.children[index];
    const tag = act ? "BUTTON" : "DIV";
    if (element.tagName !== tag || !element.children.length) {
      const made = h(tag.toLowerCase(), { class: "number", type: act ? "button" : null, onclick: act ? () => made.act() : null },
        h("span", { class: "label" }), h("span", { class: "value" }), h("span", { class: "note" }));
      element.replaceWith(made);
      element = made;
    }
    element.act = act;
    [label, value, note].forEach((text, place) => say(element.children[place], text));
  }

  explainDay(kpi) {
    const now = this.feed.said.now.as_of;
    explain(kpi, this.queue, this.document.name, this.document.day_ms, now);
  }

  draw() {
    const { day, slow, now } = this.feed.said;
    if (!day || !now) return;
    const found = day.course[this.queue];
    const today = halves(found?.offered ?? []);
    const usual = slow?.usual[this.queue];
    const target = this.document?.targets.service_level;
    const hit = halves(found?.answered_in_target ?? []);
    const levels = halves(found?.service_level_n ?? []).map((n, index) => (n ? hit[index] / n : null));
    course(this.offered, today, halves(usual?.offered ?? []), false);
    level(this.level, levels, target);
    const before = halves(usual?.offered ?? []).slice(0, today.length).reduce((sum, value) => sum + value, 0);
    const words = usual?.days ? `, ${count(today.reduce((a, b) => a + b, 0))} so far; a usual ${weekday(now.as_of)} ${count(Math.round(before))}` : "";
    this.offeredTitle.replaceChildren("Offered by half-hour", h("small", {}, words));
    this.levelTitle.replaceChildren("Service level by half-hour", h("small", {}, target === undefined ? "" : `, target ${percent(target)}`));
    this.fillTable(found, today.length, day);
  }

  fillTable(found, halvesDone, day) {
    const key = JSON.stringify([found, halvesDone]);
    if (this.tabled === key) return;
    this.tabled = key;
    const name = this.document?.name ?? this.queue;
    // Local half-hours, whose begins need not be those of UTC: counted back from the quarter that runs.
    const running = Math.floor(day.as_of / QUARTER_MS) * QUARTER_MS;
    const rows = [];
    for (let half = halvesDone - 1; half >= Math.max(0, halvesDone - ROWS); half -= 1) {
      const of = (measure) => found[measure][2 * half] + found[measure][2 * half + 1];
      if (!of("offered")) continue;
      const begin = running - (found.offered.length - 2 * half) * QUARTER_MS;
      const open = (kpi, text, below) => h("td", {}, h("button", { class: below ? "cell below" : "cell", type: "button", onclick: () => explain(kpi, this.queue, name, begin, begin + HALF_HOUR_MS) }, text));
      const rate = of("service_level_n") ? of("answered_in_target") / of("service_level_n") : null;
      const target = this.document?.targets.service_level;
      rows.push(h("tr", {}, h("th", { scope: "row" }, slot(2 * half)), open("offered", count(of("offered"))), open("abandoned", count(of("abandoned"))), open("service_level", shown(rate, percent), rate !== null && rate < target)));
    }
    const head = h("tr", {}, ["From", "Offered", "Abandoned", "Service level"].map((text) => h("th", { scope: "col" }, text)));
    this.table.replaceChildren(rows.length ? h("table", {}, h("thead", {}, head), h("tbody", {}, rows)) : h("p", { class: "empty" }, "No half-hour is over yet."));
  }

  async loadAgents() {
    let answer;
    try {
      answer = await ask("/api/queue", { queue: this.queue });
    } catch (error) {
      this.agents.replaceChildren(h("p", { class: "empty" }, String(error.message)));
      return;
    }
    const key = JSON.stringify(answer.agents);
    if (this.listed === key) return;
    this.listed = key;
    const rows = answer.agents.map((one) => h("tr", {},
      h("th", { scope: "row" }, h("a", { href: agentLink(one.agent) }, one.agent)),
      h("td", {}, AGENT[one.state] ?? NONE),
      h("td", {}, count(one.legs_n)),
      h("td", {}, one.handle_n ? duration(one.handled_ms / one.handle_n) : NONE)));
    const head = h("tr", {}, ["Agent", "Now", "Handled", "AHT"].map((text) => h("th", { scope: "col" }, text)));
    this.agents.replaceChildren(rows.length ? h("table", {}, h("thead", {}, head), h("tbody", {}, rows)) : h("p", { class: "empty" }, "Nobody has handled a contact of this queue today."));
  }
}
