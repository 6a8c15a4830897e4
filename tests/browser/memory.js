/** A storage in memory, which an app keeps over restarts. */
export class Memory {
  values = new Map();
  getItem = (key) => this.values.get(key) ?? null;
  setItem = (key, value) => void this.values.set(key, value);
  removeItem = (key) => void this.values.delete(key);

  /** What it holds under the last word of a key. */
  read(word) {
    const [, text] = [...this.values].find(([key]) => key.endsWith(` ${word}`)) ?? [];
    return text && JSON.parse(text);
  }
}
