// @ts-check
/**
 * The page: starts its sections, and keeps them up to date.
 *
 * @import { Emulator } from "../src/ControlApi.ts"
 */
import { get, Refused } from "./api.js"
import * as Contents from "./contents.js"
import { byId, copied } from "./elements.js"
import * as Faults from "./faults.js"
import * as Requests from "./requests.js"
import * as Settings from "./settings.js"

const pauseMillis = 1000

/** What others may have changed is loaded again after so many rounds. */
const roundsBetweenLoads = 5

const status = byId("status", HTMLSpanElement)
const address = byId("address", HTMLSpanElement)

/**
 * @param {"ready" | "starting" | "unreachable"} state
 * @param {string} text
 */
const showStatus = (state, text) => {
  // Else a screen reader would say it each second.
  if (status.textContent === text) return
  status.className = state
  status.textContent = text
}

const contents = Contents.start()
const requests = Requests.start()
const settings = Settings.start(async () => {
  requests.forget()
  await Promise.all([contents.refresh(), faults.poll()])
})
const faults = Faults.start(settings.isDirect)

const loadEmulator = async () => {
  /** @type {Emulator} */
  const { adminUser, endpoint } = await get("emulator")
  address.replaceChildren(copied(endpoint, endpoint, "endpoint"), ` as ${adminUser}`)
  document.title = `ACR emulator at ${new URL(endpoint).host}`
}

const isReady = () =>
  get("ready").then(
    () => true,
    () => false
  )

let round = 0
let isLost = true

const update = async () => {
  if (isLost) {
    await loadEmulator()
    requests.restart()
    isLost = false
    round = 0
  }
  const [hasChanged] = await Promise.all([requests.poll(), faults.poll()])
  if (hasChanged || round % roundsBetweenLoads === 0) await contents.refresh()
  if (round % roundsBetweenLoads === 0) {
    await settings.load()
    if (await isReady()) showStatus("ready", "Ready")
    else showStatus("starting", "Starting")
  }
  round += 1
}

const run = async () => {
  // A page in the background asks for nothing.
  if (!document.hidden) {
    try {
      await update()
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      isLost = true
      showStatus("unreachable", error.message)
    }
  }
  setTimeout(() => void run(), pauseMillis)
}

void run()
