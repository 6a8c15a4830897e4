// Signing in at the page, and its errors.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, onlyChromium } from "./browser.js";
import { Person } from "./person.js";
import { ADA, start } from "./stack.js";

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

async function person(t, parameters) {
  const stack = await start(t, parameters);
  const context = await browser.newContext();
  context.setDefaultTimeout(10_000);
  t.after(() => context.close());
  return new Person(await context.newPage(), stack).open();
}

test("a user signs in by email", async (t) => {
  const ada = await person(t);
  await ada.signIn(ADA);
  await ada.page.getByText("This browser").waitFor();
  await ada.button("Sign out").click();
  await ada.sees("Sign in");
});

test("a user signs in by SMS, and the browser reads the code", async (t) => {
  const ada = await person(t);
  // Simulates a phone's browser, which passes the code from the SMS to the page.
  await ada.page.exposeFunction("received", () => ada.stack.code("+447400123456"));
  await ada.page.addInitScript(() => {
    window.OTPCredential = class {};
    navigator.credentials.get = async ({ otp }) => otp.transport.includes("sms") && { code: await window.received() };
  });
  await ada.page.reload();
  await ada.identifier.fill("+44 7400 123456");
  await ada.button("Send the code").click();
  await ada.isInside("+447400123456");
});

test("a user signs in by SMS and types the code", async (t) => {
  const ada = await person(t);
  await ada.ask("+447400123456");
  await ada.answer(await ada.stack.code("+447400123456"));
  await ada.isInside("+447400123456");
});

test("a wrong code is refused with help, and the right one still works", async (t) => {
  const ada = await person(t);
  await ada.ask(ADA);
  const code = await ada.stack.code();
  await ada.answer(code === "000000" ? "111111" : "000000");
  await ada.isTold("This code does not work.");
  assert.equal(await ada.code.getAttribute("aria-invalid"), "true");
  await ada.answer(code);
  await ada.isInside(ADA);
});

test("an expired code is refused, and a new one works", async (t) => {
  const ada = await person(t);
  await ada.page.clock.install();
  await ada.ask(ADA);
  const late = await ada.stack.code();
  await ada.stack.wait(601);
  await ada.answer(late);
  await ada.isTold("This code does not work.");
  await ada.page.clock.fastForward(601_000);
  await ada.resend.click();
  await ada.page.getByText("A new code is on its way.").waitFor();
  await ada.answer(await ada.stack.code());
  await ada.isInside(ADA);
});

test("after the server's delay a new code can be requested, and the old one stops working", async (t) => {
  const ada = await person(t);
  await ada.page.clock.install();
  await ada.ask(ADA);
  const old = await ada.stack.code();
  assert.match(await ada.resend.textContent(), /in (30|29) s/);
  assert.ok(await ada.resend.isDisabled());
  await ada.page.clock.fastForward(31_000);
  await ada.stack.wait(31);
  await ada.resend.click();
  await ada.page.getByText("A new code is on its way. Use the newest message.").waitFor();
  await ada.page.getByText(`We sent a new code to ${ADA}.`).waitFor();
  assert.equal((await ada.stack.messages()).length, 2);
  await ada.answer(old);
  await ada.isTold("This code does not work. Use the newest message, or send a new code.");
  await ada.answer(await ada.stack.code());
  await ada.isInside(ADA);
});

test("a user learns what became of the message", async (t) => {
  const ada = await person(t);
  await ada.ask("bounce@simulator.amazonses.com");
  // Ten seconds later, without being asked.
  await ada.hears("The message could not be delivered.");
  await ada.button("Change").click();
  await ada.ask(ADA);
  assert.equal(await ada.page.locator("#fate").textContent(), "");
  await ada.hears("The message has arrived.", () => ada.button("No code?").click());
  await ada.answer(await ada.stack.code());
  await ada.isInside(ADA);
});

const CALLS = {
  SmsCountries: "GB",
  SmsProvider: "eum",
  SmsPool: "pool-1",
  SmsConfigurationSet: "codes",
  VoiceProvider: "eum",
  VoiceNumber: "+12065550100",
};

test("a user who gets no text is called", async (t) => {
  const ada = await person(t, CALLS);
  await ada.ask("+447400123456");
  await ada.hears("The message", () => ada.button("No code?").click());
  assert.notEqual(await ada.page.locator("#voice").getAttribute("hidden"), null);
  await ada.stack.wait(31);
  await ada.button("No code?").click();
  await ada.button("Call me instead").click();
  await ada.page.getByText("We are calling +447400123456.").waitFor();
  assert.equal((await ada.stack.messages("+447400123456"))[0].channel, "voice");
  await ada.answer(await ada.stack.code("+447400123456"));
  await ada.isInside("+447400123456");
});

test("an address can be changed, and keeping it loses nothing", async (t) => {
  const ada = await person(t);
  await ada.ask("adda@example.com");
  await ada.button("Change").click();
  assert.equal(await ada.identifier.inputValue(), "adda@example.com");
  await ada.button("Send the code").click();
  await ada.sees("Enter the code");
  assert.equal((await ada.stack.messages("adda@example.com")).length, 1);
  await ada.button("Change").click();
  await ada.signIn(ADA);
});

test("a whole message can be pasted", async (t) => {
  const ada = await person(t);
  await ada.ask(ADA);
  const [{ text }] = await ada.stack.messages();
  await ada.page.evaluate((text) => {
    const mail = document.body.appendChild(document.createElement("textarea"));
    mail.value = text;
    mail.select();
  }, text);
  await ada.press("Control+c");
  await ada.code.click();
  await ada.press("Control+v");
  await ada.isInside(ADA);
});

test("each error has its own message", async (t) => {
  const ada = await person(t, { OtpRequestsPerIp: 3 });
  const refused = async (address, words) => {
    await ada.identifier.fill(address);
    await ada.button("Send the code").click();
    await ada.isTold(words);
  };
  await refused("", "This does not look like an email address");
  await refused("ada@", "This does not look like an email address");
  await refused("+390612345678", "This cannot be used to sign in here");
  await ada.stack.faults({ delivery: "refused" });
  await refused(ADA, "The email could not be sent");
  await ada.stack.faults({});
  await ada.ask(ADA);
  await ada.button("Change").click();
  await ada.ask("bob@example.com");
  await ada.button("Change").click();
  await refused(ADA, /^That was a lot of codes\. Please wait .+, then try again\.$/);
  await ada.stack.faults({ gateway_status: 503 });
  await refused("carol@example.com", "Something went wrong on our side");
  await ada.stack.faults({ gateway_status: 429 });
  await refused("carol@example.com", "The server is busy.");
  for (const gateway_status of [413, 431]) {
    await ada.stack.faults({ gateway_status });
    await refused("carol@example.com", "Something went wrong on our side");
  }
  await ada.stack.faults({});
});

test("a page that cannot find out its user says why", async (t) => {
  const ada = await person(t);
  await ada.signIn(ADA);
  for (const [gateway_status, title, words] of [
    [429, "Server busy", "The server is busy."],
    [503, "Not available", "Something went wrong on our side."],
    [403, "No connection", "Another server answered."],
  ]) {
    await ada.stack.faults({ gateway_status });
    await ada.page.reload();
    await ada.sees(title);
    await ada.page.getByText(words).waitFor();
  }
  await ada.stack.faults({});
  await ada.button("Try again").click();
  await ada.isInside(ADA);
});

test("a request that the API calls invalid is not an address on the list of sessions", onlyChromium, async (t) => {
  const ada = await person(t);
  await ada.signIn(ADA);
  const other = await browser.newContext();
  t.after(() => other.close());
  await (await new Person(await other.newPage(), ada.stack).open()).signIn(ADA);
  await ada.page.reload();
  await ada.isInside(ADA);
  const headers = { "access-control-allow-origin": ada.stack.page };
  const json = { success: false, error: "invalid_request", message: "no" };
  await ada.page.route("**/api/auth/sessions/*", (route) => route.fulfill({ status: 400, headers, json }));
  await ada.page.getByRole("button", { name: /^End the session/ }).click();
  await ada.isTold("Something went wrong on our side.");
});
