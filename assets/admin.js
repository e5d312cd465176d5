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

// Uploads: dropped or chosen, one request per file, one after the other, each with its progress.
// The answer to a form is a redirect, which is followed; only its status counts here.
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
    const bar = document.createElement("progress");
    name.className = "name";
    name.textContent = file.name;
    state.className = "muted num";
    state.textContent = words.waiting;
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", file.name);
    row.append(name, state, bar);
    list.append(row);
    return { row, state, bar };
  };

  const fail = (shown, why) => {
    shown.state.textContent = why;
    shown.state.className = "failed";
    shown.bar.remove();
    return false;
  };

  const send = (file, shown) => new Promise((resolve) => {
    if (words.bytesMax && file.size > Number(words.bytesMax)) return resolve(fail(shown, words.tooLarge));
    const body = new FormData();
    body.append("_csrf", form.elements._csrf.value);
    body.append(input.name, file);
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", (event) => {
      shown.bar.value = event.total ? event.loaded / event.total : 0;
      shown.state.textContent = event.loaded < event.total ? `${Math.floor((100 * event.loaded) / event.total)} %` : words.storing;
    });
    request.addEventListener("load", () => {
      if (request.status < 400) {
        shown.bar.value = 1;
        shown.state.textContent = words.done;
        return resolve(true);
      }
      let why = words.failed;
      try { why = JSON.parse(request.responseText).detail || why; } catch { /* The page says no more than its status. */ }
      resolve(fail(shown, why));
    });
    request.addEventListener("error", () => resolve(fail(shown, words.failed)));
    request.addEventListener("abort", () => resolve(fail(shown, words.failed)));
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/problem+json, text/html;q=0.5");
    request.send(body);
  });

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
