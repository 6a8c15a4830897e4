// Second factors on the page and in the client: authenticator apps, backup codes, trusted browsers, step-up and required enrolment.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import axe from "axe-core";
import { Memory, app, codeOf, signIn } from "./app.js";
import { launch, onlyChromium } from "./browser.js";
import { FOREIGN, Spoiler, withFields } from "./front.js";
import { Person } from "./person.js";
import { ADA, SCREENS, start } from "./stack.js";
import { Authenticator, scanned } from "./totp.js";

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

const FRESH = 601; // seconds after which a proof is too old for a change

async function arrive(t, parameters = {}, options = {}) {
  const stack = await start(t, { SecondFactor: "optional", ...parameters });
  const context = await browser.newContext(options);
  context.setDefaultTimeout(15_000);
  t.after(() => context.close());
  return new Person(await context.newPage(), stack).open();
}

/** The proof of a second factor, and the code that confirms a new app. */
const proof = ({ page }) => page.locator("#proof");
const first = ({ page }) => page.locator("#first");

/** Adds the app on the page. Returns the app and the backup codes. */
async function add(person) {
  const phone = new Authenticator(await scanned(person.page.locator("#qr")), person.stack);
  await first(person).fill(await phone.now());
  await person.button("Add the app").click();
  return phone;
}

async function backupCodes(person) {
  await person.sees("Backup codes");
  return person.page.evaluate(() => [...document.querySelectorAll("#backup li")].map((row) => row.textContent));
}

/** Signs in and adds the first app. */
async function secured(person) {
  await person.signIn(ADA);
  await person.button("Add an authenticator app").click();
  await person.sees("Add an app");
  const phone = await add(person);
  const codes = await backupCodes(person);
  await person.button("Continue").click();
  await person.isInside(ADA);
  return { phone, codes };
}

/** Signs in again, up to the second step. */
async function arriveAgain(person) {
  await person.button("Sign out").click();
  await person.sees("Sign in");
  await person.ask(ADA);
  await person.answer(await person.stack.code());
  await person.sees("One more step");
}

const problem = (person, view, text) => person.page.locator(`#${view} .problem`).filter({ hasText: text }).waitFor();

for (const delivery of ["body", "cookie"]) {
  test(`${delivery}: a user adds an app, and its code is due at the next sign-in`, async (t) => {
    const ada = await arrive(t, { TokenDelivery: delivery });
    const { phone, codes } = await secured(ada);
    assert.equal(codes.length, 8);
    assert.match(codes[0], /^([0-9A-HJKMNP-TV-Z]{6}-){3}[0-9A-HJKMNP-TV-Z]{6}$/);
    await ada.page.getByText("8 backup codes are left.").waitFor();

    await arriveAgain(ada);
    assert.equal(await ada.page.evaluate(() => document.activeElement.id), "proof");
    const wrong = (await phone.now()) === "000000" ? "111111" : "000000";
    await proof(ada).fill(wrong);
    await ada.button("Continue").click();
    await problem(ada, "factor", "This code does not work. Enter the one that the app shows now.");
    await ada.page.reload(); // the step is kept
    await ada.sees("One more step");
    await proof(ada).fill(await phone.next());
    await ada.button("Continue").click();
    await ada.isInside(ADA);
    await ada.page.reload();
    await ada.isInside(ADA);
  });

  test(`${delivery}: a trusted browser needs no app, until its trust ends`, async (t) => {
    const ada = await arrive(t, { TokenDelivery: delivery });
    const { phone } = await secured(ada);
    await arriveAgain(ada);
    await ada.page.locator("#trust").click();
    await proof(ada).fill(await phone.next());
    await ada.button("Continue").click();
    await ada.isInside(ADA);
    await ada.page.getByText(/rusted until/).waitFor();
    await ada.button("Sign out").click();
    await ada.sees("Sign in");
    await ada.signIn(ADA);
    await ada.page.getByRole("button", { name: /^Trust .+ no longer$/ }).click();
    // Trust has stood for the app, so this session is not fresh enough to change it.
    await ada.sees("Confirm that it is you");
    await proof(ada).fill(await phone.next());
    await ada.button("Continue").click();
    await ada.page.getByText("The browser is not trusted any more.").waitFor({ state: "attached" });
    await arriveAgain(ada);
  });

  test(`${delivery}: a change long after the sign-in needs a step-up, and the session goes on`, async (t) => {
    const ada = await arrive(t, { TokenDelivery: delivery });
    const { phone } = await secured(ada);
    await ada.stack.wait(FRESH);
    await ada.button("New backup codes").click();
    await ada.sees("Confirm that it is you");
    await ada.button("Cancel").click();
    await problem(ada, "security", "Nothing was changed, because you did not confirm it.");
    await ada.button("New backup codes").click();
    await ada.sees("Confirm that it is you");
    await proof(ada).fill(await phone.next());
    await ada.button("Continue").click();
    const codes = await backupCodes(ada);
    assert.equal(codes.length, 8);
    await ada.button("Continue").click();
    await ada.isInside(ADA);
    await ada.page.reload(); // with the refresh token of the step-up
    await ada.isInside(ADA);
    assert.equal(await ada.stack.reuse(), false);
  });

  test(`${delivery}: a user without an app confirms a change with a code`, async (t) => {
    const ada = await arrive(t, { TokenDelivery: delivery });
    await ada.signIn(ADA);
    await ada.stack.wait(FRESH);
    await ada.button("Add an authenticator app").click();
    await ada.sees("Confirm that it is you");
    await ada.page.getByText(`Enter the code from the message to ${ADA}.`).waitFor();
    await proof(ada).fill(await ada.stack.code());
    await ada.button("Continue").click();
    await ada.sees("Add an app");
    await add(ada);
    assert.equal((await backupCodes(ada)).length, 8);
  });

  test(`${delivery}: where a second factor is required, a new user adds an app before the sign-in ends`, async (t) => {
    const ada = await arrive(t, { TokenDelivery: delivery, SecondFactor: "required", SecondFactorGraceDays: 0 });
    await ada.ask(ADA);
    await ada.answer(await ada.stack.code());
    await ada.sees("Add a second step");
    await ada.page.reload();
    await ada.sees("Add a second step");
    await add(ada);
    assert.equal((await backupCodes(ada)).length, 8);
    await ada.page.reload(); // only the codes are lost
    await ada.page.getByText("The app has been added.").waitFor();
    await ada.button("Continue").click();
    await ada.isInside(ADA);
    assert.equal(await ada.page.getByRole("button", { name: /^Remove / }).count(), 0, "the last app stays");
  });
}

test("a backup code works once, and the page counts the others", async (t) => {
  const ada = await arrive(t);
  const { codes: [code] } = await secured(ada);
  for (const isFirst of [true, false]) {
    await arriveAgain(ada);
    await ada.button("Use a backup code").click();
    await proof(ada).fill(code);
    await ada.button("Continue").click();
    if (isFirst) {
      await ada.isInside(ADA);
      await ada.page.getByText("7 backup codes are left.").waitFor();
    }
  }
  await problem(ada, "factor", "This code does not work.");
  await ada.button("Use the app").click();
  await ada.button("Cancel").click();
  await ada.sees("Sign in");
});

test("backup codes can be copied and downloaded", onlyChromium, async (t) => {
  const ada = await arrive(t);
  await ada.signIn(ADA);
  await ada.button("Add an authenticator app").click();
  await ada.sees("Add an app");
  await add(ada);
  const codes = await backupCodes(ada);
  await ada.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await ada.button("Copy").click();
  await ada.page.getByText("The codes are copied.").waitFor({ state: "attached" });
  assert.equal(await ada.page.evaluate(() => navigator.clipboard.readText()), codes.join("\n"));
  const downloading = ada.page.waitForEvent("download");
  await ada.page.getByRole("link", { name: "Download" }).click();
  const text = Buffer.concat(await (await (await downloading).createReadStream()).toArray()).toString();
  for (const code of codes) assert.ok(text.includes(code));
});

test("an app can be removed, and then a code alone signs in", async (t) => {
  const ada = await arrive(t);
  const { phone } = await secured(ada);
  await arriveAgain(ada);
  await proof(ada).fill(await phone.next());
  await ada.button("Continue").click();
  await ada.isInside(ADA);
  await ada.page.getByRole("button", { name: /^Remove / }).click();
  await ada.page.getByText("The app has been removed.").waitFor({ state: "attached" });
  await ada.page.getByText("Add an authenticator app, so that a code alone does not sign in.").waitFor();
  await ada.button("Sign out").click();
  await ada.sees("Sign in");
  await ada.signIn(ADA);
});

test("after many wrong codes the page says how long to wait", async (t) => {
  const ada = await arrive(t);
  await secured(ada);
  await arriveAgain(ada);
  for (let attempts = 0; attempts < 12; attempts += 1) {
    if (!(await ada.page.locator("#factor .problem").textContent()).startsWith("That was")) {
      await proof(ada).fill("000000");
      await ada.button("Continue").click();
      await ada.page.locator("main[aria-busy=false] #factor .problem").filter({ hasText: /./ }).waitFor();
    }
  }
  await problem(ada, "factor", /^That was a lot of attempts\. Please wait .+, then try again\.$/);
});

test("a second step that took too long begins again", async (t) => {
  const ada = await arrive(t);
  await ada.page.clock.install();
  const { phone } = await secured(ada);
  await arriveAgain(ada);
  await ada.stack.wait(301);
  await ada.page.clock.fastForward(301_000);
  await proof(ada).fill(await phone.next());
  await ada.button("Continue").click();
  await problem(ada, "ask", "That took too long. Request a new code.");
});

/** An app of Ada's without a page, with an authenticator. Its requests go through `road`. */
async function client(t, options) {
  const stack = await start(t, { SecondFactor: "optional" });
  const road = await new Spoiler().open(t, stack.api);
  const storage = new Memory();
  const auth = app(t, road.url, { storage, ...options });
  await signIn(auth, stack);
  const { factor_id, otpauth_uri } = await auth.addTotp({ name: "Phone" });
  const phone = new Authenticator(otpauth_uri, stack);
  const codes = await auth.confirmTotp(factor_id, await phone.now());
  return { stack, road, storage, auth, phone, codes };
}

test("the client keeps a second factor that is due, and trust in the device", async (t) => {
  const { stack, auth, phone } = await client(t);
  await auth.signOut();
  assert.equal(await signIn(auth, stack), undefined);
  assert.equal(auth.signedIn, false);
  assert.deepEqual([auth.due.state, auth.due.methods], ["factor", ["totp", "backup_code"]]);
  assert.equal(auth.due.challenge, undefined);
  assert.equal(await codeOf(auth.secondFactor({ method: "totp", code: "12345" })), "invalid_otp");
  const { user } = await auth.secondFactor({ method: "totp", code: await phone.next(), trustDevice: true });
  assert.deepEqual([user.email, auth.signedIn, auth.due], [ADA, true, undefined]);
  const { policy, required, totp, trusted_devices } = await auth.factors();
  assert.deepEqual([policy, required, totp.map(({ name }) => name), trusted_devices.length], ["optional", false, ["Phone"], 1]);
  await auth.signOut();
  assert.equal((await signIn(auth, stack)).email, ADA);
  await auth.forgetDevices().catch(() => undefined);
});

test("the client signs nobody out for a step-up, asks once for it, and repeats the requests", async (t) => {
  const demands = [];
  let act = async () => undefined;
  const onStepUp = (demand) => { demands.push(demand); return act(); };
  const { stack, road, auth, phone } = await client(t, { onStepUp });
  await stack.wait(FRESH);
  assert.equal(await codeOf(auth.newBackupCodes()), "step_up_required", "once");
  assert.deepEqual(demands, [{ acr: "2f", max_age: 600, methods: ["totp", "backup_code"] }]);
  assert.equal(auth.signedIn, true);
  const url = `${road.url}/api/auth/factors/backup-codes/`;
  act = async () => {
    const step = await auth.stepUp({ transaction: "New backup codes" });
    await step.verify({ method: "totp", code: await phone.next() });
  };
  const answers = await Promise.all([1, 2].map(() => auth.fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" })));
  assert.deepEqual(answers.map(({ status }) => status), [200, 200]);
  assert.equal(demands.length, 2);
  assert.equal(await auth.restore(), true);
  await auth.refresh();
  assert.equal(auth.signedIn, true);
  assert.equal(await stack.reuse(), false);

  await stack.wait(FRESH);
  act = async () => { throw new Error("cancelled"); };
  await assert.rejects(() => auth.newBackupCodes(), /cancelled/);
});

test("a step-up whose answer is lost ends no session", async (t) => {
  const { stack, road, storage, auth, phone } = await client(t);
  const step = await auth.stepUp();
  const { refresh, retry } = storage.read("session");
  road.on("step-up/verify", FOREIGN["no answer"]);
  assert.ok(["network", "invalid_otp"].includes(await codeOf(step.verify({ method: "totp", code: await phone.next() }))));
  assert.deepEqual(storage.read("session"), { refresh, retry }, "the same token and key ask for the lost answer");
  road.spoil = () => undefined;
  await auth.refresh();
  assert.equal((await auth.profile()).email, ADA);
  assert.equal(await stack.reuse(), false);
});

test("a second factor that is due counts only if it is Latchkey's", async (t) => {
  const { stack, road, auth, phone } = await client(t);
  await auth.signOut();
  for (const odd of [{ challenge_id: undefined }, { methods: "totp" }, { expires_in: "300" }, { success: undefined }]) {
    road.on("otp/verify", withFields(odd));
    // The client sends the code once more, and it is used up.
    assert.ok(["unexpected", "invalid_otp"].includes(await codeOf(signIn(auth, stack))), JSON.stringify(odd));
    assert.deepEqual([auth.due, auth.signedIn], [undefined, false]);
    auth.forget();
    await stack.wait(31);
  }
  road.spoil = () => undefined;
  assert.equal(await signIn(auth, stack), undefined);
  for (const odd of [{ tokens: { access: "a b", refresh: "v1" } }, { user: { id: 7 } }]) {
    road.on("second-factor/verify", withFields(odd));
    assert.ok(["unexpected", "invalid_otp"].includes(await codeOf(auth.secondFactor({ method: "totp", code: await phone.next() }))));
    assert.equal(auth.signedIn, false);
  }
});

test("a step-up by a code is the user's own", async (t) => {
  const stack = await start(t, { SecondFactor: "optional" });
  const auth = app(t, stack.api);
  await signIn(auth, stack);
  const step = await auth.stepUp();
  assert.deepEqual(step.methods, ["otp"]);
  const { channel, expiresAt } = await step.request(ADA);
  assert.ok(channel === "email" && expiresAt > Date.now());
  await step.verify({ method: "otp", code: await stack.code() });
  assert.equal(auth.signedIn, true);
  assert.equal(auth.pending, undefined, "no sign-in is pending");
});

for (const [screen, options] of Object.entries(SCREENS)) {
  test(`on a ${screen}, axe finds no problem in the second step`, options.colorScheme === "dark" ? onlyChromium : {}, async (t) => {
    const ada = await arrive(t, {}, options);
    const check = async (step) => {
      await ada.page.evaluate(axe.source);
      const { violations } = await ada.page.evaluate(() => window.axe.run());
      assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html)}`), [], step);
      const wider = await ada.page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.equal(wider, false, `${step} scrolls sideways`);
    };
    await ada.signIn(ADA);
    await ada.button("Add an authenticator app").click();
    await ada.sees("Add an app");
    assert.equal(await ada.page.evaluate(() => document.activeElement.textContent), "Add an app", "the focus is on the title");
    await check("a new app");
    const phone = await add(ada);
    await ada.sees("Backup codes");
    await check("backup codes");
    await ada.button("Continue").click();
    await ada.isInside(ADA);
    await check("signed in with an app");
    await arriveAgain(ada);
    await check("the second step");
    await proof(ada).fill(await phone.next());
    await ada.button("Continue").click();
    await ada.isInside(ADA);
  });
}
