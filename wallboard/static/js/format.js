// Numbers and times in the language of the wall: that of the configuration, else of the browser.

let locale = navigator.language || "en";
let zone = "UTC";
let made = {};

export function speak(language, timeZone) {
  if (language) locale = language;
  if (timeZone) zone = timeZone;
  made = {};
}

function number(options) {
  const key = JSON.stringify(options);
  return (made[key] ??= new Intl.NumberFormat(locale, options));
}

export const NONE = "–";
export const count = (value) => number({}).format(value);
export const decimal = (value) => number({ minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(value);

export function percent(value, digits = 0) {
  return number({ style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

// 45 s, 3:12, 1 h 05: in a unit that fits, and never wider than six letters.
export function duration(ms) {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${number({}).format(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, "0")}`;
  return `${number({}).format(Math.floor(hours / 24))} d`;
}

// As a sentence has it: "3 min 12 s".
export function spoken(ms) {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 && minutes < 5 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`;
  const rest = minutes % 60 ? ` ${minutes % 60} min` : "";
  return `${Math.floor(minutes / 60)} h${rest}`;
}

function time(options) {
  const key = JSON.stringify(options);
  return (made[key] ??= new Intl.DateTimeFormat(locale, { timeZone: zone, ...options }));
}

export const clock = (ms) => time({ hour: "2-digit", minute: "2-digit" }).format(ms);
export const precise = (ms) => time({ hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(ms);
export const day = (ms) => time({ weekday: "long", day: "numeric", month: "long" }).format(ms);
export const weekday = (ms) => time({ weekday: "long" }).format(ms);

// A quarter-hour of the local day as the clock shows it, such as 09:30.
export function slot(index) {
  const moment = Date.UTC(2026, 0, 5, 0, index * 15);
  return new Intl.DateTimeFormat(locale, { timeZone: "UTC", hour: "2-digit", minute: "2-digit" }).format(moment);
}

// A full hour on an axis, such as 9 or 9 AM.
export function hour(half) {
  const moment = Date.UTC(2026, 0, 5, 0, half * 30);
  return new Intl.DateTimeFormat(locale, { timeZone: "UTC", hour: "numeric" }).format(moment);
}

export const ratio = ([num, den]) => (den ? num / den : null);
export const shown = (value, as) => (value === null || value === undefined ? NONE : as(value));
