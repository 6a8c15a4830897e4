// A frontend that uses the whole client module. It is only compiled, never run.
import { Latchkey, LatchkeyError, locksOfOnePage } from "../../web/client/latchkey.js";
import type { ActivityEntry, Change, Factors, KeyValueStorage, MessageStatus, Pending, Session, Source, StepUpDemand, User } from "../../web/client/latchkey.js";
import { webmail } from "../../web/client/webmail.js";

const auth = new Latchkey({ api: "https://auth.example.com", delivery: "cookie", origins: ["https://api.example.com"] });

export async function signIn(identifier: string, code: () => Promise<string>): Promise<User> {
  const pending: Pending = await auth.request(identifier, { source: location.href });
  const { state, can }: MessageStatus = await auth.status();
  if (state === "failed" && can.includes("resend") && pending.resendAt < Date.now()) await auth.resend();
  const user = await auth.verify(await code(), { remember: false });
  return user ?? finish(code);
}

async function finish(code: () => Promise<string>): Promise<User> {
  if (auth.due?.state === "enrolment") {
    const { factor_id, otpauth_uri } = await auth.addTotp({ name: "Phone" });
    console.info(otpauth_uri, await auth.confirmTotp(factor_id, await code()));
  }
  const isEnrolled = auth.due?.state === "enrolled";
  const proof = isEnrolled ? { method: "enrolled" as const } : { method: "totp" as const, code: await code(), trustDevice: true };
  const { user, backup_codes_left = 8 } = await auth.secondFactor(proof);
  console.info(backup_codes_left);
  return user;
}

const onStepUp = async ({ methods = [] }: StepUpDemand): Promise<void> => {
  const step = await auth.stepUp({ transaction: "Pay 20 euros to Bob" });
  if (methods.includes("otp")) await step.request("ada@example.com");
  await step.verify({ method: step.methods[0] ?? "totp", code: "123456" });
};
export const guarded = new Latchkey({ api: "https://auth.example.com", onStepUp });

export async function tidy(): Promise<string[]> {
  const { totp, trusted_devices, required }: Factors = await auth.factors();
  for (const { id } of trusted_devices) await auth.forgetDevice(id);
  if (!required) for (const { id } of totp) await auth.removeTotp(id);
  await auth.forgetDevices();
  return auth.newBackupCodes();
}

/** In a browser the own parts of the platform fit. */
export const custom = new Latchkey({
  api: "https://auth.example.com",
  storage: localStorage,
  locks: navigator.locks,
  channel: (name) => new BroadcastChannel(name),
});

/** In an app without tabs. */
export function mobile(storage: KeyValueStorage): Latchkey {
  return new Latchkey({ api: new URL("https://auth.example.com"), delivery: "body", storage, locks: locksOfOnePage(), channel: null });
}

export const mailbox: string | undefined = webmail("ada@gmail.com")?.url;

export async function use(): Promise<string> {
  const known: boolean | undefined = auth.signedIn;
  if (known === undefined && !(await auth.restore())) auth.forget();
  const [user, sessions]: [User, Session[]] = await Promise.all([auth.profile(), auth.sessions()]);
  for (const { id, current } of sessions) if (!current) await auth.endSession(id);
  await auth.endOthers();
  const answer: Response = await auth.fetch("https://api.example.com/", { method: "POST" });
  return `${user.full_name} ${answer.status} ${await auth.token()} ${await auth.refresh()}`;
}

export async function history(): Promise<string[]> {
  const entries: ActivityEntry[] = [];
  let before: string | undefined;
  do {
    const { activity, next } = await auth.activity({ before });
    entries.push(...activity);
    before = next ?? undefined;
  } while (before);
  const sources: Source[] = await auth.sources();
  return [...entries.map(({ type, device = "", fields = [] }) => `${type} ${device} ${fields.join()}`), ...sources.map(({ source }) => source)];
}

const changed = ({ detail }: CustomEvent<Change>): void => {
  if (detail.why === "ended") console.info(auth.pending?.identifier);
};
auth.addEventListener("change", changed);
auth.removeEventListener("change", changed);

export const missing = new LatchkeyError("invalid_otp", "The code is missing.", { status: 400, cause: changed });

export async function leave(): Promise<void> {
  try {
    await auth.signOut({ everywhere: true });
    auth.close();
  } catch (error) {
    if (!(error instanceof LatchkeyError) || error.code !== "unavailable") throw error;
    console.warn(error.status, error.retryAfter, error.requestId);
  }
}

// @ts-expect-error The API's address is required.
new Latchkey({});
// @ts-expect-error This code does not exist either.
new LatchkeyError("no_code", "The code is missing.");
// @ts-expect-error This code does not exist.
export const never = (error: LatchkeyError): boolean => error.code === "invalid_password";
