// A client in a worker of the page. The page names a member, and gets its value or its error.
import { Latchkey } from "./latchkey.js";

let auth;

async function act(member, values) {
  if (member === "new") auth = new Latchkey(...values);
  return typeof auth[member] === "function" ? auth[member](...values) : auth[member];
}

async function answer({ data: { member, values }, ports: [port] }) {
  const result = await act(member, values).then((value) => ({ value }), ({ code, message }) => ({ code, message }));
  port.postMessage(result);
}

globalThis.onmessage = answer; // in a worker and in a service worker
globalThis.onconnect = ({ ports: [page] }) => (page.onmessage = answer); // in a shared worker
