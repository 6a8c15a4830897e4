import { Latchkey } from "./latchkey.js";

const $ = (id) => document.getElementById(id);
const auth = new Latchkey({ api: "http://127.0.0.1:3000", delivery: "body" });

async function show() {
  $("ask").hidden = auth.signedIn || Boolean(auth.pending);
  $("answer").hidden = auth.signedIn || !auth.pending;
  $("out").hidden = !auth.signedIn;
  $("status").textContent = auth.signedIn ? `Signed in as ${(await auth.profile()).email}` : "";
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
$("out").addEventListener("click", () => run(() => auth.signOut()));
auth.addEventListener("change", () => run(show));      // also after a sign-in or sign-out in another tab
run(() => auth.restore());
