// The events on the bus and the messages in the queues. Both are untrusted, so they are inserted as text.
const $ = (id) => document.getElementById(id);
const rows = new Map(); // id -> its <li>; reused, so that an open row stays open
const sections = new Map(); // name of a queue -> its <section>

const MEANINGS = {
  off: "means that the bus gets no events.",
  security: "means that the bus gets user.created, user.erased and session.ended.",
  all: "means that the bus gets all events.",
};
const SHOWN = new Set(["id", "type", "time", "tenant", "user"]); // the others are the event's own words

const lost = () => ($("toast").textContent = "The stack does not answer.");
const exact = (iso) => new Date(iso).toLocaleString([], { dateStyle: "medium", timeStyle: "medium" });

// ---- Loading
// Every change loads everything, one request at a time, as in the inbox.
async function refresh() {
  refresh.again = true;
  if (refresh.busy) return;
  refresh.busy = true;
  while (refresh.again) {
    refresh.again = false;
    await fetch("/api/events").then((reply) => reply.json()).then(render).then(() => ($("toast").textContent = ""), lost);
  }
  refresh.busy = false;
}

// ---- Rendering
function render({ setting, is_read: isRead, rules, count, events, queues }) {
  $("name").textContent = `EVENTS=${setting}`;
  const ruleNames = rules.length ? `Rules in the template: ${rules.join(", ")}.` : "The template has no rules.";
  $("meaning").textContent = `${MEANINGS[setting] ?? ""} ${ruleNames}`;
  $("count").textContent = count;
  $("none").hidden = events.length > 0;
  $("why").textContent = whyEmpty(setting, isRead);
  place($("list"), events.map(({ event, rules: matching }) => row(`event ${event.id}`, "event", (item) => {
    const { detail } = event;
    item.querySelector(".type").textContent = event["detail-type"];
    stamp(item, event.time);
    item.querySelector(".user code").textContent = detail.user ?? "";
    item.querySelector(".user").hidden = !detail.user;
    words(item, Object.entries(detail).filter(([name, value]) => !SHOWN.has(name) || (name === "tenant" && value !== "default")));
    const none = rules.length ? ["No rule matches"] : [];
    item.querySelector(".rules").append(...(matching.length ? ["Rules", ...matching.map((name) => make("span", name))] : none));
    whole(item, event);
  })));
  place($("queues"), queues.map(queue));
  // Failures come first, because the list of events may be long.
  const isFailing = queues.some(({ count }) => count > 0);
  if (isFailing !== ($("queues").nextElementSibling === $("bus"))) $("content").insertBefore($("queues"), isFailing ? $("bus") : null);
  $("content").hidden = false;
  for (const [id, item] of rows) if (!item.isConnected) rows.delete(id);
}

function whyEmpty(setting, isRead) {
  if (!isRead) return "With --services-only, nothing reads the tables' streams, so no events come.";
  if (setting === "off") return "Start the stack with --env EVENTS=all, and sign in.";
  if (setting === "all") return "Sign in. The events appear here a second later.";
  return "Sign up with a new address, or sign out. The event appears here a second later. To see every sign-in, start the stack with --env EVENTS=all.";
}

function queue({ name, count, messages }) {
  if (!sections.has(name)) sections.set(name, $("queue").content.firstElementChild.cloneNode(true));
  const section = sections.get(name);
  section.querySelector(".queue").textContent = `In the queue ${name}`;
  section.querySelector(".count").textContent = count;
  section.querySelector(".count").toggleAttribute("data-bad", count > 0);
  section.querySelector(".empty").hidden = count > 0;
  section.querySelector(".full").hidden = count === 0;
  place(section.querySelector("ol"), messages.map((message, at) => row(`message ${count - at} ${JSON.stringify(message)}`, "message", (item) => {
    item.querySelector(".type").textContent = message.function ?? "";
    words(item, [["reason", message.reason], ["shard", message.shardId], ["sequence number", message.sequenceNumber]]);
    whole(item, message);
  })));
  return section;
}

// An event never changes, so its row is filled once. `render` forgets the rows that are gone.
function row(id, template, fill) {
  if (!rows.has(id)) {
    const item = $(template).content.firstElementChild.cloneNode(true);
    fill(item);
    rows.set(id, item);
  }
  return rows.get(id);
}

function stamp(item, iso) {
  const time = item.querySelector("time");
  time.dateTime = time.title = iso;
  time.textContent = exact(iso);
}

function words(item, entries) {
  item.querySelector("dl").append(...entries.map(([name, value]) => {
    const pair = document.createElement("div");
    pair.append(make("dt", name), make("dd", [value].flat().join(", ")));
    return pair;
  }));
}

const whole = (item, value) => (item.querySelector("pre").textContent = JSON.stringify(value, null, 2));
const make = (name, text) => Object.assign(document.createElement(name), { textContent: text });

// Changes only different children, so that focus and open rows stay.
function place(parent, next) {
  const kept = new Set(next);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  next.forEach((child, at) => parent.children[at] === child || parent.insertBefore(child, parent.children[at] ?? null));
}

// ---- The stream
function state(text) {
  if ($("link").textContent !== text) $("link").textContent = $("link").dataset.state = text; // announced once
}
function connect() {
  const stream = new EventSource("/api/events/stream");
  stream.addEventListener("open", () => state("Live"));
  stream.addEventListener("changed", refresh); // also the first event of each stream
  stream.addEventListener("error", () => {
    state("Disconnected");
    // The browser reconnects by itself, unless the answer was not a stream.
    if (stream.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
  });
}
connect();
