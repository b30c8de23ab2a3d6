// The wall: a tile per queue. Tiles are made once and filled again every second.

import { course, halves } from "./charts.js";
import { h, mark, say, sign } from "./dom.js";
import { NONE, count, decimal, duration, percent, ratio, shown, spoken } from "./format.js";
import { STATE, because } from "./words.js";

const COLUMNS = { 1: 1, 2: 2, 3: 3, 4: 2, 5: 3, 6: 3, 7: 4, 8: 4, 9: 3 };
const columns = (tiles) => COLUMNS[tiles] ?? (tiles <= 12 ? 4 : 5);
export const queueLink = (queue) => `/queue?${new URLSearchParams({ queue })}`;

function pair(name, label, kind) {
  const value = h("dd", {}, NONE);
  const term = h("dt", {}, label);
  return { name, value, term, element: h("div", { class: kind }, term, value) };
}

function makeTile(queue) {
  const link = h("a", { href: queueLink(queue.queue) });
  const badge = h("p", { class: "badge" });
  const heroes = [pair("waiting", "Waiting now"), pair("longest", "Longest wait"), pair("level", "Service level", "level")];
  const aim = h("span");
  const today = h("span");
  const fill = h("i");
  const tick = h("b");
  const bar = h("div", { class: "bar", "aria-hidden": "true" }, fill, tick);
  const small = [pair("lost", "Abandoned"), pair("asa", "ASA"), pair("aht", "AHT"), pair("fcr", "FCR", "minor"), pair("csat", "CSAT", "minor")];
  const crew = h("p", { class: "crew" });
  const plot = h("div", { class: "plot", "aria-hidden": "true" });
  const caption = h("figcaption", { class: "hidden" });
  const inside = h("div", { class: "tile-in" },
    h("div", { class: "tile-head" }, h("h2", {}, link), badge),
    h("dl", { class: "heroes" }, heroes.map((one) => one.element)),
    h("div", {}, bar, h("p", { class: "aim" }, today, aim)),
    h("figure", { class: "spark" }, caption, plot),
    h("dl", { class: "small" }, small.map((one) => one.element)),
    crew,
  );
  const by = Object.fromEntries([...heroes, ...small].map((one) => [one.name, one]));
  return { element: h("article", { class: "tile" }, inside), link, badge, by, aim, today, bar, crew, plot, caption };
}

function fillSmall(by, queue, quality) {
  const { day, targets } = queue;
  const lost = ratio(day.abandonment_rate);
  const asa = ratio(day.asa);
  const aht = ratio(day.aht);
  put(by.lost, shown(lost, (value) => percent(value, value < 0.0995 ? 1 : 0)), lost > targets.abandonment_rate, true);
  put(by.asa, shown(asa, duration), asa > targets.asa_s * 1000, true);
  put(by.aht, shown(aht, duration), aht > targets.aht_s * 1000, true);
  const fcr = quality?.fcr_gross?.den ? quality.fcr_gross : quality?.fcr_gross_provisional;
  const rate = fcr ? ratio([fcr.num, fcr.den]) : null;
  put(by.fcr, shown(rate, percent), rate !== null && rate < targets.fcr, false, fcr && !fcr.final ? "prov." : "");
  const csat = quality?.csat?.den ? quality.csat.num / quality.csat.den : null;
  put(by.csat, shown(csat, decimal), csat !== null && csat < targets.csat, false);
}

function put(part, text, off, high, note = "") {
  if (note && text !== NONE) {
    const key = `${text} ${note}`;
    if (part.key !== key) part.value.replaceChildren(text, h("sup", {}, note));
    part.key = key;
  } else {
    part.key = undefined;
    say(part.value, text);
  }
  part.value.classList.toggle("none", text === NONE);
  part.element.classList.toggle("off", Boolean(off));
  part.element.classList.toggle("high", Boolean(high));
}

export function levelOf(queue) {
  return ratio([queue.live.live_in_target, queue.live.live_n]);
}

function fillTile(tile, queue, quality) {
  const { live, day, targets } = queue;
  say(tile.link, queue.name);
  mark(tile.element, "data-state", queue.state);
  if (tile.state !== queue.state) tile.badge.replaceChildren(sign(queue.state), STATE[queue.state]);
  tile.state = queue.state;
  mark(tile.badge, "title", queue.reasons.map(because).join("; ") || null);
  put(tile.by.waiting, count(live.waiting_now));
  put(tile.by.longest, live.waiting_now ? duration(live.oldest_ms) : NONE);
  tile.by.longest.element.classList.toggle("long", live.oldest_ms >= 600_000);
  const level = levelOf(queue);
  put(tile.by.level, shown(level, percent));
  tile.bar.style.setProperty("--at", `${(level ?? 0) * 100}%`);
  const judged = queue.reasons.some((reason) => reason.code === "service_level");
  mark(tile.bar, "data-below", judged ? "surely" : level !== null && level < targets.service_level ? "perhaps" : null);
  tile.bar.style.setProperty("--target", `${(targets.service_level ?? 2) * 100}%`);
  const today = ratio(day.service_level);
  say(tile.today, `last 30 min; today ${shown(today, percent)}`);
  say(tile.aim, targets.service_level === undefined ? "" : `target ${percent(targets.service_level)} in ${spoken(queue.threshold_ms)}`);
  fillSmall(tile.by, queue, quality);
  const wraps = live.acw_now ? `, ${count(live.acw_now)} wrapping up` : "";
  say(tile.crew, `${count(live.active_now)} on contact${wraps}; ${count(day.offered[0])} offered today`);
}

export class Tiles {
  constructor(main) {
    this.element = h("div", { class: "tiles" });
    this.tiles = new Map();
    this.order = "";
    main.replaceChildren(this.element);
    this.resized = new ResizeObserver(() => this.draw());
    this.resized.observe(this.element);
  }

  leave() {
    this.resized.disconnect();
  }

  fill(said) {
    this.said = said;
    if (!said.now) return;
    const queues = said.now.queues;
    const order = JSON.stringify(queues.map((queue) => queue.queue));
    for (const queue of queues) {
      if (!this.tiles.has(queue.queue)) this.tiles.set(queue.queue, makeTile(queue));
      fillTile(this.tiles.get(queue.queue), queue, said.slow?.quality[queue.queue]);
    }
    if (order !== this.order) {
      this.order = order;
      this.element.style.setProperty("--columns", columns(queues.length));
      this.element.replaceChildren(...queues.map((queue) => this.tiles.get(queue.queue).element));
      this.draw();
    }
  }

  // The charts move by the half-hour; they are drawn when the day is read, not every second.
  draw() {
    if (!this.said?.now || !this.said.day) return;
    for (const queue of this.said.now.queues) {
      const tile = this.tiles.get(queue.queue);
      const today = halves(this.said.day.course[queue.queue]?.offered ?? []);
      const usual = halves(this.said.slow?.usual[queue.queue]?.offered ?? []);
      if (tile.plot.clientHeight > 8) course(tile.plot, today, usual, true);
      const so = today.reduce((sum, value) => sum + value, 0);
      const before = usual.slice(0, today.length).reduce((sum, value) => sum + value, 0);
      say(tile.caption, `${count(so)} offered so far; usual by now ${usual.length ? count(Math.round(before)) : "unknown"}`);
    }
  }
}
