// The second step of a sign-in, step-ups, new authenticator apps and backup codes.
import { LatchkeyError } from "./latchkey.js";
import { $, MEANINGS, askAgain, attempt, auth, complain, goBack, leaving, on, show, submitted } from "./page.js";

document.querySelector("main").insertAdjacentHTML("beforeend", `
<form id="factor" novalidate hidden>
  <p id="factor-lead" class="lead"></p>
  <label id="proof-label" for="proof"></label>
  <input id="proof" autocomplete="one-time-code" inputmode="numeric" autocapitalize="characters" spellcheck="false"
         aria-describedby="factor-lead factor-problem" required>
  <p id="factor-problem" class="problem" role="alert"></p>
  <!-- The days are those of TRUSTED_DEVICE_DAYS. -->
  <label id="trusting" class="check"><input id="trust" type="checkbox"> Trust this browser for 30 days</label>
  <button class="main">Continue</button>
  <p class="others">
    <button type="button" id="other-proof" class="link">Use a backup code</button>
    <button type="button" id="factor-back" class="link">Cancel</button>
  </p>
</form>

<form id="app" novalidate hidden>
  <p class="lead">Scan this with an authenticator app. Then enter the code that the app shows.</p>
  <img id="qr" alt="QR code for an authenticator app">
  <p class="note">No camera? <a id="otpauth" class="link">Open an app on this device</a>, or type this key: <code id="secret"></code></p>
  <label for="first">Code from the app</label>
  <input id="first" autocomplete="one-time-code" inputmode="numeric" spellcheck="false" aria-describedby="app-problem" required>
  <p id="app-problem" class="problem" role="alert"></p>
  <button class="main">Add the app</button>
  <p class="others"><button type="button" id="app-back" class="link">Cancel</button></p>
</form>

<section id="codes" aria-labelledby="title" hidden>
  <p id="codes-lead" class="lead"></p>
  <ul id="backup" class="rows"></ul>
  <p id="keep" class="beside">
    <button type="button" id="copy" class="link">Copy</button>
    <button type="button" id="print" class="link">Print</button>
    <a id="download" class="link" download="backup-codes.txt">Download</a>
  </p>
  <p class="problem" role="alert"></p>
  <button type="button" id="kept" class="main">Continue</button>
</section>
`);

const REFUSED = "This code does not work. Enter the one that the app shows now.";
MEANINGS.factor = { invalid_request: "Enter the code.", invalid_otp: REFUSED };
MEANINGS.ask.late = "That took too long. Request a new code.";
MEANINGS.inside = MEANINGS.security = { unproven: "Nothing was changed, because you did not confirm it." };
MEANINGS.app = { invalid_request: "Enter the code that the app shows.", invalid_otp: REFUSED };

/** What the form of a second factor asks for, by its method. */
const ASKS = {
  totp: ["Code from the app", "Enter the code that your authenticator app shows.", "Use a backup code"],
  backup_code: ["Backup code", "Enter one of your backup codes. Each works once.", "Use the app"],
  otp: ["Code from the message", "Enter the code from the message to", "Send a new code"],
};

let asked; // the method, the other methods, and what to do with a proof
function ask(method) {
  asked.method = method;
  const { methods, address = "" } = asked;
  const [label, lead, other] = ASKS[method];
  $("proof-label").textContent = label;
  $("factor-lead").textContent = address ? `${lead} ${address}.` : lead;
  $("other-proof").textContent = other;
  $("other-proof").hidden = method !== "otp" && methods.length < 2;
  Object.assign($("proof"), { value: "", inputMode: method === "backup_code" ? "text" : "numeric", autocomplete: method === "backup_code" ? "off" : "one-time-code" });
  complain("factor");
  $("proof").focus();
}

on("other-proof", "click", () => {
  if (asked.method === "otp") attempt(async () => { await asked.send(); ask("otp"); $("news").textContent = "A new code is on its way."; });
  else ask(asked.methods.find((method) => method !== asked.method));
});
on("factor-back", "click", () => asked.cancel());
submitted("factor", async () => {
  const code = $("proof").value.replace(/\s/g, "");
  if (!code) throw new LatchkeyError("invalid_request", "The code is missing.");
  try {
    await asked.prove({ method: asked.method, code });
  } catch (error) {
    if (asked.isLate()) return asked.late();
    throw error;
  }
});

/** Shows the step of a sign-in that is due. */
export function begin() {
  const { state, methods } = auth.due;
  if (state === "enrolment") return addApp();
  if (state === "enrolled") return showCodes();
  const startAgain = () => { auth.forget(); goBack(); };
  const late = () => { auth.forget(); askAgain(); complain("ask", { code: "late" }); };
  const prove = (proof) => auth.secondFactor({ ...proof, trustDevice: $("trust").checked });
  asked = { methods: methods.filter((method) => method in ASKS), prove, cancel: startAgain, isLate: () => !auth.due, late };
  $("trusting").hidden = false;
  show("factor", "One more step");
  ask(asked.methods[0]);
}

/** Asks the user to prove again who is there. Fails if the user cancels it. */
export async function stepUp() {
  const [step, user] = await Promise.all([auth.stepUp(), auth.profile()]);
  const isByCode = step.methods[0] === "otp";
  const address = isByCode ? user.email ?? user.phone : undefined;
  const send = () => step.request(address);
  if (isByCode) await send();
  await new Promise((resolve, reject) => {
    const end = (act) => { act(); show("inside", "Signed in"); };
    const cancel = () => end(() => reject(new LatchkeyError("unproven", "The user has cancelled the step-up.")));
    const prove = async (proof) => { await step.verify(proof); end(resolve); };
    asked = { methods: step.methods, address, send, prove, cancel, isLate: () => step.expiresAt < Date.now(), late: cancel };
    $("trusting").hidden = true;
    show("factor", "Confirm that it is you");
    ask(step.methods[0]);
    leaving.signal.addEventListener("abort", () => reject(new LatchkeyError("unproven", "The user has left the step-up.")));
  });
  // The request that needed it goes on.
  document.querySelector("main").ariaBusy = "true";
}

// ---- A new app
let adding;
/** Shows a new app, and its backup codes if it is the first one. `done` shows the next view. Without it, the user is signing in. */
export async function addApp(done) {
  const { factor_id, secret, otpauth_uri, qr_svg } = await auth.addTotp();
  adding = { factor_id, done };
  $("qr").src = `data:image/svg+xml,${encodeURIComponent(qr_svg)}`;
  $("secret").textContent = grouped(secret);
  $("otpauth").hidden = !otpauth_uri.startsWith("otpauth://");
  $("otpauth").href = $("otpauth").hidden ? "" : otpauth_uri;
  $("first").value = "";
  show("app", done ? "Add an app" : "Add a second step");
}

submitted("app", async () => {
  const code = $("first").value.replace(/\s/g, "");
  if (!code) throw new LatchkeyError("invalid_request", "The code is missing.");
  const { factor_id, done } = adding;
  try {
    const codes = await auth.confirmTotp(factor_id, code);
    if (codes || !done) showCodes(codes, done);
    else await done();
  } catch (error) {
    if (done || auth.due) throw error;
    auth.forget();
    askAgain();
    complain("ask", { code: "late" });
  }
});
on("app-back", "click", () => {
  if (adding.done) return show("inside", "Signed in");
  auth.forget();
  goBack();
});

// ---- Backup codes
const grouped = (text) => (/^\w+$/.test(text) ? text.match(/.{1,4}/g).join(" ") : text);
let kept; // shows the view after the codes
/** Shows backup codes, for this once. There are none after a reload. */
export function showCodes(codes = [], done = () => auth.secondFactor({ method: "enrolled" })) {
  kept = done;
  const texts = codes.map(grouped);
  $("codes-lead").textContent = codes.length > 0
    ? "Each of these codes works once instead of the app. Keep them in a safe place. They are shown only now."
    : "The app has been added.";
  $("backup").replaceChildren(...texts.map((text) => {
    const row = document.createElement("li");
    row.appendChild(document.createElement("code")).textContent = text;
    return row;
  }));
  $("keep").hidden = codes.length === 0;
  $("download").href = `data:text/plain;charset=utf-8,${encodeURIComponent(`${location.host}\n\n${texts.join("\n")}\n`)}`;
  show("codes", "Backup codes");
}

on("copy", "click", async () => {
  const text = [...$("backup").children].map(({ textContent }) => textContent).join("\n");
  $("news").textContent = await navigator.clipboard.writeText(text).then(() => "The codes are copied.", () => "The browser copies nothing for this page.");
});
on("print", "click", () => print());
on("kept", "click", () => attempt(async () => {
  await kept();
  $("backup").replaceChildren();
}));
