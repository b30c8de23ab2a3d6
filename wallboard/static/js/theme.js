// Light, dark, or as the machine has it; remembered on this screen.

const KEY = "ringback-theme";
const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");

function kept() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // a browser that keeps nothing
  }
}

export function themes(changed) {
  const given = new URLSearchParams(location.search).get("theme") ?? kept();
  if (given === "light" || given === "dark") root.dataset.theme = given;
  document.getElementById("theme").addEventListener("click", () => {
    const now = root.dataset.theme === "auto" ? (dark.matches ? "dark" : "light") : root.dataset.theme;
    root.dataset.theme = now === "dark" ? "light" : "dark";
    try {
      localStorage.setItem(KEY, root.dataset.theme);
    } catch {
      // then it is asked again after the next start
    }
    changed();
  });
  dark.addEventListener("change", changed);
}
