// What the wall says in words.

import { percent, spoken } from "./format.js";

export const STATE = { trouble: "Trouble", watch: "Watch", fine: "OK", quiet: "Quiet" };
export const AGENT = {
  on_contact: "on contact",
  wrap_up: "wrapping up",
  available: "available",
  busy: "busy",
  break: "on break",
  training: "in training",
  meeting: "in a meeting",
  offline: "offline",
};

const REASON = {
  alert: (reason) => `alert ${reason.text}`,
  service_level: (reason) => `${percent(reason.value)} answered in time, wanted ${percent(reason.target)}`,
  longest_wait: (reason) => `somebody has waited ${spoken(reason.value * 1000)}`,
  abandonment_rate: (reason) => `${percent(reason.value)} abandoned today, at most ${percent(reason.target)} wanted`,
};

export const because = (reason) => REASON[reason.code](reason);

const joined = (names) => (names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`);

// The first line of the page: which queue is in trouble, and why.
export function verdict(queues) {
  const of = (state) => queues.filter((queue) => queue.state === state);
  const trouble = of("trouble");
  const watch = of("watch");
  const worst = trouble.length ? trouble : watch;
  if (!worst.length) return { state: "fine", head: queues.length ? "All queues are in order" : "No contacts yet today", why: "" };
  const names = joined(worst.map((queue) => queue.name));
  const head = trouble.length ? `${names} in trouble` : `Watch ${names}`;
  return { state: trouble.length ? "trouble" : "watch", head, why: worst.length === 1 ? because(worst[0].reasons[0]) : "" };
}
