import { Latchkey } from "./latchkey.js";

const $ = (id) => document.getElementById(id);
const auth = new Latchkey({ api: "http://127.0.0.1:3000", delivery: "body" });

async function show() {
  const { signedIn, pending } = auth;
  $("ask").hidden = signedIn || Boolean(pending);
  $("answer").hidden = signedIn || !pending;
  $("out").hidden = !signedIn;
  const user = signedIn && (await auth.profile());
  if (auth.signedIn !== signedIn) return;              // too late: the event `change` shows the new state
  $("status").textContent = signedIn ? `Signed in as ${user.email}` : "";
}

async function run(action) {
  try {
    await action();
    await show();
  } catch (error) {
    $("status").textContent = error.message;
  }
}

function onSubmit(id, action) {
  $(id).addEventListener("submit", (event) => {
    event.preventDefault();
    run(action);
  });
}

onSubmit("ask", () => auth.request($("identifier").value));
onSubmit("answer", () => auth.verify($("code").value));
$("resend").addEventListener("click", () => run(() => auth.resend()));
$("other").addEventListener("click", () => run(async () => auth.forget()));
$("out").addEventListener("click", () => run(() => auth.signOut()));
auth.addEventListener("change", () => run(show));      // also after a sign-in or sign-out in another tab
run(() => auth.restore());
