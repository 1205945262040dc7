/**
 * The status page over HTTP. Another test looks at it in a browser.
 */
import { request } from "node:http"
import * as MigrationProgress from "../src/MigrationProgress.ts"
import * as StatusPage from "../src/StatusPage.ts"
import { assert, describe, it } from "@effect/vitest"
import * as Digest from "@effect-acr/client/Digest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

/** Not by fetch, which does not let a program choose the host. */
const ask = (url: string, headers: Readonly<Record<string, string>> = {}, method = "GET") =>
  Effect.callback<Answer>((resume) => {
    const sent = request(url, { headers, method }, (answer) => {
      let body = ""
      answer.setEncoding("utf8")
      answer.on("data", (piece: string) => (body += piece))
      answer.on("end", () => resume(Effect.succeed({ status: answer.statusCode ?? 0, headers: answer.headers, body })))
    })
    sent.end()
  })

const evil = `<img src=x onerror=alert(1)>"'&\u202egpj`

const tracked = Effect.gen(function* () {
  const tracker = yield* MigrationProgress.track
  yield* tracker.note({
    _tag: "Planned",
    pass: 1,
    artifacts: 3,
    batches: 1,
    summary: {
      pass: 1,
      phase: "inventory",
      repositories: 1,
      totals: [{ state: "planned", count: 3, bytes: 0 }],
      failures: [],
      problems: [{ route: 0, source: evil, target: "shop/api", problem: "collision", detail: evil }]
    }
  })
  yield* tracker.note({
    _tag: "ArtifactDone",
    source: evil,
    target: "shop/api",
    digest: Digest.Digest.make(`sha256:${"0".repeat(64)}`),
    state: "failed",
    class: evil,
    detail: "https://storage.example/blob?sig=S3CRET",
    sentBytes: 0,
    millis: 1
  })
  yield* tracker.note({
    _tag: "AttemptFailed",
    source: evil,
    target: "shop/api",
    digest: Digest.Digest.make(`sha256:${"0".repeat(64)}`),
    detail: "the target cannot be reached"
  })
  return tracker
})

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(MigrationProgress.Progress))

describe("the status page", () => {
  it.live("shows names as text, and has the same as JSON", () =>
    Effect.gen(function* () {
      const { current } = yield* tracked
      const endpoint = yield* StatusPage.serve({ name: evil, progress: current })
      const page = yield* ask(`${endpoint}/`)
      assert.strictEqual(page.status, 200)
      assert.include(page.headers["content-type"], "text/html")
      assert.notInclude(page.body, "<img")
      assert.notInclude(page.body, "\u202e")
      assert.include(page.body, "&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;\\u202egpj")
      assert.match(page.body, /Trying again:.+egpj → shop\/api: the target cannot be reached/)
      // Messages of registries may hold links with signatures.
      assert.notInclude(page.body, "S3CRET")
      assert.notMatch(page.body, /(?:src|href)="?https?:/)
      const { body } = yield* ask(`${endpoint}/status.json`)
      assert.deepInclude(yield* decode(body), { phase: "copy", done: 1, left: 2 })
      assert.notInclude(body, "S3CRET")
      assert.strictEqual((yield* ask(`${endpoint}/none`)).status, 404)
      assert.strictEqual((yield* ask(`${endpoint}/`, {}, "POST")).status, 404)
    }).pipe(Effect.scoped)
  )

  it.live("refuses names that were made to resolve to this machine, and other origins", () =>
    Effect.gen(function* () {
      const { current } = yield* tracked
      const endpoint = yield* StatusPage.serve({ name: "test", progress: current, hosts: ["runner.example"] })
      const { host, port } = new URL(endpoint)
      for (const path of ["/", "/status.json"]) {
        for (const own of [host, `localhost:${port}`, `runner.example:${port}`, `[::1]:${port}`]) {
          assert.strictEqual((yield* ask(`${endpoint}${path}`, { host: own })).status, 200, own)
        }
        const rebound = yield* ask(`${endpoint}${path}`, { host: `rebound.example:${port}` })
        assert.strictEqual(rebound.status, 421)
        assert.include(rebound.body, "open it by an IP address of this machine")
        const foreign = yield* ask(`${endpoint}${path}`, { origin: "http://other.example" })
        assert.strictEqual(foreign.status, 403)
        const own = yield* ask(`${endpoint}${path}`, { origin: endpoint })
        assert.strictEqual(own.status, 200)
        for (const { headers } of [rebound, foreign, own]) {
          assert.include(headers["content-security-policy"], "default-src 'none'")
          assert.strictEqual(headers["cross-origin-resource-policy"], "same-origin")
          assert.strictEqual(headers["cache-control"], "no-store")
        }
      }
    }).pipe(Effect.scoped)
  )

  it.live("is a part of a router of another program, whose page leads to its JSON", () =>
    Effect.gen(function* () {
      const { current } = yield* tracked
      const routes = Layer.mergeAll(
        StatusPage.routes({ name: "test", progress: current, prefix: "/migration" }),
        HttpRouter.add("GET", "/health", HttpServerResponse.text("healthy"))
      )
      const { handler } = yield* Effect.acquireRelease(
        Effect.sync(() => HttpRouter.toWebHandler(routes, { disableLogger: true })),
        ({ dispose }) => Effect.promise(dispose)
      )
      const get = (url: string) =>
        Effect.promise(() =>
          handler(new Request(url, { headers: { host: "localhost" } })).then((answer) => answer.text())
        )
      const page = yield* get("http://localhost/migration")
      const link = /<a href="([^"]+)">JSON/.exec(page)?.[1] ?? ""
      assert.deepInclude(yield* decode(yield* get(new URL(link, "http://localhost/migration").href)), { left: 2 })
      assert.strictEqual(yield* get("http://localhost/health"), "healthy")
    }).pipe(Effect.scoped)
  )
})
