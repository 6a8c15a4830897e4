// The sign-in page, based on latchkey.js. All data from the server is inserted as text. account.js, factors.js and account.css are loaded
// when they are needed.
import { Latchkey, LatchkeyError } from "./latchkey.js";
import { webmail } from "./webmail.js";

export const $ = (id) => document.getElementById(id);
export const on = (id, event, act) => $(id).addEventListener(event, act);
const { content: api, dataset } = document.querySelector("meta[name=latchkey]");
const onStepUp = async () => (await load("./factors.js")).stepUp();
export const auth = new Latchkey({ api, delivery: dataset.delivery, onStepUp });

const TITLES = { ask: "Sign in", answer: "Enter the code" };
/** The message for each error code, at most two lines on a phone. `…` stands for the waiting time. */
const PROBLEMS = {
  invalid_email: "This does not look like an email address. Please check it.",
  invalid_phone: "We cannot text this number. Check it and its country code.",
  invalid_otp: "This code does not work. Use the newest message, or send a new code.",
  forbidden: "This cannot be used to sign in here. Try an email address.",
  rate_limited: "That was a lot of codes. Please wait …, then try again.",
  too_many_attempts: "That was a lot of attempts. Please wait …, then try again.",
  email_send_failed: "The email could not be sent. Please try again.",
  sms_send_failed: "The text could not be sent. Try again, or use your email.",
  network: "We cannot reach the server. Check your connection, and try again.",
  throttled: "The server is busy. Please try again in a moment.",
  foreign: "Another server answered. If this network has a sign-in page of its own, open that first.",
  storage: "This browser keeps no data for this page. Allow cookies and site data for it.",
  busy: "Another tab of this page is busy. Please try again in a moment.",
  signed_out: "You have been signed out.",
};
const OURS = "Something went wrong on our side. Please try again in a moment.";
const FATES = {
  sent: "The message is on its way. It may take a minute.",
  delayed: "The provider has not taken our message yet. It may take some minutes.",
  delivered: "The message has arrived.",
  failed: "The message could not be delivered. Check the address, or use another one.",
  over: "This code is over. Send a new one.",
};
/** What the page says of channels that follow a text. */
const OTHERS = { voice: "We are calling", whatsapp: "We sent it by WhatsApp to" };
/** Why the page cannot tell whether somebody is signed in. */
const TROUBLES = {
  storage: ["No data allowed", "This browser keeps no data for this page. Allow cookies and site data for it in the settings, then try again."],
  insecure: ["No secure connection", "Signing in needs https. Open this page with an address that begins with https://."],
  unsupported: ["Browser too old", "This browser lacks what signing in needs. Please update it, or use another one."],
  busy: ["Another tab is busy", "Another tab of this page is still signing in. Please try again in a moment."],
  network: ["No connection", "We cannot reach the server to check whether you are signed in."],
  foreign: ["No connection", PROBLEMS.foreign],
  throttled: ["Server busy", PROBLEMS.throttled],
};
/** The statuses with which API Gateway refuses a request itself. */
const GATEWAYS = { 413: "refused", 429: "throttled", 431: "refused" };
/** The code of an error, or what `unexpected` means. */
const kindOf = ({ code, status }) => (code === "unexpected" && status < 500 ? GATEWAYS[status] ?? "foreign" : code);

function inWords(seconds = 60) {
  const [count, unit] = seconds < 90 ? [seconds, "second"] : seconds < 5_400 ? [seconds / 60, "minute"] : [seconds / 3_600, "hour"];
  return `${Math.ceil(count)} ${unit}${Math.ceil(count) === 1 ? "" : "s"}`;
}

// ---- One view at a time
export let shown;
export let leaving = new AbortController(); // aborts when the view changes
let isInside; // the user is signed in, and knows it
export function show(view, title = TITLES[view]) {
  leaving.abort();
  leaving = new AbortController();
  for (const each of document.querySelectorAll("main > :is(form, section)")) each.hidden = each.id !== view;
  document.querySelector("main").ariaBusy = "false";
  entitle(title);
  complain(view);
  isInside = auth.signedIn && view !== "ask" && view !== "answer";
  // A view with a single field gives it the focus. Others get it themselves, except the first one.
  if (view === "ask" || view === "answer" || view === "factor") $(view).querySelector("input").focus();
  else if (shown) $("title").focus();
  shown = view;
}

const entitle = (title) => (document.title = $("title").textContent = title);

/** Messages of a single view. */
export const MEANINGS = {
  ask: { invalid_request: "Enter an email address, or a phone number such as +44 7400 123456." },
  answer: { invalid_request: "Enter the code from the message." },
};

/** Shows the error in `place`, a view or a part of one, or removes the last one. */
export function complain(place, error) {
  const kind = error && kindOf(error);
  const text = error ? (MEANINGS[place]?.[kind] ?? PROBLEMS[kind] ?? OURS).replace("…", inWords(error.retryAfter)) : "";
  $(place).querySelector(".problem").textContent = text;
  const input = $(place).querySelector("input");
  if (!input) return;
  input.ariaInvalid = String(/^invalid/.test(error?.code ?? ""));
  if (error) input.select();
}

/** Runs `act` and shows its error at `place`, unless the view has changed. */
export async function explain(place, act) {
  const view = shown;
  complain(place);
  try {
    await act();
  } catch (error) {
    if (error.name !== "LatchkeyError") throw error;
    if (view === shown) complain(place, error);
  }
}

export async function attempt(act, place = shown) {
  const main = document.querySelector("main");
  if (main.ariaBusy === "true") return;
  main.ariaBusy = "true";
  try {
    await explain(place, act);
  } finally {
    // A user who has just signed in waits for the next view.
    main.ariaBusy = String(auth.signedIn === true && !isInside);
  }
}
// A double click may meet a button of the next view.
addEventListener("click", (event) => {
  if (event.detail < 2 || !event.target.closest("button")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, { capture: true });
export const submitted = (id, act) => on(id, "submit", (event) => {
  event.preventDefault();
  attempt(act);
});

// ---- A code
submitted("ask", async () => {
  const identifier = $("identifier").value.trim();
  if (!identifier) throw new LatchkeyError("invalid_email", "The address is missing.");
  const { pending } = auth;
  // A user who returned only to check the address already has a code.
  if (pending?.identifier !== identifier || pending.resendAt < Date.now()) await auth.request(identifier);
  wait();
});

function wait({ isNew = false } = {}) {
  const { identifier, channel } = auth.pending;
  const mailbox = webmail(identifier);
  $("identifier").value = identifier;
  $("sent").textContent = OTHERS[channel] ?? (isNew ? "We sent a new code to" : "We sent it to");
  for (const other in OTHERS) $(other).hidden = true;
  $("sent-to").textContent = identifier;
  $("code").value = "";
  $("webmail").hidden = !mailbox;
  if (mailbox) Object.assign($("webmail"), { href: mailbox.url, textContent: `Open ${mailbox.name}` });
  show("answer");
  load("./account.js").catch(() => undefined); // it comes next
  // So that the back button leads to the address.
  if (history.state) history.replaceState(identifier, "");
  else history.pushState(identifier, "");
  count();
  $("fate").textContent = "";
  clearTimeout(wait.timer);
  // By then most messages have arrived.
  wait.timer = setTimeout(() => shown === "answer" && lookAfter({ isAsked: false }).catch(() => undefined), 10_000);
  if (channel === "sms") fromText();
}

/** Tells what became of the message. Unasked, only bad news. */
async function lookAfter({ isAsked }) {
  const { identifier } = auth.pending ?? {};
  const { state, can } = await auth.status();
  if (shown !== "answer" || auth.pending?.identifier !== identifier) return;
  if (isAsked || state === "failed") for (const other in OTHERS) $(other).hidden = !can.includes(other);
  if (isAsked || state === "delayed" || state === "failed") $("fate").textContent = FATES[state] ?? FATES.sent;
}

export function askAgain() {
  $("identifier").value ||= history.state ?? "";
  show("ask");
  $("identifier").select();
}

/** Shows the view for a user who is not signed in. */
function outside() {
  if (auth.due) explained(second);
  else if (auth.pending) wait();
  else askAgain();
}

addEventListener("popstate", ({ state }) => {
  if (shown !== "ask" && auth.signedIn === false && !state) askAgain();
  else if (shown === "ask" && state) outside();
});
for (const event of ["visibilitychange", "pageshow"]) addEventListener(event, () => shown === "answer" && !auth.pending && askAgain());

/** Fills in the code from a text message, if the browser supports it. */
async function fromText() {
  if (!("OTPCredential" in window)) return;
  const { signal } = leaving;
  const text = await navigator.credentials.get({ otp: { transport: ["sms"] }, signal }).catch(() => null); // the user types it instead
  if (!text?.code || signal.aborted) return;
  $("code").value = text.code;
  $("answer").requestSubmit();
}

function count() {
  clearTimeout(count.timer);
  const left = Math.ceil(((auth.pending?.resendAt ?? 0) - Date.now()) / 1_000);
  $("resend").disabled = left > 0;
  $("resend").textContent = left > 0 ? `Send a new code in ${left < 90 ? `${left} s` : inWords(left)}` : "Send a new code";
  if (left > 0 && shown === "answer") count.timer = setTimeout(count, 1_000);
}

submitted("answer", async () => {
  const code = $("code").value.trim();
  if (!code) throw new LatchkeyError("invalid_request", "The code is missing.");
  if (!(await auth.verify(code))) await second();
});
// The server finds the code in a pasted message.
on("code", "paste", (event) => {
  event.preventDefault();
  $("code").value = event.clipboardData.getData("text").replace(/\s+/g, " ").trim();
  $("answer").requestSubmit();
});
// A long code reads like `ABCD EFGH IJKLM`.
on("code", "input", ({ isComposing }) => {
  const field = $("code");
  const plain = field.value.replace(/[\s-]/g, "").toUpperCase();
  const isAtEnd = field.selectionStart === field.value.length;
  if (isComposing || !isAtEnd || !/[A-Z]/.test(plain) || plain.length > 13) return;
  field.value = [plain.slice(0, 4), plain.slice(4, 8), plain.slice(8)].filter(Boolean).join(" ");
});
const again = (options) => attempt(async () => {
  await auth.resend(options);
  wait({ isNew: true });
  $("news").textContent = "A new code is on its way. Use the newest message.";
});
on("resend", "click", () => again());
for (const channel in OTHERS) on(channel, "click", () => again({ channel }));
on("missing", "click", () => attempt(() => lookAfter({ isAsked: true })));
on("letters", "click", () => {
  $("code").inputMode = "text";
  $("code").focus();
});
export const goBack = () => (history.state ? history.back() : askAgain());
on("change", "click", goBack);

// ---- Parts of the page that a sign-in with a code does not need
let styled;
export async function load(name) {
  styled ??= new Promise((loaded) => {
    const styles = Object.assign(document.createElement("link"), { rel: "stylesheet", href: "account.css", onload: loaded, onerror: loaded });
    document.head.append(styles);
  });
  try {
    await styled;
    return await import(name);
  } catch (cause) {
    throw new LatchkeyError("network", `${name} is missing.`, { cause });
  }
}

/** Shows the second factor that is due. */
const second = async () => (await load("./factors.js")).begin();

async function enter() {
  document.querySelector("main").ariaBusy = "true";
  if (history.state) history.replaceState(null, "");
  await explained(async () => (await load("./account.js")).enter());
}

auth.addEventListener("change", ({ detail: { signedIn, why } }) => {
  if (signedIn) return enter();
  if (why === "ended") {
    askAgain();
    complain("ask", { code: "signed_out" });
  } else {
    outside();
  }
});

// ---- Start: the `change` event shows the result, now or when the client has found out later
async function explained(act) {
  try {
    await act();
  } catch (error) {
    if (error.name !== "LatchkeyError") throw error;
    const [title, lead] = TROUBLES[kindOf(error)] ?? ["Not available", OURS];
    show("apart", title);
    $("apart-lead").textContent = lead;
    $("apart").querySelector(".main").hidden = error.code === "insecure" || error.code === "unsupported";
  }
}
// A browser may remember that a part of the page was missing.
submitted("apart", () => (auth.signedIn === undefined ? explained(() => auth.restore()) : location.reload()));
explained(() => auth.restore());
