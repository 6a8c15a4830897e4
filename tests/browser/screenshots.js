// Takes the pictures for the docs: `cargo build -p local && node tests/browser/screenshots.js docs/pictures`.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { launch } from "./browser.js";
import { Person } from "./person.js";
import { ADA, SCREENS, start } from "./stack.js";

const [folder] = process.argv.slice(2);
if (!folder) throw new Error("Usage: node screenshots.js FOLDER");
await mkdir(folder, { recursive: true });
const ends = [];
const browser = await launch();
ends.push(() => browser.close());

try {
  for (const [screen, options] of Object.entries(SCREENS)) {
    const [device, , , scheme] = screen.split(" ");
    // A stack for each, because further codes for one address are long.
    const stack = await start({ after: (end) => ends.push(end) }, { Events: "all" });
    const context = await browser.newContext({ ...options, locale: "en-GB", timezoneId: "UTC" });
    const ada = await new Person(await context.newPage(), stack).open();
    const take = (page, name) => page.screenshot({ path: join(folder, `${name}-${device}-${scheme}.png`), animations: "disabled" });
    await ada.ask("+44 7400 123456");
    await ada.button("Change").click();
    await ada.ask(ADA);
    await ada.code.fill(await stack.code());
    await take(ada.page, "page");
    const inbox = await context.newPage();
    await inbox.goto(stack.inbox);
    await inbox.getByRole("button", { name: /Copy the code/ }).or(inbox.getByRole("button", { name: new RegExp(ADA) })).first().waitFor();
    await take(inbox, "inbox");
    await inbox.close();
    await ada.button("Sign in").click();
    await ada.isInside(ADA);
    await ada.seesActivity();
    await take(ada.page, "account");
    const { tokens } = await stack.signIn("grace@example.com", "https://www.google.com/");
    await stack.signOut(tokens.refresh);
    const events = await context.newPage();
    await events.goto(`${stack.inbox}/events`);
    await events.getByText("session.ended", { exact: true }).waitFor();
    await stack.faults({ stream: [{ fault: "poison" }] });
    await events.getByText("sequence number").waitFor();
    await take(events, "events");
    await events.goto(`${stack.inbox}/report`);
    await events.getByText("Search Engine").first().waitFor();
    await take(events, "report");
    await context.close();
  }
} finally {
  for (const end of ends) await end();
}
