// Which page it is, and what is shown when something comes.

import { AgentView } from "./agent.js";
import { speak } from "./format.js";
import { Feed } from "./feed.js";
import { showAlerts, showFreshness, showHouse, showSources, showVerdict } from "./head.js";
import { QueueView } from "./queue.js";
import { themes } from "./theme.js";
import { Tiles } from "./tiles.js";

const main = document.getElementById("main");
const feed = new Feed("/events");
let view = null;

function open() {
  view?.leave();
  const given = new URLSearchParams(location.search);
  if (location.pathname === "/queue") view = new QueueView(main, feed, given.get("queue") ?? "");
  else if (location.pathname === "/agent") view = new AgentView(main, feed, given.get("agent") ?? "");
  else view = new Tiles(main);
  document.body.dataset.view = location.pathname.slice(1) || "wall";
  view.fill(feed.said);
  view.draw();
}

let stale = false;

// Charts take their colours when they are drawn.
function redraw() {
  main.querySelectorAll(".plot").forEach((plot) => (plot.drawn = undefined));
  view?.draw();
}

function head() {
  showVerdict(feed);
  if (stale !== document.documentElement.classList.contains("stale")) {
    stale = !stale;
    redraw();
  }
  showFreshness(feed);
  showSources(feed.said, feed.stale);
}

feed.addEventListener("hello", ({ detail }) => {
  speak(detail.locale, detail.zone);
  document.title = detail.title;
  document.getElementById("home").textContent = detail.title;
});
feed.addEventListener("now", () => {
  head();
  showAlerts(feed.said);
  showHouse(feed.said);
  view.fill(feed.said);
  document.documentElement.dataset.asOf = feed.said.now.as_of;
});
for (const kind of ["day", "slow"]) {
  feed.addEventListener(kind, () => {
    showHouse(feed.said);
    view.fill(feed.said);
    view.draw();
  });
}
feed.addEventListener("away", head);
setInterval(head, 500);

// Links within the page do not load it anew: the stream stays open.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const target = new URL(link.href);
  if (target.origin !== location.origin || target.hash) return;
  event.preventDefault();
  history.pushState(null, "", target);
  open();
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
});
addEventListener("popstate", open);
themes(redraw);
open();
