// @ts-check
/**
 * Requests to the control API, which serves this page.
 */

/** What the API says is wrong with a request, or that it is not reachable. */
export class Refused extends Error {}

/**
 * The lines of a problem (RFC 9457): each thing that is wrong with its place, or what is wrong as a whole.
 *
 * @param {unknown} problem
 * @returns {ReadonlyArray<string>}
 */
const linesOf = (problem) => {
  if (typeof problem !== "object" || problem === null) return []
  const { detail, errors, title } = /** @type {{ [name: string]: unknown }} */ (problem)
  if (Array.isArray(errors)) {
    return errors.map(({ message, path }) => {
      const place = Array.isArray(path) ? path.filter((part) => part !== "payload").join(".") : ""
      return place === "" ? String(message) : `${place}: ${message}`
    })
  }
  return [String(detail ?? title ?? "")]
}

/** @returns {never} */
const lost = () => {
  throw new Refused("The emulator cannot be reached")
}

/** How long the page waits for an answer to read. An emulator that starts may take a request before it can answer. */
const longestReadMillis = 10_000

/**
 * Sends a request and returns the answer, which is what ControlApi.ts declares: the page comes from the same version of
 * the emulator.
 *
 * @param {string} method
 * @param {string} path
 * @param {string} [body] JSON
 * @returns {Promise<unknown>}
 */
const send = async (method, path, body) => {
  const answer = await fetch(path, {
    method,
    ...(method === "GET" ? { signal: AbortSignal.timeout(longestReadMillis) } : {}),
    ...(body === undefined ? {} : { body, headers: { "content-type": "application/json" } })
  }).catch(lost)
  // An emulator that stops may break off in the middle of an answer.
  const text = await answer.text().catch(lost)
  /** @type {unknown} */
  const value = text === "" ? undefined : JSON.parse(text)
  if (answer.ok) return value
  throw new Refused(linesOf(value).join("\n") || `The emulator answered ${answer.status}`)
}

/**
 * @template Answer
 * @param {string} path
 * @returns {Promise<Answer>}
 */
export const get = (path) => /** @type {Promise<Answer>} */ (send("GET", path))

/**
 * @param {"POST" | "PUT" | "PATCH" | "DELETE"} method
 * @param {string} path
 * @param {unknown} [body]
 * @returns {Promise<unknown>}
 */
export const change = (method, path, body) => send(method, path, body === undefined ? undefined : JSON.stringify(body))

/**
 * Injects a fault as a person wrote it, so that the API judges it and not the page.
 *
 * @param {string} json
 */
export const inject = (json) => send("POST", "faults", json === "" ? "{}" : json)

/**
 * Runs something that may fail, and shows why it did.
 *
 * @param {HTMLElement} place
 * @param {() => Promise<unknown>} run
 * @returns {Promise<boolean>} Whether it succeeded.
 */
export const showingErrors = async (place, run) => {
  try {
    await run()
    place.textContent = ""
    return true
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    place.textContent = error.message
    return false
  }
}
