// The report of the local stack. Names of sources are untrusted, so everything is inserted as text.
const $ = (id) => document.getElementById(id);

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const dollars = (amount) =>
  new Intl.NumberFormat([], { style: "currency", currency: "USD", maximumSignificantDigits: 3 }).format(amount);
const percent = (share) => new Intl.NumberFormat([], { style: "percent" }).format(share);
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const bar = (kind, share) => make("i", { class: kind, style: `--share: ${share}` });

// Rows of a table. Numbers are aligned to the right, in the heads too.
function fill(id, rows) {
  const table = $(id);
  const heads = [...table.querySelectorAll("thead th")];
  const isNumber = (value) => typeof value === "number" || !!value?.number;
  const cell = (value) => make("td", isNumber(value) ? { class: "number" } : {}, String(value?.number ?? value ?? ""));
  const body = rows.map((row) => make("tr", {}, ...row.map(cell)));
  const none = make("tr", {}, make("td", { class: "none", colspan: heads.length || 1 }, "None yet"));
  table.tBodies[0].replaceChildren(...(body.length ? body : [none]));
  rows[0]?.forEach((value, at) => heads[at]?.classList.toggle("number", isNumber(value)));
}

function show(report) {
  $("period").textContent = `${report.from} to ${report.to}, days in UTC`;
  const { active_users: active, codes, cost } = report;
  const figures = [
    ["Active today", active.day],
    ["Active in 7 days", active.week],
    ["Active in 30 days", active.month],
    ["Sign-ups", report.sign_ups],
    ["Sign-ins", report.sign_ins],
    ["Cost per sign-in", typeof cost?.per_sign_in === "number" ? dollars(cost.per_sign_in) : "–"],
  ];
  $("figures").replaceChildren(
    ...figures.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", { "data-figure": name }, String(value)))));

  const most = Math.max(1, ...report.days.map((day) => Math.max(day.sign_ins, day.sign_ups)));
  $("days").replaceChildren(...report.days.map((day) => {
    const text = `${day.date}: ${plural(day.sign_ups, "sign-up")}, ${plural(day.sign_ins, "sign-in")}`;
    const bars = [bar("ins", day.sign_ins / most), bar("ups", day.sign_ups / most)];
    return make("li", { title: text }, make("span", { class: "unseen" }, text), ...bars);
  }));
  $("first").textContent = report.from;
  $("last").textContent = report.to;

  fill("methods", report.methods.map((row) => [row.method, row.sign_ups, row.sign_ins]));
  const best = Math.max(1, ...report.top_sources.map((row) => row.sign_ups));
  const top = report.top_sources.map((row) =>
    make("li", {}, make("span", { class: "name", title: row.name }, row.name), bar("", row.sign_ups / best),
      make("span", { class: "count" }, String(row.sign_ups))));
  const none = make("li", { class: "none" }, "No sign-up named a source yet");
  $("top-sources").replaceChildren(...(top.length ? top : [none]));

  $("requests").textContent = codes
    ? `${plural(codes.requests, "request")} for a code, ${codes.rate_limited} of them over a rate limit. ` +
      `${plural(codes.verify_requests, "request")} to verify one.`
    : "The functions wrote no metrics in these days, so the codes and their cost are unknown.";
  fill("codes", (codes?.channels ?? []).map((row) => [
    row.channel, row.sent, row.refused, row.unknown, row.used,
    { number: row.success_rate === null ? "–" : percent(row.success_rate) },
  ]));
  fill("sources", report.sources.map((row) => [row.name, row.category ?? "", row.url ?? "", row.sign_ups]));
  fill("week", report.last_week.map((row) => [row.date, row.name, row.category ?? "", row.sign_ups]));
  const lines = cost ? [["Emails", cost.mails], ["Text messages", cost.texts], ["Requests", cost.requests]] : [];
  fill("cost", lines.map(([name, amount]) => [name, { number: dollars(amount) }]));
  $("report").hidden = false;
}

async function load() {
  try {
    const reply = await fetch("/api/report");
    const answer = await reply.json();
    if (!reply.ok) throw new Error(answer.message);
    delete $("period").dataset.state;
    show(answer);
  } catch (error) {
    $("period").dataset.state = "failed";
    $("period").textContent = error instanceof TypeError ? "The stack does not answer. Start it, then reload." : `No report: ${error.message}`;
  }
}

$("again").addEventListener("click", load);
await load();
