/** An error. `code` is the server's, or one of this package's. docs/frontend.md lists both. */
export class LatchkeyError extends Error {
  constructor(code, message, { cause, status = 0, ...details } = {}) {
    super(message, { cause });
    Object.assign(this, { name: "LatchkeyError", code, status, ...details });
  }
}
