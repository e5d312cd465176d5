// The back office, progressive enhancement only: every page works without this file.
"use strict";

// A row leads where its first link leads. Links, buttons and selected text keep their own meaning.
document.addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-href]");
  if (!row || event.defaultPrevented || event.target.closest("a, button, input, select, label, summary")) return;
  if (String(getSelection())) return;
  if (event.ctrlKey || event.metaKey) window.open(row.dataset.href, "_blank", "noopener");
  else location.href = row.dataset.href;
});

// "/" goes to the search of the page, or to the one beside it.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const field = document.querySelector("main [data-shortcut='/']") ?? document.querySelector("[data-shortcut='/']");
  if (!field || !field.checkVisibility()) return;
  event.preventDefault();
  field.focus();
  field.select();
});

// Filters close on Escape and on a click elsewhere.
document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && document.querySelector("details.drop[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.drop[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});

// Uploads: dropped or chosen, one file after the other, each in pieces with its progress. A piece
// that did not arrive is sent again from where the shop says, after a pause that grows; an upload
// that was cut off by closing the page goes on when the same file is chosen again.
const PIECE = 8 * 1024 * 1024;
const PAUSE_MAX = 30_000;

for (const form of document.querySelectorAll("form[data-upload]")) {
  const input = form.querySelector("input[type=file]");
  const zone = form.querySelector(".drop-zone");
  const list = form.querySelector(".upload-list");
  const words = form.dataset;
  let running = false;

  const show = (file) => {
    const row = document.createElement("li");
    const name = document.createElement("span");
    const state = document.createElement("span");
    const hold = document.createElement("button");
    const bar = document.createElement("progress");
    name.className = "name";
    name.textContent = file.name;
    state.className = "muted num";
    state.textContent = words.waiting;
    hold.type = "button";
    hold.className = "button compact quiet";
    hold.textContent = words.pause;
    hold.hidden = true;
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", file.name);
    row.append(name, state, hold, bar);
    list.append(row);
    const shown = { row, state, bar, hold, held: false, request: null, wake: null };
    hold.addEventListener("click", () => {
      shown.held = !shown.held;
      hold.textContent = shown.held ? words.resume : words.pause;
      if (shown.held) {
        shown.request?.abort();
        state.textContent = words.paused;
      }
      shown.wake?.();
    });
    return shown;
  };

  const fail = (shown, why) => {
    shown.state.textContent = why;
    shown.state.className = "failed";
    shown.hold.remove();
    shown.bar.remove();
    return false;
  };

  // A refusal is final unless the shop is only busy; a line that broke is not.
  const ask = (method, url, body, shown, progress) => new Promise((resolve) => {
    const request = new XMLHttpRequest();
    if (progress) request.upload.addEventListener("progress", (event) => progress(event.loaded));
    request.addEventListener("load", () => {
      let json = {};
      try { json = JSON.parse(request.responseText); } catch { /* A page says no more than its status. */ }
      resolve({ status: request.status, json });
    });
    for (const end of ["error", "abort", "timeout"]) request.addEventListener(end, () => resolve({ status: 0, json: {} }));
    request.open(method, url);
    request.setRequestHeader("Accept", "application/problem+json, text/html;q=0.5");
    shown.request = request;
    request.send(body);
  });

  const fields = (values) => {
    const body = new URLSearchParams({ _csrf: form.elements._csrf.value, ...values });
    return body;
  };

  // Until the line is back, the button is pressed, or the time is over.
  const rest = (shown, milliseconds) => new Promise((resolve) => {
    const timer = shown.held ? null : setTimeout(done, milliseconds);
    function done() {
      clearTimeout(timer);
      removeEventListener("online", done);
      shown.wake = null;
      resolve();
    }
    addEventListener("online", done);
    shown.wake = done;
  });

  const about = (file) => `upload ${words.begin} ${words.file ?? ""} ${file.name} ${file.size} ${file.lastModified}`;
  const remembered = {
    get: (file) => { try { return localStorage.getItem(about(file)); } catch { return null; } },
    set: (file, id) => { try { localStorage.setItem(about(file), id); } catch { /* It begins anew then. */ } },
    remove: (file) => { try { localStorage.removeItem(about(file)); } catch { /* As above. */ } },
  };

  const isOver = (status) => status >= 400 && status !== 409 && status !== 429 && status < 500;

  const send = async (file, shown) => {
    if (words.bytesMax && file.size > Number(words.bytesMax)) return fail(shown, words.tooLarge);
    let id = remembered.get(file);
    let at = null;
    let pause = 1_000;
    shown.hold.hidden = false;
    const percent = (bytes) => {
      const part = file.size ? bytes / file.size : 1;
      shown.bar.value = part;
      shown.state.textContent = part < 1 ? `${Math.floor(100 * part)} %` : words.storing;
    };
    for (;;) {
      if (shown.held) await rest(shown, 0);
      if (shown.held) continue;
      let answer;
      if (!id) {
        const values = { name: file.name, size: file.size };
        if (words.file) values.file = words.file;
        answer = await ask("POST", words.begin, fields(values), shown);
        if (answer.json.id) {
          id = answer.json.id;
          at = answer.json.received;
          remembered.set(file, id);
        }
      } else if (at === null) {
        answer = await ask("GET", `${words.uploads}/${id}`, null, shown);
        // What has run out, or belongs to somebody else by now, begins anew.
        if (answer.status === 404 || answer.json.done || (answer.status === 200 && answer.json.size !== file.size)) {
          remembered.remove(file);
          id = null;
          continue;
        }
        at = answer.json.received ?? null;
      } else if (at < file.size) {
        const body = new FormData();
        body.append("_csrf", form.elements._csrf.value);
        body.append(input.name, file.slice(at, at + PIECE), file.name);
        const from = at;
        answer = await ask("POST", `${words.uploads}/${id}/from/${at}`, body, shown, (loaded) => percent(Math.min(from + loaded, file.size)));
        at = answer.status === 200 ? answer.json.received : null;
      } else {
        percent(file.size);
        shown.hold.hidden = true;
        const values = form.elements.tell?.checked ? { tell: "on" } : {};
        answer = await ask("POST", `${words.uploads}/${id}/finish`, fields(values), shown);
        if (answer.status === 204 || answer.status === 200) {
          remembered.remove(file);
          shown.bar.value = 1;
          shown.state.textContent = words.done;
          return true;
        }
        at = null;
      }
      if (answer.status >= 200 && answer.status < 300) {
        if (at !== null) percent(at);
        pause = 1_000;
        continue;
      }
      if (isOver(answer.status)) return fail(shown, answer.json.detail || words.failed);
      if (shown.held) continue;
      // A full disk is told: somebody has to make room.
      shown.state.textContent = answer.json.detail || words.interrupted;
      await rest(shown, pause);
      pause = Math.min(2 * pause, PAUSE_MAX);
    }
  };

  const upload = async (files) => {
    if (running || files.length === 0) return;
    running = true;
    list.replaceChildren();
    const queue = [...files].slice(0, input.multiple ? files.length : 1).map((file) => [file, show(file)]);
    let whole = true;
    for (const [file, shown] of queue) whole = (await send(file, shown)) && whole;
    running = false;
    // What failed stays to be read; otherwise the page shows what is there now.
    if (whole) location.href = form.action.replace(/\/files(\/.*)?$/, "");
  };

  addEventListener("beforeunload", (event) => { if (running) event.preventDefault(); });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    upload(input.files);
  });
  input.addEventListener("change", () => { if (words.upload !== "wait") upload(input.files); });
  for (const kind of ["dragenter", "dragover"]) {
    zone.addEventListener(kind, (event) => { event.preventDefault(); zone.classList.add("over"); });
  }
  for (const kind of ["dragleave", "drop"]) {
    zone.addEventListener(kind, (event) => { event.preventDefault(); zone.classList.remove("over"); });
  }
  zone.addEventListener("drop", (event) => upload(event.dataTransfer.files));
}
