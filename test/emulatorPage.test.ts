/**
 * The emulator's page in a browser, used as a person would.
 *
 * `npx -y pnpm@12 pictures` also writes the pictures of docs/emulator-control.md.
 */
import { createHash } from "node:crypto"
import { mkdir } from "node:fs/promises"
import { createServer, get } from "node:http"
import { fileURLToPath } from "node:url"
import * as Repository from "@effect-acr/artifacts/Repository"
import { ContainerRegistry } from "@effect-acr/client/ContainerRegistry"
import * as Digest from "@effect-acr/client/Digest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Reference from "@effect-acr/client/Reference"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import { AcrEmulator, Control } from "@effect-acr/emulator"
import { assert, describe, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Locator, Page } from "playwright-core"
import { attach, putArtifact } from "./support/artifacts.ts"
import * as Browser from "./support/browser.ts"
import { emulated } from "./support/emulator.ts"

const Served = Control.layer().pipe(
  Layer.provideMerge(emulated({ seed: [{ repository: "library/alpine", tags: ["3.20", "latest"] }] })),
  Layer.provideMerge(Browser.Browser.layer)
)

const pictures = fileURLToPath(new URL("../docs/images/", import.meta.url))

/** Keeps what a page looks like for the docs, if that is asked for. */
const picture = (page: Page, name: string) =>
  Effect.promise(async () => {
    if (process.env["PICTURES"] === undefined) return
    await mkdir(pictures, { recursive: true })
    await page.evaluate(() => window.scrollTo(0, 0))
    await page.screenshot({ path: `${pictures}emulator-${name}.png` })
  })

const act = <A>(run: () => Promise<A>) => Effect.promise(run)

/** Until the page shows it. */
const appears = (locator: Locator) => act(() => locator.first().waitFor())

/** Until it shows it no more. */
const disappears = (locator: Locator) => act(() => locator.first().waitFor({ state: "hidden" }))

const section = (page: Page, name: string) => page.getByRole("region", { name })

/** A release with two images, an SBOM and a signature, and a signature of that SBOM. */
const putRelease = Effect.gen(function* () {
  const { loginServer } = yield* AcrEmulator.AcrEmulator
  const content = yield* RegistryContent
  const reference = yield* Effect.fromResult(Reference.parse(`${loginServer}/contoso/api`))
  const store = Repository.make(content, reference)
  const artifact = yield* putArtifact(store, "2.0.0", 1_234_567)
  yield* attach(store, artifact.sbom, MediaType.MediaType.make("application/vnd.example.signature.v1+json"), "signed")
  const registry = yield* ContainerRegistry
  yield* registry.updateTag("contoso/api", "2.0.0", { canDelete: false })
  return artifact
})

/** The page of an emulator that is as it was when it started. */
const opened = Effect.fnUntraced(function* (options: Parameters<typeof Browser.open>[1] = {}) {
  const emulator = yield* AcrEmulator.AcrEmulator
  yield* emulator.reset
  const { endpoint } = yield* Control.Control
  const watched = yield* Browser.open(endpoint, options)
  yield* appears(watched.page.getByText("Ready", { exact: true }))
  return { ...watched, emulator, endpoint }
})

/** A page of another origin, until the scope closes. */
const otherOrigin = Effect.map(
  Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createServer>>((resume) => {
      const server = createServer((_, response) => {
        response.setHeader("content-type", "text/html").end("<!doctype html><title>Another page</title>")
      }).listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  ),
  (server) => {
    const address = server.address()
    return typeof address === "object" && address !== null ? `http://127.0.0.1:${address.port}` : ""
  }
)

describe.runIf(Browser.isThere)("the emulator's page", () => {
  layer(Served, { excludeTestServices: true, timeout: "1 minute" })((it) => {
    it.effect("is used as a person would: a tree, a fault, requests, a reset", () =>
      Effect.gen(function* () {
        const { emulator, endpoint, errors, origins, page } = yield* opened()
        yield* putRelease
        const contents = section(page, "Contents")
        // What is pushed appears by itself.
        yield* act(() => contents.getByRole("button", { name: "contoso/api" }).click())
        const tag = contents.getByRole("listitem").filter({ hasText: "2.0.0" }).last()
        yield* appears(contents.getByText("locked (delete)"))
        yield* act(() => contents.getByRole("button", { name: /^Open 2\.0\.0/ }).click())
        yield* appears(tag.getByText("linux/amd64"))
        yield* appears(tag.getByText("linux/arm64"))
        yield* appears(tag.getByText("2.5 MB"))
        // The first image has an SBOM, and that has a signature.
        const image = tag.getByRole("listitem").filter({ hasText: "linux/amd64" }).last()
        yield* act(() => image.getByRole("button", { name: /^Open / }).click())
        yield* appears(image.getByText("application/spdx+json"))
        yield* act(() =>
          image
            .getByRole("listitem")
            .getByRole("button", { name: /^Open / })
            .click()
        )
        yield* appears(image.getByText("application/vnd.example.signature.v1+json").last())

        const faults = section(page, "Faults")
        yield* act(() => faults.getByLabel("Preset").selectOption("503 once"))
        yield* act(() => faults.getByLabel("Method").selectOption("GET"))
        yield* act(() => faults.getByLabel("Path", { exact: true }).fill("/v2/"))
        yield* act(() => faults.getByRole("button", { name: "Inject" }).click())
        yield* appears(faults.getByText("GET, /v2/…: answers 503"))
        assert.deepStrictEqual(
          (yield* emulator.faults).map(({ fault }) => fault),
          [{ method: "GET", path: "/v2/", times: 1, consequence: { _tag: "Answer", status: 503 } }]
        )

        const status = yield* act(() => fetch(`${emulator.endpoint}/v2/?from=test`).then((answer) => answer.status))
        assert.strictEqual(status, 503)
        const requests = section(page, "Requests")
        const row = requests.getByRole("row").filter({ hasText: "/v2/?from=test" })
        yield* appears(row.getByText("503"))
        yield* appears(faults.getByText("seen 1, hit 1, used up"))
        yield* picture(page, "page")

        yield* act(() => faults.getByRole("button", { name: "Remove fault" }).click())
        yield* appears(faults.getByText("No faults are injected."))
        assert.deepStrictEqual(yield* emulator.faults, [])

        const settings = section(page, "Settings")
        yield* act(() => settings.getByRole("button", { name: "Reset…" }).click())
        yield* act(() => page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click())
        assert.strictEqual((yield* emulator.repositories).length, 2)
        yield* act(() => settings.getByRole("button", { name: "Reset…" }).click())
        yield* act(() => page.getByRole("dialog").getByRole("button", { name: "Reset", exact: true }).click())
        yield* appears(settings.getByText("The emulator is reset."))
        yield* disappears(contents.getByRole("button", { name: "contoso/api" }))
        yield* disappears(row)
        assert.deepStrictEqual(
          (yield* emulator.repositories).map(({ name }) => name),
          ["library/alpine"]
        )

        // The repository that is open may be asked for just when the reset has removed it.
        assert.deepStrictEqual(
          errors.filter((error) => !error.includes("/contents?repository=contoso")),
          []
        )
        assert.deepStrictEqual([...origins], [endpoint])
      }).pipe(Effect.scoped)
    )

    it.effect("shows where a fault is wrong, in the words of the API", () =>
      Effect.gen(function* () {
        const { emulator, page } = yield* opened()
        const faults = section(page, "Faults")
        const json = faults.getByLabel("As JSON")
        yield* act(() => json.fill('{"path":"v2/","consequence":{"_tag":"Answer","status":42}}'))
        // The fields follow the JSON.
        assert.strictEqual(yield* act(() => faults.getByLabel("Path", { exact: true }).inputValue()), "v2/")
        yield* act(() => faults.getByRole("button", { name: "Inject" }).click())
        yield* appears(faults.getByText("consequence.status: Expected a value between 200 and 999"))
        yield* appears(faults.getByText('path: Expected a string starting with "/"'))
        yield* act(() => json.fill("{"))
        yield* act(() => faults.getByRole("button", { name: "Inject" }).click())
        yield* appears(faults.getByText("Expected a valid JSON body"))
        assert.deepStrictEqual(yield* emulator.faults, [])
      }).pipe(Effect.scoped)
    )

    it.effect("offers presets, all of which the emulator takes, and removes all", () =>
      Effect.gen(function* () {
        const { emulator, page } = yield* opened()
        const faults = section(page, "Faults")
        const preset = faults.getByLabel("Preset")
        const names = yield* act(() => preset.getByRole("option").allTextContents())
        for (const [index, name] of names.entries()) {
          yield* act(() => preset.selectOption(name))
          yield* act(() => faults.getByRole("button", { name: "Inject" }).click())
          yield* appears(faults.locator("#injected > li").nth(index))
        }
        const kinds = (yield* emulator.faults).map(({ fault }) => fault.consequence._tag)
        assert.includeMembers(kinds, ["Answer", "Stall", "StallBody", "CutBody", "CorruptBody", "Reset", "LostAnswer"])
        yield* act(() => faults.getByRole("button", { name: "Remove all" }).click())
        yield* appears(faults.getByText("No faults are injected."))

        // Where the registry serves blobs itself, downloads have other paths.
        yield* act(() => section(page, "Settings").getByLabel("Blobs").selectOption("direct"))
        yield* appears(section(page, "Settings").getByText("The modes are changed."))
        yield* act(() => preset.selectOption("Download cut"))
        yield* act(() => faults.getByRole("button", { name: "Inject" }).click())
        yield* appears(faults.getByText("GET, /^\\/v2\\/.*\\/blobs\\/sha/: resets the connection"))
        yield* act(() => faults.getByRole("button", { name: "Remove fault" }).click())
        yield* appears(faults.getByText("No faults are injected."))
        assert.deepStrictEqual(yield* emulator.faults, [])
      }).pipe(Effect.scoped)
    )

    it.effect("changes modes, limits and the clock, and says what is refused", () =>
      Effect.gen(function* () {
        const { emulator, errors, page } = yield* opened()
        const settings = section(page, "Settings")
        const done = settings.getByText("The modes are changed.")
        yield* act(() => settings.getByLabel("Anonymous pull").click())
        yield* appears(done)
        assert.isTrue((yield* emulator.modes).anonymousPull)
        yield* act(() => settings.getByLabel("Soft delete, for").fill("7 days"))
        yield* act(() => settings.getByLabel("Soft delete, for").press("Enter"))
        yield* act(() => settings.getByLabel("API", { exact: true }).click())
        yield* act(() => settings.getByLabel("Tier").selectOption("basic"))
        yield* appears(settings.getByText("The limits are changed."))
        yield* act(() => settings.getByLabel("Reads").fill("5"))
        yield* act(() => settings.getByLabel("Reads").press("Tab"))
        const before = yield* emulator.time
        yield* act(() => settings.getByLabel("Move by").fill("8 days"))
        yield* act(() => settings.getByRole("button", { name: "Move" }).click())
        yield* appears(settings.getByText("The clock is changed."))
        assert.isTrue(DateTime.isGreaterThan(yield* emulator.time, DateTime.add(before, { days: 8 })))
        yield* act(() => settings.getByLabel("Set to").fill("2030-01-31T12:00:00Z"))
        yield* act(() => settings.getByRole("button", { name: "Set", exact: true }).click())
        yield* appears(settings.getByText("2030-01-31 12:00"))
        assert.strictEqual(DateTime.formatIso(yield* emulator.time).slice(0, 10), "2030-01-31")
        const { referrers, softDelete } = yield* emulator.modes
        assert.isFalse(referrers.api)
        assert.isNotNull(softDelete)
        assert.deepStrictEqual(yield* emulator.limits, { tier: "basic", rateLimits: { read: 5 } })
        assert.strictEqual(yield* act(() => settings.getByLabel("Soft delete, for").inputValue()), "7 days")

        assert.deepStrictEqual(errors, [])
        yield* act(() => settings.getByLabel("Move by").fill("a while"))
        yield* act(() => settings.getByRole("button", { name: "Move" }).click())
        yield* appears(settings.getByText("by: Expected a valid Duration string"))
      }).pipe(Effect.scoped)
    )

    it.effect("pauses the requests, goes on, and clears them", () =>
      Effect.gen(function* () {
        const { emulator, page } = yield* opened()
        const requests = section(page, "Requests")
        const ask = (name: string) => act(() => fetch(`${emulator.endpoint}/v2/?${name}`))
        yield* ask("first")
        yield* appears(requests.getByText("?first"))
        yield* act(() => requests.getByRole("button", { name: "Pause" }).click())
        yield* ask("second")
        yield* appears(requests.getByRole("button", { name: "Go on (1 new)" }))
        assert.strictEqual(yield* act(() => requests.getByText("?second").count()), 0)
        yield* act(() => requests.getByRole("button", { name: "Go on" }).click())
        yield* appears(requests.getByText("?second"))
        yield* act(() => requests.getByRole("button", { name: "Clear" }).click())
        yield* appears(requests.getByText("No requests so far."))
        assert.deepStrictEqual(yield* emulator.journal, [])
      }).pipe(Effect.scoped)
    )

    it.effect("follows a request that is under way until it ends", () =>
      Effect.gen(function* () {
        const { emulator, page } = yield* opened()
        // More than the buffers of a connection hold.
        const large = new Uint8Array(64 * 1024 * 1024)
        yield* emulator.seed({ repository: "large/layer", tags: ["1"], layers: [large] })
        const content = yield* RegistryContent
        const digest = Digest.Digest.make(`sha256:${createHash("sha256").update(large).digest("hex")}`)
        const reading = yield* content.blob("large/layer", { digest, size: large.length }).pipe(
          Stream.runForEach(() => Effect.never),
          Effect.forkScoped
        )
        const row = section(page, "Requests").getByRole("row").filter({ hasText: "storage" })
        yield* appears(row.getByText("…", { exact: true }))
        yield* Fiber.interrupt(reading)
        yield* appears(row.getByText(/^\d+(\.\d)? m?s$/))
      }).pipe(Effect.scoped)
    )

    it.effect("shows 20,000 tags in parts, and finds one", () =>
      Effect.gen(function* () {
        const { emulator, page } = yield* opened()
        yield* emulator.seed({ repository: "many/tags", tags: Array.from({ length: 20_000 }, (_, tag) => `v${tag}`) })
        const contents = section(page, "Contents")
        yield* act(() => contents.getByRole("button", { name: "Refresh" }).click())
        yield* act(() => contents.getByRole("button", { name: "many/tags" }).click())
        yield* appears(contents.getByText("and 19,900 more"))
        const rows = contents.getByRole("listitem").filter({ hasText: "many/tags" }).getByRole("listitem")
        assert.strictEqual(yield* act(() => rows.count()), 100)
        yield* act(() => contents.getByRole("button", { name: "Show 100 more" }).click())
        yield* appears(contents.getByText("and 19,800 more"))
        yield* act(() => contents.getByLabel("Filter tags of many/tags").fill("v19999"))
        yield* appears(rows.getByText("v19999"))
        assert.strictEqual(yield* act(() => rows.count()), 1)
      }).pipe(Effect.scoped)
    )

    it.effect("is used with the keyboard, whose place survives what others change", () =>
      Effect.gen(function* () {
        const { emulator, page } = yield* opened()
        yield* putRelease
        const contents = section(page, "Contents")
        yield* appears(contents.getByRole("button", { name: "contoso/api" }))
        const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label"))
        yield* act(() => contents.getByRole("button", { name: "contoso/api" }).focus())
        yield* act(() => page.keyboard.press("Enter"))
        const opener = contents.getByRole("button", { name: /^Open 2\.0\.0/ })
        yield* appears(opener)
        while (!(yield* act(focused))?.startsWith("Open 2.0.0")) yield* act(() => page.keyboard.press("Tab"))
        yield* act(() => page.keyboard.press("Space"))
        yield* appears(contents.getByText("linux/arm64"))
        yield* emulator.seed({ repository: "contoso/api", tags: ["1.0.0"] })
        yield* appears(contents.getByText("1.0.0", { exact: true }))
        // The tree is open still, and the focus is where it was.
        yield* appears(contents.getByText("linux/arm64"))
        assert.match((yield* act(focused)) ?? "", /^Open 2\.0\.0/)
        yield* act(() => page.keyboard.press("Space"))
        yield* disappears(contents.getByText("linux/arm64"))
      }).pipe(Effect.scoped)
    )

    it.effect("copies a whole digest", () =>
      Effect.gen(function* () {
        const { endpoint, page } = yield* opened()
        yield* act(() => page.context().grantPermissions(["clipboard-read", "clipboard-write"], { origin: endpoint }))
        const contents = section(page, "Contents")
        yield* act(() => contents.getByRole("button", { name: "library/alpine" }).click())
        yield* act(() =>
          contents
            .getByRole("button", { name: /^Copy sha256:/ })
            .first()
            .click()
        )
        yield* appears(contents.getByRole("button", { name: /^Copied sha256:/ }))
        assert.match(yield* act(() => page.evaluate(() => navigator.clipboard.readText())), /^sha256:[0-9a-f]{64}$/)
      }).pipe(Effect.scoped)
    )

    it.effect("takes what clients send for text", () =>
      Effect.gen(function* () {
        const { emulator, errors, page } = yield* opened()
        const markup = "<img/src=x/onerror=document.title='broken'>"
        yield* emulator.inject({ path: `/${markup}`, consequence: { _tag: "Reset" } })
        const { hostname, port } = new URL(emulator.endpoint)
        // Not fetch, which would encode it.
        yield* Effect.callback<void>((resume) => {
          get({ hostname, port, path: `/v2/?${markup}` }, (answer) => {
            answer.resume()
            resume(Effect.void)
          })
        })
        yield* appears(section(page, "Faults").getByText(markup))
        yield* appears(section(page, "Requests").getByText(markup))
        assert.strictEqual(yield* act(() => page.locator("img").count()), 0)
        assert.deepStrictEqual(errors, [])
      }).pipe(Effect.scoped)
    )

    it.effect("says that the emulator is gone, and goes on with the next one", () =>
      Effect.gen(function* () {
        const emulator = yield* AcrEmulator.AcrEmulator
        yield* emulator.reset
        const first = yield* Scope.make()
        const { endpoint } = yield* Effect.map(Layer.buildWithScope(Control.layer(), first), (context) =>
          Context.get(context, Control.Control)
        )
        const { page } = yield* Browser.open(endpoint)
        yield* appears(page.getByText("Ready", { exact: true }))
        yield* Scope.close(first, Exit.void)
        yield* appears(page.getByText("The emulator cannot be reached"))
        yield* emulator.seed({ repository: "contoso/next", tags: ["1"] })
        yield* Layer.build(Control.layer({ port: Number(new URL(endpoint).port) }))
        yield* appears(page.getByText("Ready", { exact: true }))
        yield* appears(section(page, "Contents").getByRole("button", { name: "contoso/next" }))
      }).pipe(Effect.scoped)
    )

    it.effect("goes on after an answer that breaks off", () =>
      Effect.gen(function* () {
        const { page } = yield* opened()
        yield* act(() =>
          page.evaluate(`
            const whole = fetch
            window.fetch = async () => {
              window.fetch = whole
              return new Response(new ReadableStream({ start: (body) => body.error(new TypeError("cut off")) }))
            }`)
        )
        yield* appears(page.getByText("The emulator cannot be reached"))
        yield* appears(page.getByText("Ready", { exact: true }))
      }).pipe(Effect.scoped)
    )

    it.effect("goes on where an emulator took a request while it started, and never answers it", () =>
      Effect.gen(function* () {
        const { page } = yield* opened()
        yield* act(() =>
          page.evaluate(`
            const whole = fetch
            window.fetch = (path, { signal }) => {
              window.fetch = whole
              return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)))
            }`)
        )
        yield* appears(page.getByText("The emulator cannot be reached"))
        yield* appears(page.getByText("Ready", { exact: true }))
      }).pipe(Effect.scoped)
    )

    for (const colorScheme of ["light", "dark"] as const) {
      for (const width of [400, 1400]) {
        it.effect(`fits ${width} pixels, ${colorScheme}`, () =>
          Effect.gen(function* () {
            const { emulator, page } = yield* opened({ width, colorScheme, height: 900 })
            yield* putRelease
            yield* emulator.inject({ path: /^\/v2\/.*\/manifests\//, times: "always", consequence: { _tag: "Reset" } })
            yield* act(() =>
              fetch(`${emulator.endpoint}/v2/a-long-name/of-a-repository/manifests/latest`).catch(() => 0)
            )
            const contents = section(page, "Contents")
            yield* act(() => contents.getByRole("button", { name: "contoso/api" }).click())
            yield* act(() => contents.getByRole("button", { name: /^Open 2\.0\.0/ }).click())
            yield* appears(section(page, "Faults").getByText("seen 1, hit 1"))
            yield* appears(contents.getByText("linux/arm64"))
            assert.isAtMost(yield* act(() => page.evaluate(() => document.documentElement.scrollWidth)), width)
            if (width === 400 && colorScheme === "dark") yield* picture(page, "narrow")
          }).pipe(Effect.scoped)
        )
      }
    }

    it.effect("cannot be read or used by a page of another origin", () =>
      Effect.gen(function* () {
        const { emulator, endpoint } = yield* opened()
        // What a reset or a removal would undo.
        yield* emulator.setModes({ anonymousPull: true })
        const id = yield* emulator.inject({ path: "/none", consequence: { _tag: "Reset" } })
        const { page } = yield* Browser.open(yield* otherOrigin)
        const outcomes = yield* act(() =>
          page.evaluate(async (control) => {
            const fault = JSON.stringify({ consequence: { _tag: "Reset" } })
            const tried = (path: string, init: RequestInit = {}) =>
              fetch(`${control}${path}`, init).then(
                (answer) => `${answer.type} ${answer.status}`,
                () => "refused"
              )
            const loaded = (tag: "script" | "img" | "iframe", path: string) =>
              new Promise<string>((resolve) => {
                const made = document.createElement(tag)
                made.addEventListener("load", () => {
                  const seen = made instanceof HTMLIFrameElement ? made.contentDocument : made
                  resolve(seen === null ? "nothing" : "loaded")
                })
                made.addEventListener("error", () => resolve("refused"))
                made.src = `${control}${path}`
                document.body.append(made)
              })
            return {
              read: await tried("/modes"),
              readOpaque: await tried("/modes", { mode: "no-cors" }),
              json: await tried("/faults", {
                method: "POST",
                headers: { "content-type": "application/json" },
                body: fault
              }),
              text: await tried("/faults", { method: "POST", mode: "no-cors", body: fault }),
              reset: await tried("/reset", { method: "POST", mode: "no-cors" }),
              remove: await tried("/faults", { method: "DELETE" }),
              script: await loaded("script", "/page/page.js"),
              image: await loaded("img", "/page/icon.svg"),
              frame: await loaded("iframe", "/")
            }
          }, endpoint)
        )
        assert.deepStrictEqual(outcomes, {
          read: "refused",
          readOpaque: "refused",
          json: "refused",
          text: "refused",
          reset: "refused",
          remove: "refused",
          script: "refused",
          image: "refused",
          frame: "nothing"
        })
        // A form needs no permission to be sent.
        yield* act(() =>
          page.evaluate((control) => {
            const form = document.createElement("form")
            form.method = "post"
            form.action = `${control}/reset`
            document.body.append(form)
            form.submit()
          }, endpoint)
        )
        yield* act(() => page.getByText("The control API does not answer pages of other origins").waitFor())
        assert.deepStrictEqual(
          (yield* emulator.faults).map((fault) => fault.id),
          [id]
        )
        assert.isTrue((yield* emulator.modes).anonymousPull)
      }).pipe(Effect.scoped)
    )

    it.effect("is not served to a name that was made to resolve to this machine", () =>
      Effect.gen(function* () {
        const { endpoint } = yield* opened()
        const { page } = yield* Browser.open(endpoint.replace("127.0.0.1", Browser.reboundHost))
        yield* appears(page.getByText("is not a name of this emulator's control API"))
        assert.strictEqual(
          yield* act(() => page.evaluate(() => fetch("/reset", { method: "POST" }).then(({ status }) => status))),
          421
        )
      }).pipe(Effect.scoped)
    )
  })
})
