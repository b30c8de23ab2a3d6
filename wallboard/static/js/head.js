// What stands above and below the tiles: the verdict, freshness, the house, alerts, sources.

import { h, mark, say, sign } from "./dom.js";
import { clock, count, day, percent, ratio, shown, spoken, weekday } from "./format.js";
import { AGENT, verdict } from "./words.js";

const at = (id) => document.getElementById(id);
const QUARTER_MS = 900_000;
const STATES = ["on_contact", "wrap_up", "available", "busy", "break", "training", "meeting"];

export function showVerdict(feed) {
  const element = at("verdict");
  const now = feed.said.now;
  let said = now ? verdict(now.queues) : { state: "wait", head: "Waiting for data", why: "" };
  if (now && feed.stale) {
    said = { state: "stale", head: `Data are ${spoken(feed.age("now"))} old`, why: feed.said.away ? "the database does not answer" : "the connection is lost" };
  } else if (!now && feed.said.away) {
    said = { state: "stale", head: "No data", why: "the database does not answer" };
  } else if (feed.said.day?.behind_ms) {
    said = { state: "stale", head: `Counting is ${spoken(feed.said.day.behind_ms)} behind`, why: "numbers are of then" };
  }
  document.documentElement.classList.toggle("stale", said.state === "stale");
  // Age moves every second; a screen reader is told when the state changes, not each second of it.
  mark(element, "aria-live", element.dataset.state === "stale" && said.state === "stale" ? "off" : "polite");
  mark(element, "data-state", said.state);
  const key = JSON.stringify(said);
  if (element.said === key) return;
  element.said = key;
  const parts = [sign(said.state === "wait" ? "quiet" : said.state), h("span", {}, said.head, said.why ? h("span", { class: "why" }, `: ${said.why}`) : "")];
  element.style.setProperty("--sign", said.state === "trouble" ? "var(--trouble-fill)" : "currentColor");
  element.replaceChildren(...parts);
}

export function showFreshness(feed) {
  const fresh = at("fresh");
  const state = !feed.said.now ? "wait" : feed.stale || feed.said.day?.behind_ms ? "stale" : "live";
  mark(fresh, "data-state", state);
  say(at("fresh-text"), { wait: "Connecting", live: "Live", stale: "Not live" }[state]);
  const moment = feed.moment;
  if (moment === null) return;
  say(at("clock"), clock(moment));
  mark(at("clock"), "datetime", new Date(moment).toISOString());
  say(at("clock-note"), feed.said.hello?.simulated ? "simulated" : day(moment));
}

function total(label, value, note) {
  return h("dl", {}, h("div", {}, h("dt", {}, label), h("dd", {}, value, note ? h("small", {}, ` ${note}`) : "")));
}

function usualByNow(said) {
  if (!said.slow || !said.day) return null;
  let sum = 0;
  for (const queue of said.now.queues) {
    const over = said.day.course[queue.queue]?.offered.length ?? 0;
    const usual = said.slow.usual[queue.queue]?.offered ?? [];
    const running = (usual[over] ?? 0) * ((said.now.as_of % QUARTER_MS) / QUARTER_MS);
    sum += usual.slice(0, over).reduce((all, value) => all + value, running);
  }
  return sum || null;
}

export function showHouse(said) {
  if (!said.now) return;
  const { live, day: sums } = said.now.total;
  const usual = usualByNow(said);
  const offered = sums.offered[0];
  const parts = [
    ["Waiting", count(live.waiting_now), ""],
    ["Service level", shown(ratio(sums.service_level), percent), "today"],
    ["Abandoned", shown(ratio(sums.abandonment_rate), (value) => percent(value, 1)), "today"],
    ["Offered", count(offered), usual ? `usual ${weekday(said.now.as_of)} ${count(Math.round(usual))}` : ""],
  ];
  const states = said.day?.agents.states ?? {};
  const key = JSON.stringify([parts, states]);
  const house = at("house");
  if (house.said === key) return;
  house.said = key;
  const list = STATES.filter((state) => states[state]).map((state) => h("li", { "data-state": state }, h("i"), h("b", {}, count(states[state])), AGENT[state]));
  const crew = list.length ? h("div", { class: "agents" }, h("h2", {}, "Agents"), h("ul", {}, list)) : "";
  house.replaceChildren(...parts.map((part) => total(...part)), crew);
}

export function showAlerts(said) {
  const section = at("alerts");
  const alerts = said.now?.alerts ?? [];
  section.hidden = !alerts.length;
  const key = JSON.stringify(alerts);
  if (section.said === key) return;
  section.said = key;
  section.replaceChildren(...alerts.map((alert) => {
    const firing = alert.resolved_ms === null;
    const when = firing ? `since ${clock(alert.since_ms)}` : `${clock(alert.since_ms)} to ${clock(alert.resolved_ms)}`;
    const words = [h("b", {}, firing ? "Firing" : "Resolved"), h("span", {}, [alert.name, alert.queue].filter(Boolean).join(", ")), h("span", {}, when)];
    return h("p", { class: firing ? "alert" : "alert over" }, words);
  }));
}

export function showSources(said, stale) {
  if (!said.day || !said.now) return;
  const foot = at("foot");
  const sources = said.day.sources.map((source) => [source.name, source.silent, stale ? "not known" : source.silent ? `silent for ${spoken(source.silent_ms)}` : "fresh"]);
  const alerts = said.now.alerts;
  const days = Math.max(0, ...Object.values(said.slow?.usual ?? {}).map((one) => one.days));
  const known = alerts === null ? "no alert rules run" : alerts.some((one) => one.resolved_ms === null) ? "" : "no alert fires";
  const key = JSON.stringify([sources, known, days, weekday(said.now.as_of)]);
  if (foot.said === key) return;
  foot.said = key;
  const items = sources.map(([name, silent, text]) => h("li", { class: silent ? "silent" : null }, h("span", { class: "dot", "aria-hidden": "true" }), `${name}: ${text}`));
  const legend = h("p", { class: "legend" },
    h("span", {}, h("i", { "aria-hidden": "true" }), "offered today"),
    days ? h("span", {}, h("i", { class: "usual", "aria-hidden": "true" }), `usual ${weekday(said.now.as_of)}, median of ${days}`) : "",
  );
  foot.replaceChildren(h("ul", { "aria-label": "Sources" }, items), h("span", {}, known), legend);
}
