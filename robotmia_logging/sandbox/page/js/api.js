// Asks the sandbox.

import { parse } from "./json.js";

/** The sandbox can't be asked now; the state of the connection says so already. */
export class Unreachable extends Error {}

/** What the sandbox says under a path; null when there is no such thing. */
export async function get(path, parameters = {}) {
  const [response, text] = await exchange(`${path}${query(parameters)}`, { cache: "no-store" });
  if (response.status === 404) return null;
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return parse(text);
}

/** Have the sandbox do something. */
export async function post(path) {
  const [response, text] = await exchange(path, { method: "POST" });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
}

/** Wait for something that needs the sandbox; undefined when it is away. */
export async function ifReachable(promise) {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof Unreachable) return undefined;
    throw error;
  }
}

async function exchange(address, options) {
  try {
    const response = await fetch(address, options);
    return [response, await response.text()];
  } catch (error) {
    throw new Unreachable(address, { cause: error });
  }
}

/** `?a=1&b=2`; empty values are left out. */
export function query(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return given.length ? `?${new URLSearchParams(given)}` : "";
}
