// A user of the page. Elements are found by their visible or accessible text.

export class Person {
  constructor(page, stack) {
    Object.assign(this, { page, stack });
    this.identifier = page.getByLabel("Email or phone number");
    this.code = page.getByLabel("Code", { exact: true });
    this.problem = page.locator("main > * > .problem").filter({ visible: true });
    this.problemOfActivity = page.locator("#activity > .problem");
    this.resend = page.getByRole("button", { name: /new code/ });
  }

  button(name) {
    return this.page.getByRole("button", { name, exact: true });
  }

  /** Presses a key, or two at once. */
  async press(keys) {
    const [key, held] = keys.split("+").reverse();
    if (held) await this.page.keyboard.down(held);
    await this.page.keyboard.press(key);
    if (held) await this.page.keyboard.up(held);
  }

  /** The title of the current view, after the page has decided which view to show. */
  heading(name) {
    return this.page.locator("main[aria-busy=false]").getByRole("heading", { level: 1, name, exact: true });
  }

  async open(url = this.stack.page) {
    await this.page.goto(url);
    return this;
  }

  async ask(address) {
    await this.identifier.fill(address);
    await this.button("Send the code").click();
    await this.sees("Enter the code");
  }

  /** Waits until the page says what became of the message. `act` is repeated, because the news may come a moment later. */
  async hears(text, act) {
    const end = performance.now() + 20_000;
    while (!(await this.page.locator("#fate").textContent()).includes(text)) {
      if (performance.now() > end) throw new Error(`The page does not say: ${text}`);
      await act?.();
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }

  async answer(code) {
    await this.code.fill(code);
    await this.button("Sign in").click();
  }

  async signIn(address) {
    await this.ask(address);
    await this.answer(await this.stack.code(address));
    await this.isInside(address);
  }

  async sees(title) {
    await this.heading(title).waitFor();
  }

  async isInside(name) {
    await this.sees("Signed in");
    await this.page.getByText(`You are signed in as ${name}.`).waitFor();
  }

  /** Loads the page again until it shows both entries of a sign-up. */
  async seesActivity() {
    const end = performance.now() + 15_000;
    while ((await this.page.locator("#entries li").count()) < 2) {
      if (performance.now() > end) throw new Error("No activity was recorded.");
      await this.page.reload();
      await this.page.getByText(/appear after a minute or two/).waitFor();
    }
  }

  async isTold(text) {
    await this.problem.filter({ hasText: text }).waitFor();
  }

  /** Beside the activity, which fails alone. */
  async isToldBeside(text) {
    await this.problemOfActivity.filter({ hasText: text }).waitFor();
  }
}
