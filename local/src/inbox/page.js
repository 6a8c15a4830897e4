// The inbox of the local stack. Messages are untrusted, so they are inserted as text, or in a
// frame without scripts.
const $ = (id) => document.getElementById(id);
const on = (id, event, then) => $(id).addEventListener(event, then);
const phone = matchMedia("(max-width: 44rem)");

let messages = []; // newest first, as on the server
let loaded = false;
let selected; // a key
let part = "html"; // the visible part of an email; kept when another message is selected
let ahead = 0; // milliseconds from this computer's clock to the stack's
const fresh = new Set(); // keys of unread messages
const rows = new Map(); // key -> its <li>; reused, so that a row keeps the focus

const SENDERS = { sms: "Text message", voice: "Call", whatsapp: "WhatsApp message" };
const STATES = { sent: "Sent", delayed: "Delayed", handed_over: "Handed over", delivered: "Delivered", failed: "Failed", complained: "Complaint" };

const key = (m) => `${m.id} ${m.sent_at}`; // a restarted stack may reuse ids
const visible = () => messages.filter((m) => m.to.toLowerCase().includes($("filter").value.trim().toLowerCase()));
// A code is a separate word: 6 digits inside a longer word or number do not count.
const CODE = /\b(?:\d{6,10}|[A-Z2-7]{13})\b/;
// A call speaks each digit for itself.
const words = (m) => (m.channel === "voice" ? m.text.replaceAll(/ ?… ?(?=\d)/g, "") : m.text);
const codeOf = (m) => (m.kind === "code" && (m.subject?.match(CODE) ?? words(m).match(CODE))?.[0]) || "";
const titleOf = (m) => m.subject ?? `${SENDERS[m.channel]} from ${(m.sms ?? m.call)?.from ?? "the product"}`;

// Announces an event in one line. Quiet news is for screen readers only, because the page shows it anyway.
function say(text, quiet = false) {
  $("toast").toggleAttribute("data-quiet", quiet);
  $("toast").textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => ($("toast").textContent = ""), 4000);
}
const lost = () => say("The stack does not answer.");

// ---- The stack's time
function ago(iso) {
  const s = Math.round((Date.now() + ahead - Date.parse(iso)) / 1000);
  const [n, unit] = s < 60 ? [s, "s"] : s < 3600 ? [s / 60, "min"] : s < 86400 ? [s / 3600, "h"] : [s / 86400, "d"];
  return s < 5 ? "just now" : `${Math.floor(n)} ${unit} ago`;
}
const exact = (iso) => new Date(iso).toLocaleString([], { dateStyle: "medium", timeStyle: "medium" });
function stamp(time, iso) {
  time.dateTime = iso; // each tick updates the text from it
  time.title = `${exact(iso)}\n${iso}`;
}

function tick() {
  const now = new Date(Date.now() + ahead);
  $("now").textContent = now.toLocaleTimeString([], { timeStyle: "medium" });
  $("now").title = now.toISOString();
  for (const time of document.querySelectorAll("#box time.ago")) time.textContent = ago(time.dateTime);
}

async function clock(seconds) {
  const headers = { "content-type": "application/json" };
  const move = { method: "POST", headers, body: JSON.stringify({ advance_seconds: seconds }) };
  const reply = await fetch("/api/clock", seconds ? move : {});
  const answer = await reply.json();
  if (!reply.ok) return say(answer.message);
  ahead = Date.parse(answer.now) - Date.now();
  tick();
  if (seconds) say(`The stack's clock is now at ${$("now").textContent}.`);
}

// ---- Loading
// Every event reloads the whole list, so that messages sent while the stream was down are included.
// One request at a time keeps answers in order, and many messages at once need few requests.
async function refresh() {
  refresh.again = true;
  if (refresh.busy) return;
  refresh.busy = true;
  while (refresh.again) {
    refresh.again = false;
    const list = fetch("/api/messages").then((reply) => reply.json());
    await Promise.all([list.then(update), clock()]).catch(lost);
  }
  refresh.busy = false;
}

function update(list) {
  const known = new Set(messages.map(key));
  const following = visible().findIndex((m) => key(m) === selected) < 1; // the newest one or no message is selected
  const added = loaded ? list.filter((m) => !known.has(key(m))) : [];
  for (const m of added) fresh.add(key(m));
  if (added.length) say(added.length > 1 ? `${added.length} new messages` : `New message to ${added[0].to}`, true);
  messages = list;
  loaded = true;
  render(following);
}

// ---- Rendering
function render(toNewest = false) {
  const shown = visible();
  if (toNewest || !shown.some((m) => key(m) === selected)) selected = shown[0] && key(shown[0]);

  const present = new Set(messages.map(key));
  for (const k of [...rows.keys(), ...fresh]) if (!present.has(k)) rows.delete(k), fresh.delete(k);
  if (!document.hidden && (!phone.matches || "open" in document.body.dataset)) fresh.delete(selected);

  // Changes only different rows, so that the focused row stays in place.
  const list = $("list");
  const next = shown.map(rowOf);
  for (const row of [...list.children]) if (!next.includes(row)) row.remove();
  next.forEach((row, i) => list.children[i] === row || list.insertBefore(row, list.children[i]));

  document.title = fresh.size ? `(${fresh.size}) Inbox` : "Inbox";
  $("empty").hidden = messages.length > 0;
  $("box").hidden = messages.length === 0;
  $("none").hidden = shown.length > 0;
  if (!selected) open(false);
  renderMessage(shown.find((m) => key(m) === selected));
  tick();
}

function rowOf(m) {
  const k = key(m);
  if (!rows.has(k)) {
    const row = $("row").content.firstElementChild.cloneNode(true);
    Object.assign(row.dataset, { key: k, channel: m.channel });
    row.querySelector(".to").textContent = m.to;
    Object.assign(row.querySelector(".what"), { textContent: m.subject ?? m.text, dir: m.direction });
    row.querySelector(".kind").hidden = m.kind !== "notice";
    stamp(row.querySelector("time"), m.sent_at);
    rows.set(k, row);
  }
  const button = rows.get(k).firstElementChild;
  button.setAttribute("aria-current", k === selected);
  button.tabIndex = k === selected ? 0 : -1; // Tab enters the list once; arrows move within it
  button.toggleAttribute("data-new", fresh.has(k));
  return rows.get(k);
}

let drawn; // the message in the pane; drawn again only if it changes
function renderMessage(m) {
  $("message").hidden = !m;
  if (!m) return;
  renderLife(m);
  if (drawn === `${key(m)} ${part}`) return;
  drawn = `${key(m)} ${part}`;
  const html = m.channel === "email" && m.html !== null;
  Object.assign($("subject"), { textContent: titleOf(m), dir: m.subject === null ? "ltr" : m.direction });
  $("kind").hidden = m.kind !== "notice";
  $("rtl").hidden = m.direction !== "rtl";
  $("to").textContent = m.to;
  $("exact").textContent = exact(m.sent_at);
  stamp($("ago"), m.sent_at);
  $("digits").textContent = codeOf(m);
  $("code").hidden = !codeOf(m);
  $("code").removeAttribute("data-copied");
  $("tabs").hidden = !html;
  for (const tab of $("tabs").children) {
    tab.setAttribute("aria-selected", tab.dataset.part === part);
    tab.tabIndex = tab.dataset.part === part ? 0 : -1;
  }
  $("part").setAttribute("aria-labelledby", html ? `tab-${part}` : "subject");
  const views = { sms: bubble, voice: call, whatsapp: chat };
  const view = views[m.channel] ?? (html && part === "html" ? frame : plain);
  $("part").replaceChildren(view(m));
}

// What became of the message, by the stack's clock. Drawn again only if it has changed.
let lived;
function renderLife(m) {
  const life = JSON.stringify(m.life);
  if (lived === `${key(m)} ${life}`) return;
  lived = `${key(m)} ${life}`;
  const steps = m.life.map(({ state, at }) => {
    const step = $("moment").content.firstElementChild.cloneNode(true);
    step.dataset.state = state;
    step.querySelector("strong").textContent = STATES[state] ?? state;
    const time = step.querySelector("time");
    Object.assign(time, { dateTime: at, textContent: new Date(at).toLocaleTimeString([], { timeStyle: "medium" }), title: at });
    return step;
  });
  $("life").replaceChildren(...steps);
}

const plain = (m) => Object.assign(document.createElement("pre"), { dir: m.direction, textContent: m.text });
// Fills a template with facts from the JSON.
function filled(template, m, facts) {
  const view = $(template).content.cloneNode(true);
  const all = { ...m, when: exact(m.sent_at), ...facts };
  for (const place of view.querySelectorAll("[data-fact]")) place.textContent = all[place.dataset.fact] ?? "";
  const text = view.querySelector(".bubble");
  if (text) text.dir = m.direction;
  return view;
}
const limit = (life) => (life === null ? "no limit" : `${life} s`);
const PROVIDERS = { sns: "SNS", "sms-voice": "EUM", twilio: "Twilio" };
function bubble(m) {
  const provider = PROVIDERS[m.sms.service] ?? m.sms.service;
  const dollars = m.sms.price === null ? "unknown" : `$${m.sms.price}`; // by the table, not by AWS
  const view = filled("sms", m, { ...m.sms, ...m.sms.autofill, provider, seconds: limit(m.sms.life), dollars });
  view.querySelector(m.sms.autofill ? ".unfilled" : ".filled").remove();
  return view;
}
// The words of a call, with its pauses.
function call(m) {
  const view = filled("voice", m, { ...m.call, seconds: limit(m.call.life) });
  const spoken = m.text.split("…").flatMap((said, i) => (i ? [$("pause").content.cloneNode(true), said] : [said]));
  const place = view.querySelector(".spoken");
  place.dir = m.direction;
  place.replaceChildren(...spoken);
  return view;
}
const chat = (m) => filled("whatsapp", m, {});
// A new frame each time, because a new document in an old frame would add an entry to the browser's history.
function frame(m) {
  const element = document.createElement("iframe");
  element.title = "The email";
  element.setAttribute("sandbox", ""); // no scripts, no forms, no navigation
  // Links try to open a new window. The sandbox blocks this, so a click does nothing.
  element.srcdoc = `<!doctype html><base target="_blank">${m.html}`;
  return element;
}

// ---- User actions
const open = (yes) => document.body.toggleAttribute("data-open", yes);
function select(k) {
  selected = k;
  render();
  rows.get(k).firstElementChild.focus(); // this also scrolls it into view
}

on("list", "click", (event) => {
  const row = event.target.closest("li");
  if (!row) return;
  if (phone.matches) history.pushState("message", ""); // so that the phone's back gesture works, too
  open(phone.matches);
  select(row.dataset.key);
  if (phone.matches) $("subject").focus();
});
on("back", "click", () => history.back());
addEventListener("popstate", (event) => {
  open(event.state === "message");
  render();
  rows.get(selected)?.firstElementChild.focus();
});

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (event.target !== document.body && !event.target.closest("#list")) return;
  const keys = visible().map(key);
  const at = keys.indexOf(selected);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: keys.length - 1 }[event.key];
  if (!keys[to]) return;
  event.preventDefault();
  select(keys[to]);
});

function show(name) {
  part = name;
  render();
  $(`tab-${part}`).focus();
}
on("tabs", "click", ({ target: { dataset } }) => dataset.part && show(dataset.part));
on("tabs", "keydown", (event) => {
  if (/^Arrow(Left|Right)$/.test(event.key)) show(part === "html" ? "text" : "html");
});

async function copy(from, button) {
  try {
    await navigator.clipboard.writeText(from.textContent);
    button.setAttribute("data-copied", "");
    say("Copied", true);
    clearTimeout(copy.timer);
    copy.timer = setTimeout(() => button.removeAttribute("data-copied"), 2000);
  } catch {
    getSelection().selectAllChildren(from);
    say("Press Ctrl+C or ⌘C to copy.");
  }
}
on("code", "click", (event) => copy($("digits"), event.currentTarget));
on("copy-command", "click", (event) => copy($("command"), event.currentTarget));
on("filter", "input", () => render());
on("clear", "click", () => fetch("/api/messages", { method: "DELETE" }).then(refresh, lost));
on("clock", "click", ({ target: { dataset } }) => dataset.advance && clock(Number(dataset.advance)).catch(lost));

// ---- The stream
function state(text) {
  if ($("link").textContent !== text) $("link").textContent = $("link").dataset.state = text; // announced once
}
function connect() {
  const stream = new EventSource("/api/stream");
  stream.addEventListener("open", () => state("Live"));
  for (const event of ["open", "message", "told", "cleared"]) stream.addEventListener(event, refresh);
  stream.addEventListener("error", () => {
    state("Disconnected");
    // The browser reconnects by itself, unless the answer was not a stream.
    if (stream.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
  });
}

open(history.state === "message");
document.addEventListener("visibilitychange", () => document.hidden || refresh());
setInterval(tick, 1000);
connect();
