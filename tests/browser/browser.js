// The browser of the tests: Chromium, or Firefox with `BROWSER=firefox`.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { launchFirefox } from "./firefox.js";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const isFirefox = process.env.BROWSER === "firefox";

/** For a test of what only one of the drivers can do. */
export const onlyChromium = { skip: isFirefox && "only in Chromium" };

/** One browser for all tests in a file. `hosts` are names that lead to this machine. */
export async function launch({ hosts = [] } = {}) {
  if (isFirefox) return launchFirefox({ hosts });
  return chromium.launch({ executablePath, args: [`--host-resolver-rules=${hosts.map((host) => `MAP ${host} 127.0.0.1`).join(",")}`] });
}

/** A page in a browser that keeps no data of any site, by the browser's own setting. */
export async function pageWithoutData(t) {
  if (isFirefox) {
    const browser = await launchFirefox({ blocksData: true });
    t.after(() => browser.close());
    return (await browser.newContext()).newPage();
  }
  const profile = await mkdtemp(join(tmpdir(), "latchkey-profile-"));
  await mkdir(join(profile, "Default"));
  await writeFile(join(profile, "Default/Preferences"), JSON.stringify({ profile: { default_content_setting_values: { cookies: 2 } } }));
  const context = await chromium.launchPersistentContext(profile, { executablePath });
  t.after(() => context.close().then(() => rm(profile, { recursive: true })));
  return context.newPage();
}
