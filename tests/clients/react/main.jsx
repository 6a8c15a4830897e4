import { StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { Latchkey } from "@latchkey/client";

// One client for the whole app. It lives outside of the components, because StrictMode mounts each of them twice.
const auth = new Latchkey({ api: import.meta.env.VITE_AUTH_API });

/** What the app's own server knows about the user. */
async function fetchMe() {
  const answer = await auth.fetch("/me");
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  return answer.json();
}

/** The state to show, and a function that runs an action and then shows the new state. */
function useAuth() {
  const [state, setState] = useState({});
  async function run(action) {
    let problem;
    await action().catch((error) => (problem = error.message));
    const { signedIn, pending } = auth;
    const me = signedIn && (await fetchMe().catch((error) => void (problem ??= error.message)));
    if (auth.signedIn === signedIn) setState({ signedIn, pending, me, problem }); // otherwise too late: `change` shows the new state
  }
  useEffect(() => {
    const changed = () => run(async () => undefined);
    auth.addEventListener("change", changed); // also after a sign-in or sign-out in another tab
    run(() => auth.restore());
    return () => auth.removeEventListener("change", changed);
  }, []);
  return [state, run];
}

function Field({ label, kind, button, onValue }) {
  function submit(event) {
    event.preventDefault();
    onValue(new FormData(event.target).get("value"));
  }
  return (
    <form onSubmit={submit}>
      <label>{label} <input name="value" autoComplete={kind} required /></label> <button>{button}</button>
    </form>
  );
}

function App() {
  const [{ signedIn, pending, me, problem }, run] = useAuth();
  return (
    <main>
      {problem && <p role="alert">{problem}</p>}
      {signedIn === false && !pending && (
        <Field key="ask" label="Email" kind="username" button="Send the code" onValue={(email) => run(() => auth.request(email))} />
      )}
      {signedIn === false && pending && (
        <>
          <Field key="answer" label="Code" kind="one-time-code" button="Sign in" onValue={(code) => run(() => auth.verify(code))} />
          <button onClick={() => run(() => auth.resend())}>Send a new code</button>{" "}
          <button onClick={() => run(async () => auth.forget())}>Use another address</button>
        </>
      )}
      {me && <p>Signed in as user {me.id} <button onClick={() => run(() => auth.signOut())}>Sign out</button></p>}
    </main>
  );
}

createRoot(document.getElementById("root")).render(<StrictMode><App /></StrictMode>);
