/**
 * A browser that a test clicks through: Debian's package `chromium`, without a window.
 */
import { existsSync } from "node:fs"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Browser as Chromium, chromium } from "playwright-core"

const executablePath = "/usr/bin/chromium"

/** Whether tests can use it: `describe.runIf(Browser.isThere)`. */
export const isThere = existsSync(executablePath)

/** A name that resolves to this machine in the browser, as a name of an attacker's may. */
export const reboundHost = "rebound.example"

/** A running browser. */
export class Browser extends Context.Service<Browser, Chromium>()("test/Browser") {
  static readonly layer = Layer.effect(
    Browser,
    Effect.acquireRelease(
      Effect.promise(() =>
        chromium.launch({
          executablePath,
          args: [
            // The sandbox of Chromium does not start as root.
            ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
            `--host-resolver-rules=MAP ${reboundHost} 127.0.0.1`
          ]
        })
      ),
      (browser) => Effect.promise(() => browser.close())
    )
  )
}

/**
 * Opens a page in a window of its own, until the scope closes. `errors` is what its console says of errors, `origins` where
 * its requests go.
 */
export const open = Effect.fnUntraced(function* (
  url: string,
  options: { readonly width?: number; readonly height?: number; readonly colorScheme?: "light" | "dark" } = {}
) {
  const { colorScheme = "light", height = 900, width = 1400 } = options
  const browser = yield* Browser
  const context = yield* Effect.acquireRelease(
    Effect.promise(() => browser.newContext({ viewport: { width, height }, colorScheme })),
    (opened) => Effect.promise(() => opened.close())
  )
  const errors: Array<string> = []
  const origins = new Set<string>()
  const page = yield* Effect.promise(() => context.newPage())
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning")
      errors.push(`${message.location().url}: ${message.text()}`)
  })
  page.on("pageerror", (error) => errors.push(error.message))
  page.on("request", (request) => origins.add(new URL(request.url()).origin))
  yield* Effect.promise(() => page.goto(url))
  return { page, errors, origins }
})
