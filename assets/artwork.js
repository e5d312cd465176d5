// Draws a design anew while its buyer types. Without this file the button "Show the preview" does it.
"use strict";
addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("form[data-artwork]");
  const image = document.querySelector("[data-artwork-preview]");
  if (!form || !image) return;
  const QUIET = 350; // milliseconds without a key before a preview is asked for
  let timer, asked;

  const fieldOf = (name) => form.querySelector(`[name="${CSS.escape(name)}"]`);
  const typed = () => {
    const query = new URLSearchParams({ sku: form.elements.sku.value });
    for (const [name, value] of new FormData(form)) {
      if (typeof value === "string" && (name.startsWith("art-") || name.startsWith("kept-"))) query.append(name, value);
    }
    return `${form.dataset.artwork}?${query}`;
  };

  // One sentence below a field; an empty one takes it away.
  const tell = (name, sentence) => {
    const field = fieldOf(name);
    if (!field) return;
    const box = field.closest("fieldset.field, .field");
    let error = document.getElementById(`${name}-error`);
    if (!sentence) {
      error?.remove();
      field.removeAttribute("aria-invalid");
      return;
    }
    if (!error) {
      error = document.createElement("p");
      error.className = "error";
      error.id = `${name}-error`;
      box.append(error);
    }
    error.textContent = sentence;
    error.setAttribute("role", "status");
    field.setAttribute("aria-invalid", "true");
  };
  const told = new Set();
  const tellAll = (errors) => {
    for (const name of told) if (!(name in errors)) tell(name, "");
    told.clear();
    for (const [name, sentence] of Object.entries(errors)) {
      tell(name, sentence);
      told.add(name);
    }
  };

  const draw = async () => {
    asked?.abort();
    asked = new AbortController();
    const address = typed();
    image.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, { signal: asked.signal });
      if (answer.ok) {
        await answer.blob();
        image.src = address; // The browser has it already.
        tellAll({});
      } else if (answer.status === 422) {
        tellAll((await answer.json()).errors);
      } else if (answer.status === 429 || answer.status === 503) {
        timer = setTimeout(draw, 1000 * Math.min(30, Number(answer.headers.get("retry-after")) || 3));
      }
    } catch {
      return; // Another preview was asked for, or the line is down: the next key tries again.
    } finally {
      image.removeAttribute("aria-busy");
    }
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(draw, QUIET);
  };

  // A picture goes up as soon as it is chosen, and once only.
  const send = async (input) => {
    const [file] = input.files;
    const kept = fieldOf(input.name.replace(/^art-/, "kept-"));
    if (!file || !kept) return;
    const body = new FormData();
    body.append("_csrf", form.elements._csrf.value);
    body.append("sku", form.elements.sku.value);
    body.append(input.name, file);
    let note = input.closest(".field").querySelector("[data-kept]");
    if (!note) {
      note = document.createElement("p");
      note.className = "small";
      note.dataset.kept = "";
      input.after(note);
    }
    note.textContent = form.dataset.sending;
    try {
      const answer = await fetch(form.dataset.upload, { method: "POST", body, headers: { Accept: "application/json" } });
      const said = await answer.json();
      if (!answer.ok) throw said;
      kept.value = said.kept;
      note.textContent = said.note;
      input.value = "";
      input.required = false;
      tell(input.name, "");
      draw();
    } catch (said) {
      note.remove();
      // Without an answer of ours the picture stays chosen, and goes along with the form.
      if (said.error) tell(input.name, said.error);
    }
  };

  form.addEventListener("input", (event) => { if (event.target.type !== "file") soon(); });
  form.addEventListener("change", (event) => { if (event.target.type === "file") send(event.target); });
});
