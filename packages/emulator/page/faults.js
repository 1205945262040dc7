// @ts-check
/**
 * The faults that are injected, and a form to inject more. The form writes JSON, which a person may change at will.
 *
 * @import { JsonInjected } from "./presets.js"
 */
import { change, get, inject, showingErrors } from "./api.js"
import { button, byId, element, replace } from "./elements.js"
import { describe, presets, timesOf } from "./presets.js"

/**
 * An object of JSON, if a text is one.
 *
 * @param {string} text
 * @returns {{ readonly [name: string]: unknown } | undefined}
 */
const parse = (text) => {
  try {
    /** @type {unknown} */
    const value = JSON.parse(text)
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

/**
 * A number as JSON has it. What is none stays text, for the API to refuse.
 *
 * @param {string} text
 */
const numberOr = (text) => (/^\d+$/.test(text.trim()) ? Number(text) : text.trim())

/**
 * The form. Its fields and its JSON say the same: what changes in one is carried over to the other.
 *
 * @param {() => boolean} isDirect Whether the registry serves blobs itself.
 * @param {() => Promise<unknown>} injected Called once a fault is injected.
 */
const startForm = (isDirect, injected) => {
  const preset = byId("fault-preset", HTMLSelectElement)
  const method = byId("fault-method", HTMLSelectElement)
  const path = byId("fault-path", HTMLInputElement)
  const pathKind = byId("fault-path-kind", HTMLSelectElement)
  const skip = byId("fault-skip", HTMLInputElement)
  const times = byId("fault-times", HTMLInputElement)
  const json = byId("fault-json", HTMLTextAreaElement)
  const error = byId("fault-error", HTMLDivElement)

  const readJson = () => {
    const fault = parse(json.value)
    if (fault === undefined) return
    method.value = typeof fault["method"] === "string" ? fault["method"] : ""
    const pattern = fault["path"]
    const isPattern = typeof pattern === "object" && pattern !== null && "source" in pattern
    pathKind.value = isPattern ? "pattern" : "prefix"
    path.value = isPattern ? String(pattern.source) : typeof pattern === "string" ? pattern : ""
    skip.value = typeof fault["skip"] === "number" ? String(fault["skip"]) : ""
    times.value = fault["times"] === undefined ? "" : String(fault["times"])
  }

  const writeJson = () => {
    const { consequence, method: _, path: before, skip: __, times: ___, ...rest } = parse(json.value) ?? {}
    const flags = typeof before === "object" && before !== null && "flags" in before ? before.flags : ""
    const source = path.value
    const fault = {
      ...(method.value === "" ? {} : { method: method.value }),
      ...(source === "" ? {} : { path: pathKind.value === "pattern" ? { source, flags } : source }),
      ...(skip.value === "" ? {} : { skip: numberOr(skip.value) }),
      ...(times.value.trim() === "" ? {} : { times: numberOr(times.value) }),
      ...rest,
      consequence
    }
    json.value = JSON.stringify(fault, undefined, 2)
    error.textContent = ""
  }

  const takePreset = () => {
    const [, fault] = presets(isDirect())[preset.selectedIndex] ?? []
    json.value = JSON.stringify(fault, undefined, 2)
    error.textContent = ""
    readJson()
  }

  preset.append(...presets(false).map(([name]) => element("option", {}, name)))
  preset.addEventListener("change", takePreset)
  for (const field of [method, path, pathKind, skip, times]) field.addEventListener("input", writeJson)
  json.addEventListener("input", () => {
    error.textContent = ""
    readJson()
  })
  byId("fault-form", HTMLFormElement).addEventListener("submit", async (event) => {
    event.preventDefault()
    if (await showingErrors(error, () => inject(json.value))) await injected()
    else json.focus()
  })
  takePreset()
}

/**
 * Starts the section.
 *
 * @param {() => boolean} isDirect Whether the registry serves blobs itself.
 */
export const start = (isDirect) => {
  const list = byId("injected", HTMLUListElement)
  const empty = byId("faults-empty", HTMLParagraphElement)
  const error = byId("fault-error", HTMLDivElement)
  const clear = byId("clear-faults", HTMLButtonElement)
  let drawn = ""

  /**
   * @param {JsonInjected} injected
   */
  const row = ({ fault, hit, id, seen }) => {
    const { times = 1 } = fault
    const isSpent = times !== "always" && hit >= times
    return element(
      "li",
      { class: isSpent ? "fault spent" : "fault" },
      element("span", { title: JSON.stringify(fault, undefined, 2) }, describe(fault)),
      element("span", { class: "quiet" }, `${timesOf(fault)}; seen ${seen}, hit ${hit}${isSpent ? ", used up" : ""}`),
      button("Remove", () => void act(() => change("DELETE", `faults/${id}`)), {
        "data-key": String(id),
        "aria-label": `Remove fault ${id}`
      })
    )
  }

  const poll = async () => {
    /** @type {ReadonlyArray<JsonInjected>} */
    const faults = await get("faults")
    const text = JSON.stringify(faults)
    if (text === drawn) return
    drawn = text
    replace(list, faults.map(row))
    empty.hidden = faults.length > 0
    clear.disabled = faults.length === 0
  }

  /**
   * @param {() => Promise<unknown>} run
   */
  const act = (run) =>
    showingErrors(error, async () => {
      await run()
      await poll()
    })

  clear.addEventListener("click", () => act(() => change("DELETE", "faults")))
  startForm(isDirect, poll)
  return { poll }
}
