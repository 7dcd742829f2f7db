// Refreshes the page in place: the server renders it again, and only what
// differs is changed, so nothing flickers and what people type stays.
"use strict";

const every = 2000;

// morph makes `from` look like `to`, touching as little as possible.
function morph(from, to) {
  if (from.isEqualNode(to)) return;
  if (from.nodeName !== to.nodeName || from.id !== to.id) {
    from.replaceWith(to);
    return;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    from.nodeValue = to.nodeValue;
    return;
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && name !== "open") from.removeAttribute(name);
  }
  if (from.nodeName === "TEXTAREA") return;
  const old = [...from.childNodes];
  const fresh = [...to.childNodes];
  fresh.forEach((node, i) => (old[i] ? morph(old[i], node) : from.append(node)));
  old.slice(fresh.length).forEach((node) => node.remove());
}

// refresh asks for the page; a login that has ended reloads it, which leads to
// the login page.
async function refresh(url) {
  const response = await fetch(url, { headers: { Accept: "text/html" } });
  if (response.redirected) {
    location.reload();
    return;
  }
  if (!response.ok) throw new Error(response.statusText);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const notice = document.getElementById("notice");
  if (notice) page.querySelector("main").querySelector(".lead").nextElementSibling.replaceChildren(notice.cloneNode(true));
  morph(document.querySelector("main"), page.querySelector("main"));
}

async function poll(url) {
  try {
    if (!document.hidden) await refresh(url);
    document.body.classList.remove("stale");
  } catch {
    document.body.classList.add("stale");
  }
  setTimeout(poll, every, url);
}

if (document.body.dataset.poll) setTimeout(poll, every, document.body.dataset.poll);
