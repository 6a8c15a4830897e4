// The client beside pages: in the workers of a page, and where a platform has only a part of a browser.
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { Worker } from "node:worker_threads";
import { launch } from "./browser.js";
import { Person } from "./person.js";
import { ADA, start } from "./stack.js";

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

test("an app without a browser's parts signs in and out, and each missing part is named", async (t) => {
  const { api, inbox } = await start(t);
  const thread = new Worker(new URL("thread.js", import.meta.url), { workerData: { api, inbox, address: ADA } });
  const [code] = await once(thread, "exit"); // `once` rejects with an error of the thread
  assert.equal(code, 0);
});

/** Starts a worker of the page, and returns a function that calls its client. */
async function worker({ page }, kind) {
  await page.evaluate(async (kind) => {
    const start = {
      Worker: () => new Worker("/worker.js", { type: "module" }),
      SharedWorker: () => new SharedWorker("/worker.js", { type: "module" }).port,
      ServiceWorker: async () => {
        await navigator.serviceWorker.register("/worker.js", { type: "module" });
        return (await navigator.serviceWorker.ready).active;
      },
    };
    const receiver = await start[kind]();
    receiver.start?.();
    window.call = (request) => new Promise((resume) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = ({ data }) => resume(data);
      receiver.postMessage(request, [port2]);
    });
  }, kind);
  return async (member, ...values) => {
    const { value, message } = await page.evaluate((request) => window.call(request), { member, values });
    if (message) throw new Error(message);
    return value;
  };
}

for (const kind of ["Worker", "SharedWorker", "ServiceWorker"]) {
  for (const delivery of ["body", "cookie"]) {
    test(`${delivery}: a client in a ${kind} shares the session with its page`, async (t) => {
      const stack = await start(t, { TokenDelivery: delivery });
      const context = await browser.newContext();
      context.setDefaultTimeout(10_000);
      t.after(() => context.close());
      const ada = await new Person(await context.newPage(), stack).open();
      await ada.sees("Sign in");
      const auth = await worker(ada, kind);
      await auth("new", { api: stack.api, delivery });
      assert.equal(await auth("restore"), false);
      await auth("request", ADA);
      await auth("close");
      await auth("new", { api: stack.api, delivery }); // as in a worker that the browser has stopped and started
      assert.equal(await auth("restore"), false);
      assert.equal((await auth("pending")).identifier, ADA);
      assert.equal((await auth("verify", await stack.code())).email, ADA);
      await ada.isInside(ADA);
      assert.notEqual(await auth("token"), await auth("refresh"));
      assert.equal((await auth("profile")).email, ADA);
      await auth("signOut");
      await ada.sees("Sign in");
      await ada.signIn(ADA);
      assert.equal(await auth("signedIn"), true);
      await ada.button("Sign out").click();
      await ada.sees("Sign in");
      assert.equal(await auth("signedIn"), false);
      assert.equal(await stack.reuse(), false);
      await auth("close");
    });
  }
}
