// What the pages do without this file, they do by a reload. It adds: live progress, keys, filtering while typing,
// and a warning before typed text is left behind. It makes no markup from text: fragments come escaped from our server.
"use strict";

const QUIET = "secforge-keys-off";
let changed = new Set();

function rows() {
  return [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
}

function step(by) {
  const all = rows();
  if (!all.length) return;
  const here = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[Math.min(all.length - 1, Math.max(0, here < 0 ? 0 : here + by))];
  const target = next.querySelector("input[type=checkbox], a[href], summary, button") || next;
  target.focus();
  next.scrollIntoView({ block: "nearest" });
}

function goTo(key) {
  const target = document.querySelector(`[data-key="${key}"]`);
  if (!target) return false;
  for (let around = target.closest("details"); around; around = around.parentElement.closest("details")) around.open = true;
  target.focus();
  target.scrollIntoView({ block: "center" });
  return true;
}

function toggleHelp() {
  const help = document.getElementById("keys");
  if (help.open) help.close();
  else help.showModal();
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest("textarea, select, input:not([type=checkbox]):not([type=radio])");
  if (typing) {
    if (event.key === "Escape") typing.blur();
    return;
  }
  if (localStorage.getItem(QUIET) && event.key !== "?") return;
  const handled =
    event.key === "?" ? (toggleHelp(), true)
    : document.querySelector("dialog[open]") ? false
    : event.key === "j" ? (step(1), true)
    : event.key === "k" ? (step(-1), true)
    : "/edtacr".includes(event.key) && event.key.length === 1 ? goTo(event.key)
    : false;
  if (handled) event.preventDefault();
}

function watchForms() {
  for (const form of document.querySelectorAll("form[data-guard]")) {
    if (form.dataset.watched) continue;
    form.dataset.watched = "yes";
    if (form.dataset.guard === "unsaved") changed.add(form); // came back with an error: still only here
    form.addEventListener("input", () => changed.add(form));
    form.addEventListener("submit", () => changed.delete(form));
  }
}

function warn(event) {
  if ([...changed].some((form) => form.isConnected)) event.preventDefault();
}

function onceOnly(event) {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  window.setTimeout(() => delete form.dataset.sent, 4000);
}

function filterTable() {
  const box = document.querySelector("input[data-filter]");
  if (!box) return;
  const apply = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of document.querySelectorAll("[data-words]")) {
      row.hidden = !words.every((word) => row.dataset.words.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    document.getElementById("shown").textContent = `${shown} shown`;
  };
  box.addEventListener("input", apply);
  if (box.value) apply();
}

function tickAll() {
  for (const button of document.querySelectorAll("button[data-tick]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const boxes = [...button.form.querySelectorAll("input[type=checkbox][name=row]")];
      const on = boxes.some((box) => !box.checked);
      for (const box of boxes) box.checked = on;
    });
  }
}

// A live part is replaced piece by piece: pieces are children with an id; one is exchanged when its data-state differs,
// but never while somebody types in it.
function merge(old, fresh) {
  old.dataset.live = fresh.dataset.live;
  for (const piece of [...fresh.children]) {
    const here = document.getElementById(piece.id);
    if (!here) old.append(document.adoptNode(piece));
    else if (here.dataset.state !== piece.dataset.state && !isBusy(here)) {
      const held = here.contains(document.activeElement);
      here.replaceWith(document.adoptNode(piece));
      if (held) (piece.querySelector("button, a[href], summary") || document.getElementById("main")).focus({ preventScroll: true });
    }
  }
  const say = document.getElementById("announce");
  if (say && fresh.dataset.say && say.textContent !== fresh.dataset.say) say.textContent = fresh.dataset.say;
  watchForms();
}

function isBusy(piece) {
  return (piece.contains(document.activeElement) && document.activeElement.matches("input, textarea, select")) || [...changed].some((form) => form.isConnected && piece.contains(form));
}

async function follow(part) {
  let pause = 700;
  while (part.dataset.live) {
    await new Promise((resolve) => window.setTimeout(resolve, pause));
    if (document.hidden) continue;
    try {
      const answer = await fetch(part.dataset.live, { headers: { Accept: "text/html" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(part.id);
      if (fresh) merge(part, fresh);
      if (fresh && fresh.dataset.then && !changed.size) window.location.assign(fresh.dataset.then);
      pause = 700;
      lost(false);
    } catch {
      pause = Math.min(pause * 2, 10000);
      lost(true);
    }
  }
}

function lost(is) {
  document.getElementById("lost").hidden = !is;
}

function start() {
  document.addEventListener("keydown", onKey);
  document.addEventListener("submit", onceOnly);
  window.addEventListener("beforeunload", warn);
  const opener = document.getElementById("keys-open");
  opener.hidden = false;
  opener.addEventListener("click", toggleHelp);
  const quiet = document.getElementById("keys-off");
  quiet.checked = Boolean(localStorage.getItem(QUIET));
  quiet.addEventListener("change", () => (quiet.checked ? localStorage.setItem(QUIET, "yes") : localStorage.removeItem(QUIET)));
  watchForms();
  filterTable();
  tickAll();
  for (const part of document.querySelectorAll("[data-live]")) if (part.dataset.live) follow(part);
}

start();
