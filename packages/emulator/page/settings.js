// @ts-check
/**
 * The modes, limits and clock of the emulator, its tokens, and its reset. A change of a field is a change of the emulator.
 *
 * @import { Limits, Modes } from "../src/Modes.ts"
 */
import { change, get, showingErrors } from "./api.js"
import { byId } from "./elements.js"
import { duration, time } from "./text.js"

const flags = /** @type {const} */ (["anonymousPull", "conditionalPut"])
const choices = /** @type {const} */ (["blobs", "roleAssignmentMode"])
const sizes = /** @type {const} */ (["maxRequestBodySize", "chunkMinLength"])
const referrerFlags = /** @type {const} */ (["api", "subjectHeader", "filter", "cascade"])
const kinds = /** @type {const} */ (["read", "write", "delete", "referrers", "oauth"])

/**
 * @param {string} id
 */
const input = (id) => byId(id, HTMLInputElement)

/**
 * @param {string} id
 */
const select = (id) => byId(id, HTMLSelectElement)

/**
 * The number in a field, `null` if it is empty.
 *
 * @param {string} id
 */
const numberIn = (id) => {
  const field = input(id)
  // What a browser takes for no number has an empty value. It is no `null`.
  if (field.validity.badInput) return "no number"
  return field.value === "" ? null : Number(field.value)
}

/**
 * @param {typeof Modes.Encoded} modes
 */
const showModes = (modes) => {
  for (const flag of flags) input(flag).checked = modes[flag]
  for (const choice of choices) select(choice).value = modes[choice]
  for (const size of sizes) input(size).value = String(modes[size] ?? "")
  input("retention").value = modes.softDelete === null ? "" : duration(modes.softDelete.retention)
  for (const flag of referrerFlags) input(flag).checked = modes.referrers[flag]
  input("pageSize").value = String(modes.referrers.pageSize ?? "")
}

/**
 * The change that a field stands for.
 *
 * @param {string} id
 * @returns {{ readonly [name: string]: unknown }}
 */
const changeOf = (id) => {
  if (flags.some((flag) => flag === id)) return { [id]: input(id).checked }
  if (choices.some((choice) => choice === id)) return { [id]: select(id).value }
  if (sizes.some((size) => size === id)) return { [id]: numberIn(id) }
  if (id === "retention") {
    const retention = input(id).value.trim()
    return { softDelete: retention === "" ? null : { retention } }
  }
  return { referrers: { [id]: id === "pageSize" ? numberIn(id) : input(id).checked } }
}

/**
 * @param {typeof Limits.Encoded} limits
 */
const showLimits = ({ rateLimits, tier }) => {
  select("tier").value = tier ?? ""
  for (const kind of kinds) {
    const field = input(`limit-${kind}`)
    field.value = String(rateLimits[kind] ?? "")
    field.placeholder = tier === null ? "no limit" : "of the tier"
  }
}

const limitsInForm = () => ({
  tier: select("tier").value || null,
  rateLimits: Object.fromEntries(
    kinds.flatMap((kind) => {
      const limit = numberIn(`limit-${kind}`)
      return limit === null ? [] : [[kind, limit]]
    })
  )
})

/**
 * Shows a time that runs on by itself.
 */
const startClock = () => {
  const place = byId("clock", HTMLTimeElement)
  let aheadMillis = 0
  const show = () => {
    const now = new Date(Date.now() + aheadMillis).toISOString()
    place.dateTime = now
    place.textContent = `${time(now)} UTC`
  }
  setInterval(show, 1000)
  return {
    /**
     * @param {string} now
     */
    set: (now) => {
      aheadMillis = Date.parse(now) - Date.now()
      show()
    }
  }
}

/**
 * Asks before a reset.
 *
 * @param {() => Promise<unknown>} reset
 */
const startReset = (reset) => {
  const dialog = byId("reset-dialog", HTMLDialogElement)
  byId("reset", HTMLButtonElement).addEventListener("click", () => dialog.showModal())
  byId("reset-cancel", HTMLButtonElement).addEventListener("click", () => dialog.close())
  byId("reset-confirm", HTMLButtonElement).addEventListener("click", () => {
    dialog.close()
    void reset()
  })
}

/**
 * Starts the section.
 *
 * @param {() => Promise<unknown>} wasReset Called after a reset.
 */
export const start = (wasReset) => {
  const error = byId("settings-error", HTMLParagraphElement)
  const done = byId("settings-done", HTMLParagraphElement)
  const clock = startClock()
  const forms = [byId("modes-form", HTMLFormElement), byId("limits-form", HTMLFormElement)]
  let isDirect = false

  /**
   * Shows what the emulator has, except in a form that a person is in.
   *
   * @param {boolean} [isForced] Also there.
   */
  const load = async (isForced = false) => {
    /** @type {[typeof Modes.Encoded, typeof Limits.Encoded, { readonly time: string }]} */
    const [modes, limits, { time: now }] = await Promise.all([get("modes"), get("limits"), get("clock")])
    isDirect = modes.blobs === "direct"
    clock.set(now)
    const [inModes, inLimits] = forms.map((form) => form.contains(document.activeElement))
    if (isForced || inModes !== true) showModes(modes)
    if (isForced || inLimits !== true) showLimits(limits)
  }

  /**
   * @param {string} outcome
   * @param {() => Promise<unknown>} run
   */
  const act = async (outcome, run) => {
    done.textContent = ""
    const succeeded = await showingErrors(error, run)
    if (succeeded) done.textContent = outcome
    return succeeded
  }

  const [modesForm, limitsForm] = forms
  modesForm?.addEventListener("change", ({ target }) => {
    if (!(target instanceof HTMLElement)) return
    const body = changeOf(target.id)
    void act("The modes are changed.", async () => {
      await change("PATCH", "modes", body)
      await load(true)
    })
  })
  limitsForm?.addEventListener("change", () => {
    void act("The limits are changed.", async () => {
      await change("PUT", "limits", limitsInForm())
      await load(true)
    })
  })
  // Enter in a field would send the page away.
  for (const form of forms) form.addEventListener("submit", (event) => event.preventDefault())

  /**
   * @param {string} form
   * @param {() => Promise<unknown>} set
   */
  const onClock = (form, set) =>
    byId(form, HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault()
      void act("The clock is changed.", async () => {
        await set()
        await load()
      })
    })
  onClock("adjust-form", () => change("POST", "clock/adjust", { by: input("clock-by").value.trim() }))
  onClock("clock-form", () => change("PUT", "clock", { time: input("clock-time").value.trim() }))
  byId("revoke-access", HTMLButtonElement).addEventListener("click", () =>
    act("All access tokens are revoked.", () => change("DELETE", "tokens/access"))
  )
  byId("revoke-refresh", HTMLButtonElement).addEventListener("click", () =>
    act("All refresh tokens are revoked.", () => change("DELETE", "tokens/refresh"))
  )
  startReset(() =>
    act("The emulator is reset.", async () => {
      await change("POST", "reset")
      await load(true)
      await wasReset()
    })
  )
  return { load, isDirect: () => isDirect }
}
