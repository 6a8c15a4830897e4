// The sign-in page, based on latchkey.js. All data from the server is inserted as text.
import { Latchkey, LatchkeyError } from "./latchkey.js";

const $ = (id) => document.getElementById(id);
const on = (id, event, act) => $(id).addEventListener(event, act);
const { content: api, dataset } = document.querySelector("meta[name=latchkey]");
const auth = new Latchkey({ api, delivery: dataset.delivery });

const TITLES = { ask: "Sign in", answer: "Enter the code", inside: "Signed in", apart: "No connection" };
/** The message for each error code, at most two lines on a phone. `…` stands for the waiting time. */
const PROBLEMS = {
  invalid_request: "Enter an email address, or a phone number such as +44 7400 123456.",
  invalid_email: "This does not look like an email address. Please check it.",
  invalid_phone: "We cannot text this number. Check it and its country code.",
  invalid_otp: "This code does not work. Check it, or send a new one.",
  forbidden: "This cannot be used to sign in here. Try an email address.",
  rate_limited: "That was a lot of codes. Please wait …, then try again.",
  too_many_attempts: "That was a lot of attempts. Please wait …, then try again.",
  email_send_failed: "The email could not be sent. Please try again.",
  sms_send_failed: "The text could not be sent. Try again, or use your email.",
  network: "We cannot reach the server. Check your connection, and try again.",
  signed_out: "You have been signed out.",
};
const OURS = "Something went wrong on our side. Please try again in a moment.";

function inWords(seconds = 60) {
  const [count, unit] = seconds < 90 ? [seconds, "second"] : seconds < 5_400 ? [seconds / 60, "minute"] : [seconds / 3_600, "hour"];
  return `${Math.ceil(count)} ${unit}${Math.ceil(count) === 1 ? "" : "s"}`;
}

// ---- One view at a time
let shown;
let texts; // aborts the wait for a text message
function show(view) {
  texts?.abort();
  for (const name of Object.keys(TITLES)) $(name).hidden = name !== view;
  document.querySelector("main").ariaBusy = "false";
  document.title = $("title").textContent = TITLES[view];
  complain(view);
  // The first view moves the focus only if it has a single field to fill in.
  if (view === "ask" || view === "answer") $(view).querySelector("input").focus();
  else if (shown) $("title").focus();
  shown = view;
}

/** Shows the error in `view`, or removes the last one. */
function complain(view, error) {
  const place = $(view).querySelector(".problem");
  place.textContent = error ? (PROBLEMS[error.code] ?? OURS).replace("…", inWords(error.retryAfter)) : "";
  const input = $(view).querySelector("input");
  if (!input) return;
  input.ariaInvalid = String(/^invalid/.test(error?.code ?? ""));
  if (error) input.select();
}

/** Runs one action at a time, and shows its error. */
async function attempt(act) {
  const main = document.querySelector("main");
  if (main.ariaBusy === "true") return;
  const view = shown;
  main.ariaBusy = "true";
  try {
    complain(view);
    await act();
  } catch (error) {
    if (error.name !== "LatchkeyError") throw error;
    if (view === shown) complain(view, error);
  } finally {
    main.ariaBusy = "false";
  }
}
const submitted = (id, act) => on(id, "submit", (event) => {
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

function wait() {
  const { identifier, channel } = auth.pending;
  $("sent-to").textContent = identifier;
  $("code").value = "";
  show("answer");
  count();
  if (channel === "sms") fromText();
}

/** Fills in the code from a text message, if the browser supports it. */
async function fromText() {
  if (!("OTPCredential" in window)) return;
  texts = new AbortController();
  const { signal } = texts;
  const text = await navigator.credentials.get({ otp: { transport: ["sms"] }, signal }).catch(() => null); // the user types it instead
  if (!text?.code || signal.aborted) return;
  $("code").value = text.code;
  $("answer").requestSubmit();
}

function count() {
  clearTimeout(count.timer);
  const left = Math.ceil(((auth.pending?.resendAt ?? 0) - Date.now()) / 1_000);
  $("resend").disabled = left > 0;
  $("resend").textContent = left > 0 ? `Send a new code in ${left} s` : "Send a new code";
  if (left > 0 && shown === "answer") count.timer = setTimeout(count, 250);
}

submitted("answer", () => auth.verify($("code").value));
// A pasted code is complete. The server also finds it in a pasted message.
on("code", "paste", (event) => {
  event.preventDefault();
  $("code").value = event.clipboardData.getData("text").replace(/\s+/g, " ").trim();
  $("answer").requestSubmit();
});
on("resend", "click", () => attempt(async () => {
  await auth.resend();
  wait();
  $("news").textContent = "A new code is on its way.";
}));
on("letters", "click", () => {
  $("code").inputMode = "text";
  $("code").focus();
});
on("change", "click", () => {
  $("identifier").value = auth.pending?.identifier ?? "";
  show("ask");
  $("identifier").select();
});

// ---- Signed in
/** Shows the view only when it is complete, so that its parts do not move. */
async function enter() {
  const error = await list().catch((error) => error);
  if (!auth.signedIn) return;
  show("inside");
  if (error) complain("inside", error);
}

async function list() {
  const [user, sessions] = await Promise.all([auth.profile(), auth.sessions()]);
  $("who").textContent = user.full_name || user.email || user.phone;
  $("sessions").replaceChildren(...sessions.map(row));
}

function row({ id, device, current, last_used }) {
  const row = $("session").content.firstElementChild.cloneNode(true);
  const used = new Date(last_used).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  const end = row.querySelector("button");
  row.querySelector(".device").textContent = device;
  row.querySelector(".used").textContent = current ? "This browser" : `Last used ${used}`;
  end.hidden = current;
  end.ariaLabel = `End the session of ${device}, last used ${used}`;
  end.addEventListener("click", () => attempt(async () => {
    await auth.endSession(id);
    await list();
    $("title").focus();
    $("news").textContent = "The session has ended.";
  }));
  return row;
}

on("out", "click", () => attempt(() => auth.signOut()));
on("everywhere", "click", () => attempt(() => auth.signOut({ everywhere: true })));

auth.addEventListener("change", ({ detail: { signedIn, why } }) => {
  if (signedIn) return enter();
  if (auth.pending) return wait();
  show("ask");
  if (why === "ended") complain("ask", { code: "signed_out" });
});

// ---- Start: the `change` event shows the result
async function begin() {
  try {
    await auth.restore();
  } catch (error) {
    if (error.name !== "LatchkeyError") throw error;
    show("apart");
  }
}
submitted("apart", begin);
begin();
