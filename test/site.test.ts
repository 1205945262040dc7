/**
 * The site as a reader has it: built, then read in a browser, on a phone and on a desktop, in light and in dark.
 *
 * `PICTURES=<folder>` keeps what its pages look like.
 */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import { extname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Page } from "playwright-core"
import { site } from "../site/addresses.ts"
import { broken } from "../site/broken.ts"
import { built, root } from "../site/sources.ts"
import * as Browser from "./support/browser.ts"
import { run, temporaryFolder } from "./support/command.ts"

const types: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".png": "image/png",
  ".svg": "image/svg+xml"
}

const base = new URL(site).pathname

/** The built site on a server for files, which knows nothing of it, as its address. */
class Site extends Context.Service<Site, string>()("test/Site") {
  static readonly layer = Layer.effect(
    Site,
    Effect.gen(function* () {
      yield* run(process.execPath, [fileURLToPath(new URL("../site/build.ts", import.meta.url))], { cwd: root })
      const server = yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          const listening = createServer((request, response) => {
            const path = decodeURI(new URL(request.url ?? "", site).pathname).slice(base.length)
            const file = path === "" || path.endsWith("/") ? `${path}index.html` : path
            readFile(join(built, file)).then(
              (bytes) => response.setHeader("content-type", types[extname(file)] ?? "text/plain").end(bytes),
              () => response.writeHead(404).end()
            )
          }).listen(0, "127.0.0.1", () => resume(Effect.succeed(listening)))
        }),
        (listening) =>
          Effect.sync(() => {
            listening.closeAllConnections()
            listening.close()
          })
      )
      const address = server.address()
      return typeof address === "object" && address !== null ? `http://127.0.0.1:${address.port}${base}` : ""
    })
  )
}

const act = <A>(run: () => Promise<A>) => Effect.promise(run)

/** Keeps what a page looks like, if that is asked for. */
const picture = (page: Page, name: string) =>
  act(async () => {
    const folder = process.env["PICTURES"]
    if (folder === undefined) return
    await mkdir(folder, { recursive: true })
    await page.screenshot({ path: join(folder, `${name.replace(/\W+/g, "-")}.png`) })
  })

/** How many pixels of a page are beside its window. */
const overflow = (page: Page) =>
  act(() => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth))

const isDark = (page: Page) =>
  act(() =>
    page.evaluate(() => {
      const [red = "255"] = getComputedStyle(document.body).backgroundColor.match(/\d+/g) ?? []
      return Number(red) < 128
    })
  )

/** The addresses of what a search finds, from the best on. */
const find = Effect.fnUntraced(function* (page: Page, words: string) {
  // A search begins with the words of the one before.
  yield* act(() => page.evaluate(() => sessionStorage.clear()))
  yield* act(() => page.getByRole("button", { name: "Search" }).first().click())
  yield* act(() => page.locator("#localsearch-input").fill(words))
  const results = page.locator(".results a.result")
  yield* act(() => results.first().waitFor())
  return yield* act(() => results.evaluateAll((links) => links.map((link) => link.getAttribute("href") ?? "")))
})

const windows = [
  { name: "phone", width: 390, height: 844 },
  { name: "desktop", width: 1440, height: 900 }
] as const

/** A page of each kind. */
const kinds = [
  "",
  "guides.html",
  "retention.html",
  "performance.html",
  "from-dotnet.html",
  "from-dotnet/content-client.html",
  "api/client/RegistryContent.html",
  "cli/tasks.html",
  "examples/clean-up.html",
  "changelog.html"
]

/** What readers search for, and the page that is about it. */
const searches = [
  ["retry", "errors-and-retries.html"],
  ["national cloud", "authentication.html"],
  ["resume", "transfers.html"],
  ["proxy", "network.html"],
  ["SBOM", "files.html"],
  ["delete old images", "retention.html"]
] as const

describe.runIf(Browser.isThere)("the site", () => {
  layer(Layer.merge(Browser.Browser.layer, Site.layer), { excludeTestServices: true, timeout: "3 minutes" })((it) => {
    for (const { height, name, width } of windows) {
      for (const colorScheme of ["light", "dark"] as const) {
        it.effect(`is read on a ${name}, ${colorScheme}: nothing is beside the window, or comes from elsewhere`, () =>
          Effect.gen(function* () {
            const address = yield* Site
            const { errors, origins, page } = yield* Browser.open(address, { width, height, colorScheme })
            for (const path of kinds) {
              yield* act(() => page.goto(`${address}${path}`))
              yield* act(() => page.locator("h1").first().waitFor())
              yield* picture(page, `${name}-${colorScheme}-${path === "" ? "home" : path}`)
              assert.isAtMost(yield* overflow(page), 0, path)
              assert.strictEqual(yield* isDark(page), colorScheme === "dark", path)
            }
            assert.deepStrictEqual(errors, [])
            assert.deepStrictEqual([...origins], [new URL(address).origin])
          })
        )
      }

      it.effect(`is searched on a ${name}: the first result is the page about it`, () =>
        Effect.gen(function* () {
          const address = yield* Site
          const { errors, page } = yield* Browser.open(address, { width, height })
          for (const [words, expected] of searches) {
            const [first = ""] = yield* find(page, words)
            yield* picture(page, `${name}-search-${words}`)
            assert.strictEqual(first.split("#")[0], `${base}${expected}`, words)
            // The result leads there, to a heading that is in sight.
            yield* act(() => page.locator(".results a.result").first().click())
            yield* act(() => page.waitForURL((url) => `${url.pathname}${url.hash}` === first))
            const [, anchor = ""] = first.split("#")
            yield* act(() => page.locator(`[id="${anchor}"]`).waitFor())
          }
          assert.deepStrictEqual(errors, [])
        })
      )
    }

    it.effect("fits a phone on every page, of the reference on one", () =>
      Effect.gen(function* () {
        const address = yield* Site
        const { page } = yield* Browser.open(address, { width: 360, height: 740 })
        const names = yield* act(() => readdir(built, { recursive: true }))
        const pages = names.filter((name) => /^(?!api\/|404).*\.html$/.test(name))
        assert.isAbove(pages.length, 90)
        // A page is laid out without its scripts, in half of the time.
        yield* act(() => page.route("**/*.js", (route) => route.abort()))
        const wide: Array<string> = []
        for (const path of pages) {
          yield* act(() => page.goto(`${address}${path}`, { waitUntil: "domcontentloaded" }))
          if ((yield* overflow(page)) > 0) wide.push(path)
        }
        assert.deepStrictEqual(wide, [])
      })
    )

    it.effect("has the packages' modules beside a page of the reference, in a menu on a phone", () =>
      Effect.gen(function* () {
        const address = yield* Site
        const { page } = yield* Browser.open(`${address}api/client/Tag.html`, { width: 390, height: 844 })
        yield* act(() => page.getByRole("button", { name: "Menu" }).click())
        yield* act(() => page.getByRole("link", { name: "RegistryContent", exact: true }).first().click())
        yield* act(() => page.waitForURL(`${address}api/client/RegistryContent.html`))
        yield* act(() => page.getByRole("heading", { level: 1, name: /RegistryContent/ }).waitFor())
        const contents = yield* act(() => page.locator(".vp-doc li").first().innerText())
        assert.match(contents, /^Services: Service/)
      })
    )
  })
})

it.live("links of the site that lead nowhere are found", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const links = [
      "there.html",
      "there.html#heading",
      "#own",
      "https://elsewhere.example/",
      "gone.html",
      "there.html#gone"
    ]
    const html = `<h1 id="own">${links.map((link) => `<a href="${link}">`).join("")}`
    yield* act(async () => {
      await writeFile(join(folder, "index.html"), html)
      await writeFile(join(folder, "there.html"), '<h1 id="heading">')
    })
    assert.deepStrictEqual(broken(folder), ["index.html: gone.html", "index.html: there.html#gone"])
  })
)
