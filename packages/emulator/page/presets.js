// @ts-check
/**
 * Faults that people want, and what a fault does in a sentence.
 *
 * @import { Fault, Injected } from "../src/Fault.ts"
 */

/**
 * A fault in JSON, where a regular expression is an object.
 *
 * @typedef {Omit<typeof Fault.Encoded, "path"> & {
 *   readonly path?: string | { readonly source: string; readonly flags: string }
 * }} JsonFault
 */

/** @typedef {Omit<typeof Injected.Encoded, "fault"> & { readonly fault: JsonFault }} JsonInjected */

/**
 * The downloads of blobs: from the storage, or from the registry if it serves them itself.
 *
 * @param {boolean} isDirect
 * @returns {Pick<JsonFault, "method" | "path">}
 */
const downloads = (isDirect) => ({
  method: "GET",
  path: isDirect ? { source: "^/v2/.*/blobs/sha", flags: "" } : "/blobs/"
})

/** As Azure's storage answers once the signature of a link has expired. */
const expired = {
  _tag: /** @type {const} */ ("Answer"),
  status: 403,
  headers: { "content-type": "application/xml" },
  body: '<?xml version="1.0" encoding="utf-8"?><Error><Code>AuthenticationFailed</Code></Error>'
}

/**
 * @param {boolean} isDirect Whether the registry serves blobs itself.
 * @returns {ReadonlyArray<readonly [name: string, fault: JsonFault]>}
 */
export const presets = (isDirect) => [
  ["503 once", { times: 1, consequence: { _tag: "Answer", status: 503 } }],
  [
    "429 with Retry-After",
    { path: "/v2/", times: 1, consequence: { _tag: "Answer", status: 429, headers: { "retry-after": "1" } } }
  ],
  ["500 always", { times: "always", consequence: { _tag: "Answer", status: 500 } }],
  ["No answer (stall)", { times: 1, consequence: { _tag: "Stall" } }],
  ["Connection reset", { times: 1, consequence: { _tag: "Reset" } }],
  ["Answer lost after the work was done", { method: "PUT", times: 1, consequence: { _tag: "LostAnswer" } }],
  ["Download cut", { ...downloads(isDirect), times: 1, consequence: { _tag: "CutBody", afterBytes: 10 } }],
  ["Download stalls", { ...downloads(isDirect), times: 1, consequence: { _tag: "StallBody", afterBytes: 10 } }],
  ["Download corrupt", { ...downloads(isDirect), times: 1, consequence: { _tag: "CorruptBody", atByte: 0 } }],
  ["Download link expired", { ...downloads(isDirect), times: 1, consequence: expired }],
  ["Upload breaks off", { method: "PATCH", times: 1, consequence: { _tag: "ResetRequest", afterBytes: 10 } }],
  ["Upload stalls", { method: "PATCH", times: 1, consequence: { _tag: "StallRequest", afterBytes: 10 } }]
]

/**
 * @param {JsonFault["consequence"]} consequence
 */
const effectOf = (consequence) => {
  switch (consequence._tag) {
    case "Answer":
      return `answers ${consequence.status}`
    case "Reset":
      return "resets the connection"
    case "Stall":
      return "does not answer"
    case "LostAnswer":
      return "does the work, then resets the connection"
    case "ResetRequest":
      return `resets the connection after ${consequence.afterBytes} bytes of the request`
    case "StallRequest":
      return `reads ${consequence.afterBytes} bytes of the request, and no more`
    case "Headers":
      return `changes headers: ${Object.keys(consequence.headers).join(", ")}`
    case "CutBody":
      return `resets the connection after ${consequence.afterBytes} bytes of the answer`
    case "StallBody":
      return `sends ${consequence.afterBytes} bytes of the answer, and no more`
    case "CorruptBody":
      return `changes byte ${consequence.atByte} of the answer`
  }
}

/**
 * What a fault does, as `GET /v2/…: answers 503`.
 *
 * @param {JsonFault} fault
 */
export const describe = ({ consequence, method, path }) => {
  const where =
    path === undefined ? "any path" : typeof path === "string" ? `${path}…` : `/${path.source}/${path.flags}`
  return `${method ?? "Any method"}, ${where}: ${effectOf(consequence)}`
}

/**
 * How many requests a fault hits: `2 times, after 1 let through`.
 *
 * @param {JsonFault} fault
 */
export const timesOf = ({ skip = 0, times = 1 }) => {
  const hits = times === "always" ? "always" : times === 1 ? "once" : `${times} times`
  return skip === 0 ? hits : `${hits}, after ${skip} let through`
}
