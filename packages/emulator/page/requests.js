// @ts-check
/**
 * The requests that the emulator answers, as they come.
 *
 * @import { JournalEntry } from "../src/Journal.ts"
 */
import { change, get, showingErrors } from "./api.js"
import { byId, element } from "./elements.js"
import { bytes, elapsed, shortDigests, time } from "./text.js"

/** @typedef {typeof JournalEntry.Encoded} Entry */

/** How many requests the table keeps: the last ones. */
const kept = 300

/** A request that has not ended is asked for again, unless so many have come after it. */
const followed = 100

/**
 * @param {number} status
 */
const statusClass = (status) =>
  status === 0 ? "none" : status >= 500 ? "server-error" : status >= 400 ? "client-error" : "fine"

/**
 * @param {Entry} entry
 */
const row = (entry) => {
  const { authorization, durationMillis, method, path, query, requestBytes, responseBytes, server, status, user } =
    entry
  const login = user ?? (authorization === "none" ? "" : `${authorization}?`)
  const search = query === "" ? "" : `?${query}`
  return element(
    "tr",
    {},
    element("td", { class: "time", title: entry.time }, time(entry.time).slice(11)),
    element(
      "td",
      { class: "request" },
      element("strong", {}, method),
      " ",
      element(
        "span",
        { class: "path", title: `${path}${search}` },
        shortDigests(path),
        element("span", { class: "quiet" }, shortDigests(search))
      ),
      ...(server === "storage" ? [" ", element("span", { class: "badge" }, "storage")] : [])
    ),
    element("td", { class: `status ${statusClass(status)}` }, status === 0 ? "no answer" : String(status)),
    element("td", { class: "number" }, durationMillis === undefined ? "…" : elapsed(durationMillis)),
    element("td", { class: "user", title: `Authorization: ${authorization}` }, login),
    element(
      "td",
      { class: "number", title: "Bytes of the request's body" },
      requestBytes === 0 ? "" : bytes(requestBytes)
    ),
    element(
      "td",
      { class: "number", title: "Bytes of the answer's body" },
      responseBytes === 0 ? "" : bytes(responseBytes)
    )
  )
}

/**
 * Whether a request may have changed what the registry holds.
 *
 * @param {Entry} entry
 */
const isWrite = ({ method, path, status }) =>
  !["GET", "HEAD"].includes(method) && !path.startsWith("/oauth2/") && status < 400

/**
 * The number after which requests may still be new, or have changed.
 *
 * @param {ReadonlyMap<number, Entry>} entries
 * @param {number} last
 */
const unchangedUntil = (entries, last) => {
  for (let sequence = Math.max(1, last - followed); sequence <= last; sequence += 1) {
    const entry = entries.get(sequence)
    if (entry !== undefined && entry.durationMillis === undefined) return sequence - 1
  }
  return last
}

/**
 * Starts the section.
 */
export const start = () => {
  const body = byId("entries", HTMLTableSectionElement)
  const empty = byId("requests-empty", HTMLParagraphElement)
  const note = byId("requests-more", HTMLParagraphElement)
  const pause = byId("pause", HTMLButtonElement)
  /** @type {Map<number, Entry>} */
  const entries = new Map()
  /** @type {Map<number, { readonly entry: Entry, readonly node: HTMLTableRowElement }>} */
  const rows = new Map()
  let last = 0
  let forgotten = 0
  let isPaused = false
  let arrivedInPause = 0

  const render = () => {
    pause.textContent = !isPaused ? "Pause" : arrivedInPause === 0 ? "Go on" : `Go on (${arrivedInPause} new)`
    pause.setAttribute("aria-pressed", String(isPaused))
    if (isPaused) return
    for (const [sequence, { node }] of rows) {
      if (entries.has(sequence)) continue
      node.remove()
      rows.delete(sequence)
    }
    for (const [sequence, entry] of entries) {
      const drawn = rows.get(sequence)
      if (drawn?.entry === entry) continue
      const node = row(entry)
      if (drawn === undefined) body.prepend(node)
      else drawn.node.replaceWith(node)
      rows.set(sequence, { entry, node })
    }
    empty.hidden = rows.size > 0
    note.hidden = forgotten === 0
    note.textContent = `and ${forgotten.toLocaleString("en")} before them`
  }

  const forget = () => {
    entries.clear()
    forgotten = 0
    arrivedInPause = 0
    render()
  }

  pause.addEventListener("click", () => {
    isPaused = !isPaused
    arrivedInPause = 0
    render()
  })
  byId("clear-requests", HTMLButtonElement).addEventListener("click", () =>
    showingErrors(byId("requests-error", HTMLParagraphElement), async () => {
      await change("DELETE", "journal")
      forget()
    })
  )

  return {
    forget,
    /**
     * Starts over: the emulator may be another one.
     */
    restart: () => {
      last = 0
      forget()
    },
    /**
     * Takes in what came, and returns whether the registry may have changed.
     *
     * @returns {Promise<boolean>}
     */
    poll: async () => {
      /** @type {ReadonlyArray<Entry>} */
      const came = await get(`journal?after=${unchangedUntil(entries, last)}`)
      for (const entry of came) {
        entries.set(entry.sequence, entry)
        if (isPaused && entry.sequence > last) arrivedInPause += 1
      }
      last = Math.max(last, came.at(-1)?.sequence ?? 0)
      // In the order in which they came: a map keeps it.
      for (const sequence of entries.keys()) {
        if (entries.size <= kept) break
        entries.delete(sequence)
        forgotten += 1
      }
      if (came.length > 0) render()
      return came.some(isWrite)
    }
  }
}
