// @ts-check
/** Requests to the service, with the token where there is one. It is kept for this tab alone and goes with it. */

const KEY = "coldpath-token";
/** What a header can carry: with anything else no request would be sent at all. */
const SENDABLE = /^[\x21-\x7e]+$/;

/** The service said no. */
export class RequestError extends Error {
  /**
   * @param {Response} answer
   * @param {any} json Its body, if that is JSON.
   */
  constructor({ status, statusText, headers }, json) {
    const message = json?.error?.message;
    super(typeof message === "string" ? message : statusText);
    this.status = status;
    this.json = json;
    /** Seconds. */
    this.retryAfter = headers.get("retry-after");
  }
}

/** @returns {string | undefined} */
export function token() {
  return sessionStorage.getItem(KEY) ?? undefined;
}

/** @param {string | undefined} value One that cannot be a token is not kept. */
export function keepToken(value) {
  if (value !== undefined && SENDABLE.test(value)) sessionStorage.setItem(KEY, value);
  else sessionStorage.removeItem(KEY);
}

/** @returns {Record<string, string>} */
export function authorization() {
  const known = token();
  return known === undefined ? {} : { authorization: `Bearer ${known}` };
}

/**
 * The JSON of an answer.
 * @param {string} method
 * @param {string} path
 * @param {{ body?: object, signal?: AbortSignal }} [options]
 * @returns {Promise<any>}
 * @throws RequestError, or TypeError if no service answers.
 */
export async function ask(method, path, { body, signal } = {}) {
  const answer = await fetch(path, {
    method,
    headers: { ...authorization(), ...(body === undefined ? {} : { "content-type": "application/json" }) },
    cache: "no-store",
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  const text = await answer.text();
  if (answer.ok) return text === "" ? {} : JSON.parse(text);
  throw new RequestError(answer, jsonOf(text));
}

/**
 * What went wrong, in words for a person.
 * @param {unknown} error
 */
export function failureText(error) {
  if (error instanceof RequestError) {
    if (error.status === 429) return `Too many wrong tokens: try again in ${error.retryAfter ?? "some"} s.`;
    return error.message;
  }
  if (error instanceof DOMException && error.name === "AbortError") return "Cancelled.";
  return "The service does not answer.";
}

/** @param {string} text */
function jsonOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    // No service of ours answered so: the status says what there is to say.
    return undefined;
  }
}
