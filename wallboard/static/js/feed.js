// The stream of events: what was last said of each kind, and how old it is.

const QUIET_MS = 25_000; // the server says something every 10 s; a line that is silent for longer is dead

export class Feed extends EventTarget {
  constructor(address) {
    super();
    this.address = address;
    this.said = {};
    this.ahead = 0; // of the server's clock before ours, which may be wrong
    this.heard = performance.now();
    this.open();
    setInterval(() => this.watch(), 1000);
  }

  open() {
    this.source?.close();
    this.source = new EventSource(this.address);
    this.opened = performance.now();
    for (const kind of ["hello", "now", "day", "slow", "away"]) {
      this.source.addEventListener(kind, (event) => this.take(kind, JSON.parse(event.data)));
    }
  }

  take(kind, document) {
    this.heard = performance.now();
    if (kind === "hello") this.ahead = document.server_ms - performance.now();
    if (kind === "now") delete this.said.away;
    this.said[kind] = document;
    this.dispatchEvent(new CustomEvent(kind, { detail: document }));
  }

  // EventSource tries again by itself, except after an answer that is no stream; and it notices no dead line.
  watch() {
    const now = performance.now();
    const dead = this.source.readyState === EventSource.CLOSED || now - this.heard > QUIET_MS;
    if (dead && now - this.opened > 3000) this.open();
  }

  age(kind) {
    const document = this.said[kind];
    return document ? Math.max(performance.now() + this.ahead - document.read_ms, 0) : Infinity;
  }

  // Is the present older than the next reading should have made it?
  get stale() {
    const every = this.said.now?.every_ms ?? 1000;
    return this.age("now") > Math.max(5000, 3 * every);
  }

  // The moment on the wall's clock, which may be a simulated one: it stands still while nothing comes.
  get moment() {
    const now = this.said.now;
    if (!now) return null;
    return this.said.hello?.simulated ? now.as_of : now.as_of + Math.min(this.age("now"), 3_600_000);
  }
}

export async function ask(path, parameters) {
  const response = await fetch(`${path}?${new URLSearchParams(parameters)}`);
  const document = await response.json().catch(() => ({ error: `the wallboard answered ${response.status}` }));
  if (document.error) throw new Error(document.error);
  return document;
}
