"use client";

import { useEffect, useState } from "react";
import { Latchkey } from "@latchkey/client";

// Next.js also runs this line on its server. There the client does nothing until a method is called.
const auth = new Latchkey({ api: process.env.NEXT_PUBLIC_AUTH_API });

async function fetchMe() {
  const answer = await auth.fetch("/api/me");
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  return answer.json();
}

export default function Page() {
  const [{ signedIn, pending, me, problem }, setState] = useState({});
  async function run(action) {
    let problem;
    await action().catch((error) => (problem = error.message));
    const { signedIn, pending } = auth;
    const me = signedIn && (await fetchMe().catch((error) => void (problem ??= error.message)));
    if (auth.signedIn === signedIn) setState({ signedIn, pending, me, problem }); // otherwise too late: `change` shows the new state
  }
  useEffect(() => {
    const changed = () => run(async () => undefined);
    auth.addEventListener("change", changed);
    run(() => auth.restore());
    return () => auth.removeEventListener("change", changed);
  }, []);
  const ask = (form) => run(() => auth.request(form.get("email")));
  const answer = (form) => run(() => auth.verify(form.get("code")));
  return (
    <main>
      {problem && <p role="alert">{problem}</p>}
      {signedIn === false && !pending && (
        <form action={ask}><label>Email <input name="email" autoComplete="username" required /></label> <button>Send the code</button></form>
      )}
      {signedIn === false && pending && (
        <form action={answer}>
          <label>Code <input name="code" autoComplete="one-time-code" required /></label> <button>Sign in</button>
          <button type="button" onClick={() => run(() => auth.resend())}>Send a new code</button>
          <button type="button" onClick={() => run(async () => auth.forget())}>Use another address</button>
        </form>
      )}
      {me && <p>Signed in as user {me.id} <button onClick={() => run(() => auth.signOut())}>Sign out</button></p>}
    </main>
  );
}
