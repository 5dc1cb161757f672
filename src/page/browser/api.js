// @ts-check
/** Requests to the service, with the token where there is one. It is kept for this tab alone and goes with it. */

const KEY = "coldpath-token";

/** The service said no. */
export class RequestError extends Error {
  /**
   * @param {number} status
   * @param {string} message
   * @param {string | null} retryAfter Seconds.
   */
  constructor(status, message, retryAfter) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** @returns {string | undefined} */
export function token() {
  return sessionStorage.getItem(KEY) ?? undefined;
}

/** @param {string | undefined} value */
export function keepToken(value) {
  if (value === undefined) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, value);
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
  throw new RequestError(
    answer.status,
    messageOf(text) ?? answer.statusText,
    answer.headers.get("retry-after"),
  );
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
function messageOf(text) {
  try {
    const message = JSON.parse(text)?.error?.message;
    return typeof message === "string" ? message : undefined;
  } catch {
    // No service of ours answered so: the status says what there is to say.
    return undefined;
  }
}
