// Progressive enhancement only: every page works without this file.
"use strict";
document.documentElement.classList.add("js");

// Copy buttons: <button data-copy="text">. The words for "copied" are in data-copied, and are read aloud.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    return; // The text stands beside the button and can be selected.
  }
  const live = document.getElementById("live");
  if (live) live.textContent = button.dataset.copied;
  button.classList.add("copied");
  setTimeout(() => button.classList.remove("copied"), 1500);
});

// Forms that go on by themselves: <form data-autosubmit>. The button stays for who has no script.
// Not after Back or a reload: who turned round shall not be sent off again.
addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("form[data-autosubmit]");
  const [arrival] = performance.getEntriesByType("navigation");
  if (form && arrival && arrival.type === "navigate") form.requestSubmit();
});

// Questions before what cannot be undone: <form data-confirm="…">.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

// Choices that apply at once: <select data-submit>.
document.addEventListener("change", (event) => {
  if (event.target.matches("select[data-submit], input[data-submit]")) event.target.form.requestSubmit();
});

// A form that was sent is not sent again by a second click. Downloads keep their page, so they are left alone.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.matches("[data-again]")) return;
  for (const button of event.target.querySelectorAll("button[type=submit]")) {
    setTimeout(() => { button.disabled = true; });
    setTimeout(() => { button.disabled = false; }, 4000);
  }
});
addEventListener("pageshow", (event) => {
  if (event.persisted) for (const button of document.querySelectorAll("button[type=submit]")) button.disabled = false;
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
