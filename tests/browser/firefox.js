// Firefox, with the part of Playwright's interface that the tests use. Playwright itself drives only a Firefox of its own build.
import puppeteer from "puppeteer-core";

/** Starts Firefox. `hosts` are names that lead to this machine. */
export async function launchFirefox({ hosts = [], blocksData = false } = {}) {
  const preferences = {
    "network.dns.localDomains": hosts.join(","),
    "network.proxy.allow_hijacking_localhost": true, // otherwise a proxy gets no requests to loopback addresses
    ...(blocksData && { "network.cookie.cookieBehavior": 2 }),
  };
  const executablePath = process.env.FIREFOX ?? "/usr/bin/firefox-esr";
  const browser = await puppeteer.launch({ browser: "firefox", executablePath, acceptInsecureCerts: true, extraPrefsFirefox: preferences });
  return {
    newContext: async (options = {}) => {
      const proxyServer = options.proxy && new URL(options.proxy.server).host;
      return new Context(await browser.createBrowserContext({ proxyServer }), options);
    },
    close: () => browser.close(),
  };
}

class Context {
  #context;
  #options;
  #scripts = []; // of each new document
  timeout = 15_000;
  pages = [];

  constructor(context, options) {
    this.#context = context;
    this.#options = options;
    this.clock = new Clock((...script) => this.#everywhere(...script));
  }

  /** A new page, in a window of its own, because Firefox slows down the pages behind others. */
  async newPage() {
    const page = new Page(await this.#context.newPage({ type: "window" }), this);
    if (this.#options.viewport) await page.inner.setViewport(this.#options.viewport);
    for (const script of this.#scripts) await page.addInitScript(...script);
    this.pages.push(page);
    return page;
  }

  setDefaultTimeout(timeout) { this.timeout = timeout; }
  cookies() { return this.#context.cookies(); }
  async clearCookies() { await this.#context.deleteCookie(...(await this.cookies())); }
  close() { return this.#context.close(); }

  /** Runs a script in all documents, those to come included. */
  async #everywhere(...script) {
    this.#scripts.push(script);
    for (const page of this.pages) {
      await page.addInitScript(...script);
      await page.evaluate(...script);
    }
  }
}

class Page {
  constructor(inner, context) {
    Object.assign(this, { inner, clock: context.clock, keyboard: inner.keyboard, context: () => context });
  }

  evaluate(act, value) { return this.inner.evaluate(act, value); }
  evaluateHandle(act, value) { return this.inner.evaluateHandle(act, value); }
  addInitScript(act, value) { return this.inner.evaluateOnNewDocument(act, value); }
  exposeFunction(name, act) { return this.inner.exposeFunction(name, act); }
  goto(url) { return this.inner.goto(url); }
  reload() { return this.inner.reload(); }
  goBack() { return this.evaluate(() => history.back()); }
  goForward() { return this.evaluate(() => history.forward()); }
  async close() {
    const { pages } = this.context();
    pages.splice(pages.indexOf(this), 1);
    await this.inner.close();
  }

  locator(selector) { return new Locator(this, [{ by: "css", selector }]); }
  getByLabel(wanted, options) { return new Locator(this, [{ by: "label", wanted, ...options }]); }
  getByText(wanted) { return new Locator(this, [{ by: "text", wanted }]); }
  getByRole(role, options) { return this.locator("html").getByRole(role, options); }
}

class Locator {
  #page;
  #steps;

  constructor(page, steps) {
    this.#page = page;
    this.#steps = steps;
  }

  getByRole(role, { name, ...options } = {}) { return new Locator(this.#page, [...this.#steps, { by: "role", role, wanted: name, ...options }]); }
  filter({ hasText, visible }) { return new Locator(this.#page, [...this.#steps, { by: "filter", wanted: hasText, visible }]); }

  count() { return this.#page.evaluate(found, { steps: this.#steps, state: "count" }); }
  async waitFor({ state = "visible" } = {}) { await this.#element(state); }
  async click(options) { await (await this.#element("enabled")).click(options); }
  dblclick() { return this.click({ count: 2 }); }
  async pressSequentially(text) { await (await this.#element("enabled")).type(text); }
  async evaluate(act, value) { return (await this.#element("attached")).evaluate(act, value); }
  inputValue() { return this.evaluate((field) => field.value); }
  textContent() { return this.evaluate((element) => element.textContent); }
  getAttribute(name) { return this.evaluate((element, name) => element.getAttribute(name), name); }
  isDisabled() { return this.evaluate((element) => element.disabled); }

  async fill(text) {
    await (await this.#element("enabled")).evaluate((field, text) => {
      field.focus();
      field.value = text;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }, text);
  }

  /** Waits for the element. While a page loads, the search fails and is repeated. */
  async #element(state) {
    const end = performance.now() + this.#page.context().timeout;
    for (let problem; performance.now() < end; ) {
      try {
        const handle = await this.#page.evaluateHandle(found, { steps: this.#steps, state });
        if (handle.asElement()) return handle;
      } catch (error) {
        problem = error;
      }
      await new Promise((resume) => setTimeout(resume, 50));
    }
    throw new Error(`Not ${state} in time: ${JSON.stringify(this.#steps, (_, value) => (value instanceof RegExp ? String(value) : value))}`);
  }
}

/** Runs in the page: what `steps` lead to. The names of elements are those of the standard as far as this page needs them. */
function found({ steps, state }) {
  const ROLES = { alert: "[role=alert]", button: "button", heading: "h1,h2", link: "a[href]" };
  const textOf = (element) => element.textContent.replace(/\s+/g, " ").trim();
  const isVisible = (element) => element.checkVisibility({ visibilityProperty: true }) && element.getBoundingClientRect().height > 0;
  const fits = (text, { wanted, exact }) => {
    if (wanted === undefined) return true;
    if (wanted instanceof RegExp) return wanted.test(text);
    return exact ? text === wanted : text.toLowerCase().includes(wanted.toLowerCase());
  };
  const HOW = {
    css: ({ selector }) => [selector, () => true],
    label: (step) => ["input", ({ labels }) => [...labels].some((label) => fits(textOf(label), step))],
    role: (step) => [ROLES[step.role], (element) => isVisible(element) && fits(element.ariaLabel ?? textOf(element), step)],
    text: (step) => ["body *", (element) => fits(textOf(element), step) && ![...element.children].some((child) => fits(textOf(child), step))],
  };
  const elements = steps.reduce((within, step) => {
    if (step.by === "filter") return within.filter((element) => fits(textOf(element), step) && (!step.visible || isVisible(element)));
    const [selector, isRight] = HOW[step.by](step);
    return within.flatMap((element) => [...element.querySelectorAll(selector)]).filter(isRight);
  }, [document]);
  if (state === "count") return elements.length;
  return elements.find((element) => state === "attached" || (isVisible(element) && !(state === "enabled" && element.disabled))) ?? null;
}

/** The clock of all pages of a context. */
class Clock {
  #run;

  constructor(run) { this.#run = run; }

  async install({ time } = {}) {
    await this.#run(movable);
    if (time !== undefined) await this.setSystemTime(time);
  }

  fastForward(milliseconds) { return this.#run((milliseconds) => window.movable.forward(milliseconds), milliseconds); }
  setSystemTime(time) { return this.#run((time) => window.movable.set(time), Number(time)); }
}

/** Runs in the page: replaces its clocks and timers by ones that a test can move. */
function movable() {
  let [skipped, wrong, last] = [0, 0, 0]; // by how much all clocks are ahead, and the device's clock besides
  const { Date: Actual, setTimeout: start, clearTimeout: stop } = window;
  const now = performance.now.bind(performance);
  const timers = new Map();
  const run = (id) => {
    const timer = timers.get(id);
    timer.actual = start(() => { timers.delete(id); timer.act(); }, timer.due - performance.now());
  };
  performance.now = () => now() + skipped;
  window.Date = class extends Actual {
    constructor(...values) { super(...(values.length > 0 ? values : [Date.now()])); }
    static now() { return Actual.now() + skipped + wrong; }
  };
  window.setTimeout = (act, wait = 0) => {
    timers.set((last += 1), { act, due: performance.now() + wait });
    run(last);
    return last;
  };
  window.clearTimeout = (id) => {
    stop(timers.get(id)?.actual);
    timers.delete(id);
  };
  window.movable = {
    forward(milliseconds) {
      skipped += milliseconds;
      for (const [id, { actual }] of timers) {
        stop(actual);
        run(id);
      }
    },
    set(time) { wrong = time - Actual.now() - skipped; },
  };
}
