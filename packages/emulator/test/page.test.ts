/**
 * The files of the emulator's page, as they are served and where they are found. test/emulatorPage.test.ts uses the page in
 * a browser.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import * as Control from "../src/Control.ts"
import { folderOf } from "../src/internal/control/page.ts"

const Served = Control.layer().pipe(
  Layer.provideMerge(AcrEmulator.layer()),
  Layer.provideMerge(NodeHttpClient.layerNodeHttp)
)

const ask = Effect.fnUntraced(function* (method: "GET" | "HEAD" | "POST" | "DELETE", path: string) {
  const { endpoint } = yield* Control.Control
  const client = yield* HttpClient.HttpClient
  const { headers, status, text } = yield* client.execute(HttpClientRequest.make(method)(`${endpoint}${path}`))
  return { status, headers, text: yield* text }
})

const decodeManifest = Schema.decodeEffect(Schema.fromJsonString(Schema.Struct({ files: Schema.Array(Schema.String) })))

layer(Served, { excludeTestServices: true })("the page", (it) => {
  it.effect("is served with each file that it names, all of which are there", () =>
    Effect.gen(function* () {
      const { headers, status, text } = yield* ask("GET", "/")
      assert.strictEqual(status, 200)
      assert.strictEqual(headers["content-type"], "text/html; charset=utf-8")
      assert.include(headers["content-security-policy"] ?? "", "default-src 'self'")
      const named = Array.from(text.matchAll(/(?:href|src)="(page\/[^"]+)"/g), ([, path = ""]) => path)
      assert.sameMembers(named, ["page/icon.svg", "page/page.css", "page/page.js"])
      const files = yield* Effect.promise(() => readdir(new URL("../page", import.meta.url)))
      assert.includeMembers(
        files.map((file) => `page/${file}`),
        named
      )
      const types = yield* Effect.forEach(files, (file) =>
        Effect.map(ask("GET", `/page/${file}`), ({ headers, status }) => `${status} ${headers["content-type"]}`)
      )
      assert.sameMembers(
        [...new Set(types)],
        [
          "200 text/html; charset=utf-8",
          "200 text/css; charset=utf-8",
          "200 text/javascript; charset=utf-8",
          "200 image/svg+xml"
        ]
      )
    })
  )

  it.effect("answers HEAD as GET without the body", () =>
    Effect.gen(function* () {
      const [got, head] = [yield* ask("GET", "/"), yield* ask("HEAD", "/")]
      assert.strictEqual(head.status, 200)
      assert.strictEqual(head.text, "")
      for (const name of ["content-type", "content-length", "content-security-policy"]) {
        assert.strictEqual(head.headers[name], got.headers[name])
      }
      assert.strictEqual((yield* ask("HEAD", "/modes")).status, 200)
      assert.strictEqual((yield* ask("HEAD", "/none")).status, 404)
    })
  )

  for (const [method, path] of [
    ["GET", "/favicon.ico"],
    ["GET", "/page/none.js"],
    ["GET", "/page/"],
    ["GET", "/page/..%2fpackage.json"],
    ["GET", "/page/%2e%2e%2fsrc%2findex.js"],
    ["GET", "/page/page.js%00.css"],
    ["GET", "/v2/"],
    ["POST", "/"],
    ["DELETE", "/modes"]
  ] as const) {
    it.effect(`answers ${method} ${path} with a problem`, () =>
      Effect.gen(function* () {
        const { headers, status, text } = yield* ask(method, path)
        assert.strictEqual(status, 404)
        assert.strictEqual(headers["content-type"], "application/problem+json")
        assert.strictEqual(headers["x-content-type-options"], "nosniff")
        assert.include(text, "nothing at this path")
      })
    )
  }
})

it.live("is published with the package", () =>
  Effect.gen(function* () {
    const text = yield* Effect.promise(() => readFile(new URL("../package.json", import.meta.url), "utf8"))
    assert.include((yield* decodeManifest(text)).files, "page")
  })
)

it.live(
  "is found from the source, from what is built and from a bundle of the package, and from no other package",
  () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "effect-acr-page-"))),
        (path) => Effect.promise(() => rm(path, { recursive: true }))
      )
      const ours = join(folder, "node_modules/@effect-acr/emulator")
      yield* Effect.promise(async () => {
        await mkdir(ours, { recursive: true })
        await writeFile(join(ours, "package.json"), '{ "name": "@effect-acr/emulator" }')
        await writeFile(join(folder, "package.json"), '{ "name": "another" }')
      })
      const page = pathToFileURL(join(ours, "page/")).href
      for (const module of ["src/internal/control/page.ts", "dist/internal/control/page.js", "dist/bin.js"]) {
        assert.strictEqual(folderOf(pathToFileURL(join(ours, module)).href)?.href, page)
      }
      assert.isUndefined(folderOf(pathToFileURL(join(folder, "dist/program.js")).href))
    }).pipe(Effect.scoped)
)
