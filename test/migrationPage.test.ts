/**
 * The status page of a migration in a browser, while a run is under way.
 *
 * `npx -y pnpm@12 pictures` also writes the picture of docs/migration.md.
 */
import { mkdir } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import * as Digest from "@effect-acr/client/Digest"
import type * as Migration from "@effect-acr/migration/Migration"
import * as MigrationProgress from "@effect-acr/migration/MigrationProgress"
import * as StatusPage from "@effect-acr/migration/StatusPage"
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Locator, Page } from "playwright-core"
import * as Browser from "./support/browser.ts"

const pictures = fileURLToPath(new URL("../docs/images/", import.meta.url))

/** Keeps what a page looks like for the docs, if that is asked for. */
const picture = (page: Page, name: string) =>
  Effect.promise(async () => {
    if (process.env["PICTURES"] === undefined) return
    await mkdir(pictures, { recursive: true })
    await page.screenshot({ path: `${pictures}${name}.png` })
  })

const act = <A>(run: () => Promise<A>) => Effect.promise(run)

const appears = (locator: Locator) => act(() => locator.first().waitFor())

const section = (page: Page, name: string) => page.getByRole("region", { name })

const digest = Digest.Digest.make(`sha256:${"0".repeat(64)}`)

const artifact = (source: string, index: number): Extract<Migration.Event, { readonly _tag: "ArtifactDone" }> => ({
  _tag: "ArtifactDone",
  source,
  target: source.replace(/^shop\//, "store/"),
  digest,
  state: "copied",
  sentBytes: 23_456_789,
  millis: 800 + index * 300
})

const services = ["shop/api", "shop/web", "shop/checkout", "shop/recommendations", "shop/a-long-name/of-a-service"]

const planned: Migration.Event = {
  _tag: "Planned",
  pass: 1,
  artifacts: 9_500,
  batches: 10,
  summary: {
    pass: 1,
    phase: "inventory",
    repositories: 240,
    totals: [
      { state: "planned", count: 9_500, bytes: 0 },
      { state: "copied", count: 2_100, bytes: 0 },
      { state: "present", count: 640, bytes: 0 },
      { state: "failed", count: 3, bytes: 0 }
    ],
    failures: [{ state: "failed", class: "forbidden", count: 3 }],
    problems: [
      {
        route: 0,
        source: "shop/Api",
        target: "store/api",
        problem: "collision",
        detail: "shop/api would become store/api as well"
      }
    ]
  }
}

/** A run under way. */
const running = Effect.gen(function* () {
  const tracker = yield* MigrationProgress.track
  yield* tracker.note({ _tag: "PassBegan", pass: 1 })
  for (const source of services)
    yield* tracker.note({ _tag: "Listed", source, target: source, artifacts: 1, planned: 1, extraTags: [] })
  yield* tracker.note(planned)
  for (let index = 0; index < 1200; index++) {
    yield* tracker.note(artifact(services[index % 5] ?? "", index % 5))
  }
  yield* tracker.note({ ...artifact("shop/web", 1), state: "refused", class: "refused", detail: "the tag is locked" })
  return tracker
})

const opened = Effect.fnUntraced(function* (options: Parameters<typeof Browser.open>[1] = {}) {
  const tracker = yield* running
  const endpoint = yield* StatusPage.serve({ name: "old-to-new", progress: tracker.current })
  const watched = yield* Browser.open(`${endpoint}/`, options)
  return { ...watched, tracker, endpoint }
})

describe.runIf(Browser.isThere)("the status page of a migration", () => {
  layer(Browser.Browser.layer, { excludeTestServices: true, timeout: "1 minute" })((it) => {
    it.effect("shows phases, speed, states, failures and slow repositories, and renews itself", () =>
      Effect.gen(function* () {
        const { endpoint, errors, origins, page, tracker } = yield* opened({ height: 1000 })
        assert.strictEqual(yield* act(() => page.title()), "Copying, pass 1: old-to-new")
        const progress = section(page, "Copying, pass 1")
        yield* appears(progress.getByText("1,201 of 9,500 artifacts of this pass, 12\u00a0%"))
        yield* appears(progress.getByText(/artifacts\/min, .*B\/s/))
        yield* appears(progress.getByText(/^about \d+/))
        const row = (name: string, text: string) => section(page, name).getByRole("row").filter({ hasText: text })
        yield* appears(row("Artifacts by state", "copied").getByText("3,300"))
        yield* appears(row("Failures by class", "forbidden").getByText("3"))
        yield* appears(row("Slowest repositories", "shop/a-long-name").getByText("240"))
        yield* appears(row("Repositories that are not copied", "shop/Api").getByText("as well"))
        yield* picture(page, "migration-page")

        yield* tracker.note(artifact("shop/api", 1))
        yield* appears(progress.getByText("1,202 of 9,500 artifacts"))
        yield* tracker.note({
          _tag: "RunDone",
          summary: { ...planned.summary, phase: "done", totals: [{ state: "verified", count: 12_243, bytes: 0 }] }
        })
        yield* appears(section(page, "Done"))
        assert.strictEqual(yield* act(() => page.title()), "Done: old-to-new")
        assert.deepStrictEqual(errors, [])
        assert.deepStrictEqual([...origins], [endpoint])

        yield* act(() => page.getByRole("link", { name: "JSON" }).click())
        yield* appears(page.getByText('"phase":"done"'))
      }).pipe(Effect.scoped)
    )

    it.effect("says that the runner is gone, keeps the last state, and continues with the next runner", () =>
      Effect.gen(function* () {
        const { current } = yield* running
        const first = yield* Scope.make()
        const endpoint = yield* Scope.provide(StatusPage.serve({ name: "old-to-new", progress: current }), first)
        const { page } = yield* Browser.open(endpoint)
        yield* Scope.close(first, Exit.void)
        yield* appears(page.getByText("The runner cannot be reached"))
        yield* appears(page.getByText("1,201 of 9,500 artifacts"))
        yield* StatusPage.serve({ name: "old-to-new", progress: current, port: Number(new URL(endpoint).port) })
        yield* act(() => page.getByText("The runner cannot be reached").waitFor({ state: "hidden" }))
      }).pipe(Effect.scoped)
    )

    it.effect("shows all without JavaScript", () =>
      Effect.gen(function* () {
        const { current } = yield* running
        const endpoint = yield* StatusPage.serve({ name: "old-to-new", progress: current })
        const browser = yield* Browser.Browser
        const page = yield* act(() => browser.newPage({ javaScriptEnabled: false }))
        yield* act(() => page.goto(endpoint))
        yield* appears(page.getByText("1,201 of 9,500 artifacts"))
        yield* act(() => page.close())
      }).pipe(Effect.scoped)
    )

    for (const colorScheme of ["light", "dark"] as const) {
      for (const width of [360, 1400]) {
        it.effect(`fits ${width} pixels, ${colorScheme}`, () =>
          Effect.gen(function* () {
            const { errors, page } = yield* opened({ width, colorScheme, height: 900 })
            assert.isAtMost(yield* act(() => page.evaluate(() => document.documentElement.scrollWidth)), width)
            assert.deepStrictEqual(errors, [])
            const { LOOK } = process.env
            if (LOOK !== undefined)
              yield* act(() => page.screenshot({ path: `${LOOK}/${colorScheme}-${width}.png`, fullPage: true }))
          }).pipe(Effect.scoped)
        )
      }
    }

    it.effect("is not served to a name that was made to resolve to this machine", () =>
      Effect.gen(function* () {
        const { endpoint } = yield* opened()
        const { page } = yield* Browser.open(endpoint.replace("127.0.0.1", Browser.reboundHost))
        yield* appears(page.getByText("is not a name of this status page"))
      }).pipe(Effect.scoped)
    )

    it.effect("cannot be read or framed by a page of another origin", () =>
      Effect.gen(function* () {
        const { endpoint } = yield* opened()
        // Another port is another origin.
        const other = yield* StatusPage.serve({ name: "other", progress: (yield* running).current })
        const browser = yield* Browser.Browser
        // Its own policy would refuse the requests before the page does.
        const page = yield* act(() => browser.newPage({ bypassCSP: true }))
        yield* act(() => page.goto(other))
        const outcomes = yield* act(() =>
          page.evaluate(async (address) => {
            const tried = (path: string, init: RequestInit = {}) =>
              fetch(`${address}${path}`, init).then(
                (answer) => `${answer.type} ${answer.status}`,
                () => "refused"
              )
            return {
              page: await tried("/"),
              json: await tried("/status.json"),
              opaque: await tried("/status.json", { mode: "no-cors" })
            }
          }, endpoint)
        )
        assert.deepStrictEqual(outcomes, { page: "refused", json: "refused", opaque: "refused" })
        yield* act(() => page.close())
      }).pipe(Effect.scoped)
    )
  })
})
