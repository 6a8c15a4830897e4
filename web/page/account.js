// The page of a user who is signed in: where, what happened, and the second step.
import { $, attempt, auth, complain, explain, load, on, show } from "./page.js";

document.querySelector("main").insertAdjacentHTML("beforeend", `
<section id="inside" aria-labelledby="title" hidden>
  <p class="lead">You are signed in as <strong id="who"></strong>.</p>
  <h2>Where you are signed in</h2>
  <ul id="sessions" class="rows"></ul>
  <p id="inside-problem" class="problem" role="alert"></p>
  <button type="button" id="out" class="main">Sign out</button>
  <p class="others"><button type="button" id="everywhere" class="link">Sign out everywhere</button></p>
  <section id="security" aria-labelledby="security-title" hidden>
    <h2 id="security-title" tabindex="-1">Second step</h2>
    <p id="security-note" class="note"></p>
    <ul id="apps" class="rows"></ul>
    <p class="problem" role="alert"></p>
    <p class="others">
      <button type="button" id="add-app" class="link">Add an authenticator app</button>
      <button type="button" id="new-codes" class="link">New backup codes</button>
      <button type="button" id="forget-all" class="link">Trust no browser any more</button>
    </p>
  </section>
  <!-- At the end, because it comes after the rest of the view. -->
  <section id="activity" aria-labelledby="activity-title">
    <h2 id="activity-title" tabindex="-1">Activity</h2>
    <p id="activity-note" class="note"></p>
    <ul id="entries" class="rows"></ul>
    <button type="button" id="more" class="link"></button>
    <p class="problem" role="alert"></p>
  </section>
</section>
<template id="session">
  <li>
    <span class="device"></span>
    <span class="note"></span>
    <button type="button" class="link">End</button>
  </li>
</template>
<template id="entry">
  <li tabindex="-1">
    <span class="words"></span>
    <span class="note"><time></time><span class="device"></span></span>
  </li>
</template>
`);

let visit; // an object for each user who signs in, with the next page of the activity and the devices of sessions
/** Shows the view only when it is complete, so that its parts do not move. */
export async function enter() {
  beginVisit();
  const mine = visit;
  const error = await list().catch((error) => error);
  if (!auth.signedIn || mine !== visit) return;
  show("inside", "Signed in");
  if (error) complain("inside", error);
  await lookBack();
}

async function list() {
  const mine = visit;
  const [user, sessions, factors] = await Promise.all([auth.profile(), auth.sessions(), auth.factors().catch((error) => error)]);
  if (mine !== visit) return; // meanwhile another user has signed in
  $("who").textContent = user.full_name || user.email || user.phone;
  $("sessions").replaceChildren(...sessions.map(session));
  secure(factors);
}

const copyOf = (template) => $(template).content.firstElementChild.cloneNode(true);
const moment = (time) => new Date(time).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });

function row(name, note, button, label, act) {
  const row = copyOf("session");
  const end = row.querySelector("button");
  row.querySelector(".device").textContent = name;
  row.querySelector(".note").textContent = note;
  end.hidden = !act;
  Object.assign(end, { textContent: button, ariaLabel: label });
  if (act) end.addEventListener("click", act);
  return row;
}

/** Runs an action of the list, and then shows the new list. `news` says what has happened. */
const changing = (place, focus, news, act) => () => attempt(async () => {
  await act();
  await list();
  $(focus).focus();
  $("news").textContent = news;
}, place);

function session({ id, device, current, last_used }) {
  const used = moment(last_used);
  const end = changing("inside", "title", "The session has ended.", () => auth.endSession(id));
  return row(device, current ? "This browser" : `Last used ${used}`, "End", `End the session of ${device}, last used ${used}`, !current && end);
}

on("out", "click", () => attempt(() => auth.signOut()));
on("everywhere", "click", () => attempt(() => auth.signOut({ everywhere: true })));

// ---- The second step
/** Shows the factors, or why they are unknown. An API without second factors has no such list. */
function secure(factors) {
  const { code, policy, required, totp = [], backup_codes_left: left, trusted_devices = [] } = factors;
  $("security").hidden = code === "not_found" || policy === "off";
  complain("security", code && factors);
  const has = totp.length > 0;
  $("security-note").textContent = code ? "" : has
    ? `After the code you enter one from your app. ${left === 1 ? "1 backup code is" : `${left} backup codes are`} left.`
    : "Add an authenticator app, so that a code alone does not sign in.";
  const change = (news, act) => changing("security", "security-title", news, act);
  const apps = totp.map(({ id, name, created }) => {
    const app = name || "Authenticator app";
    const act = change("The app has been removed.", () => auth.removeTotp(id));
    return row(app, `Added ${moment(created)}`, "Remove", `Remove ${app}`, !(required && totp.length === 1) && act);
  });
  const devices = trusted_devices.map(({ id, device, expires_at, current }) => {
    const note = `${current ? "This browser, trusted" : "Trusted"} until ${moment(expires_at)}`;
    return row(device, note, "End", `Trust ${device} no longer`, change("The browser is not trusted any more.", () => auth.forgetDevice(id)));
  });
  $("apps").replaceChildren(...apps, ...devices);
  $("add-app").hidden = Boolean(code) || totp.length > 1;
  $("new-codes").hidden = !has;
  $("forget-all").hidden = devices.length < 2;
}

on("forget-all", "click", changing("security", "security-title", "No browser is trusted any more.", () => auth.forgetDevices()));
// The views of new apps and codes end with this one.
on("add-app", "click", () => attempt(async () => (await load("./factors.js")).addApp(enter), "security"));
on("new-codes", "click", () => attempt(async () => (await load("./factors.js")).showCodes(await auth.newBackupCodes(), enter), "security"));

// ---- Activity
const WAYS = { otp_email: " with a code by email", otp_sms: " with a code by text" };
const ENDS = {
  logout: "Signed out",
  everywhere: "Signed out everywhere",
  disavowed: "Ended after a sign-in of somebody else",
  revoked: "Session ended from another browser",
  limit: "Session ended, because too many were open",
  factors: "Session ended, because the second step was changed",
  reuse: "Session ended, because somebody may have copied it",
};
/** What an entry says, by its type. Later versions of the API add types, which are left out. */
const WORDS = {
  "user.created": ({ method }) => `Signed up${WAYS[method] ?? ""}`,
  "session.opened": ({ method }) => `Signed in${WAYS[method] ?? ""}`,
  "session.ended": ({ reason }) => ENDS[reason] ?? "Session ended",
  "user.updated": ({ fields = [] }) => `Profile changed: ${fields.join(", ").replaceAll("_", " ")}`,
};

function beginVisit() {
  visit = { next: undefined, devices: new Map() };
  $("entries").replaceChildren();
  $("activity-note").textContent = "Loading…";
  Object.assign($("more"), { textContent: "Try again", hidden: true });
}

async function lookBack() {
  const mine = visit;
  await explain("activity", more);
  if (mine !== visit || mine.next !== undefined) return;
  $("activity-note").textContent = "";
  $("more").hidden = false;
}

/** Shows the next page of the activity, and returns its first entry. */
async function more() {
  const mine = visit;
  const { activity, next } = await auth.activity({ before: mine.next });
  if (mine !== visit) return undefined;
  mine.next = next;
  for (const { session, device } of activity) if (device) mine.devices.set(session, device);
  const entries = activity.filter(({ type }) => Object.hasOwn(WORDS, type)).map(entry);
  $("entries").append(...entries);
  // A session's device is known from its sign-in, which may be on a later page than its end.
  for (const { dataset, lastElementChild } of $("entries").children) {
    lastElementChild.querySelector(".device").textContent = mine.devices.get(dataset.session) ?? "";
  }
  const isEmpty = $("entries").children.length === 0;
  const none = next === null ? "There are no entries. New ones" : "Older entries follow. New ones";
  $("activity-note").textContent = `${isEmpty ? none : "New entries"} appear after a minute or two.`;
  Object.assign($("more"), { textContent: "Show more", hidden: next === null });
  return entries[0];
}

function entry(happened) {
  const entry = copyOf("entry");
  entry.dataset.session = happened.session;
  entry.querySelector(".words").textContent = WORDS[happened.type](happened);
  Object.assign(entry.querySelector("time"), { dateTime: happened.time, textContent: moment(happened.time) });
  return entry;
}

on("more", "click", () => attempt(async () => {
  const first = await more();
  (first ?? $("activity-title")).focus();
}, "activity"));
