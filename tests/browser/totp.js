// An authenticator app, made of packages by others: one reads the QR code, another makes the codes.
import jsQR from "jsqr";
import { generate } from "otplib";

/** The text of a QR code that a page shows in `image`, read as a camera would. */
export async function scanned(image) {
  const { data, side } = await image.evaluate(async (image) => {
    await image.decode();
    const side = 400;
    const context = Object.assign(document.createElement("canvas"), { width: side, height: side }).getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, side, side);
    context.drawImage(image, 20, 20, side - 40, side - 40);
    return { data: [...context.getImageData(0, 0, side, side).data], side };
  });
  const found = jsQR(Uint8ClampedArray.from(data), side, side);
  if (!found) throw new Error("There is no QR code.");
  return found.data;
}

/** An app with the key of an `otpauth:` address. Each code is for a later step than the last one, because each works once. */
export class Authenticator {
  #secret;
  #stack;

  constructor(uri, stack) {
    const { protocol, host, searchParams } = new URL(uri);
    if (protocol !== "otpauth:" || host !== "totp") throw new Error(uri);
    this.issuer = searchParams.get("issuer");
    this.#secret = searchParams.get("secret");
    this.#stack = stack;
  }

  /** The code of now, by the server's clock. */
  now() {
    return generate({ secret: this.#secret, epoch: Math.floor(Date.now() / 1_000) + this.#stack.skipped });
  }

  /** The code of the next step. */
  async next() {
    await this.#stack.wait(30);
    return this.now();
  }
}
