/**
 * The control API of an emulator.
 */
import * as Http from "node:http"
import { ContainerRegistry } from "@effect-acr/client"
import { AcrEmulator, Control, ControlApi } from "@effect-acr/emulator"
import { assert, layer } from "@effect/vitest"
import { DateTime, Duration, Effect, Layer, Option, Redacted, Schema } from "effect"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"

const Controlled = Control.layer().pipe(
  Layer.provideMerge(AcrEmulator.layer({ seed: [{ repository: "library/alpine", tags: ["3.20"] }] })),
  Layer.provideMerge(NodeHttpClient.layerNodeHttp)
)

interface Asked {
  readonly method?: string
  readonly path: string
  readonly headers?: { readonly [name: string]: string }
  readonly body?: string
}

/** A request with headers that no client of the API would send. */
const ask = ({ body, headers = {}, method = "GET", path }: Asked) =>
  Effect.flatMap(Control.Control, ({ endpoint }) =>
    Effect.callback<{ readonly status: number; readonly body: string; readonly headers: Http.IncomingHttpHeaders }>(
      (resume) => {
        const request = Http.request(new URL(path, endpoint), { method, headers }, (response) => {
          const chunks: Array<Buffer> = []
          response.on("data", (chunk: Buffer) => chunks.push(chunk))
          response.on("end", () =>
            resume(
              Effect.succeed({
                status: response.statusCode ?? 0,
                body: Buffer.concat(chunks).toString("utf8"),
                headers: response.headers
              })
            )
          )
        })
        request.on("error", (error) => resume(Effect.die(error)))
        request.end(body)
      }
    )
  )

const client = Effect.flatMap(Control.Control, ({ endpoint }) => ControlApi.make(endpoint))

const json = { "content-type": "application/json" }

const postSeed = (body: object) => ask({ method: "POST", path: "/seed", headers: json, body: JSON.stringify(body) })

const decodeDocument = Schema.decodeEffect(
  Schema.fromJsonString(Schema.Struct({ paths: Schema.Record(Schema.String, Schema.Unknown) }))
)

layer(Controlled, { excludeTestServices: true })("the control API", (it) => {
  it.effect("is healthy and ready, and says where the emulator is without a secret", () =>
    Effect.gen(function* () {
      const control = yield* client
      const { adminUser, endpoint, logins } = yield* Effect.map(AcrEmulator.AcrEmulator, (emulator) => ({
        ...emulator,
        adminUser: emulator.logins.adminUser.username
      }))
      assert.deepStrictEqual(yield* control.health(), { status: "healthy" })
      assert.deepStrictEqual(yield* control.ready(), { status: "ready" })
      const told = yield* control.emulator()
      assert.strictEqual(told.endpoint, endpoint)
      assert.strictEqual(told.adminUser, adminUser)
      const { body } = yield* ask({ path: "/emulator" })
      assert.notInclude(body, Redacted.value(logins.entraToken))
      assert.deepStrictEqual(Object.keys(JSON.parse(body)).toSorted(), [
        "adminUser",
        "endpoint",
        "loginServer",
        "openUploads"
      ])
    })
  )

  it.effect("injects a fault, shows that it hit, and the request in the journal", () =>
    Effect.gen(function* () {
      const control = yield* client
      yield* control.reset()
      const { id } = yield* control.inject({
        payload: { method: "GET", path: "/v2/", consequence: { _tag: "Answer", status: 503, body: "down" } }
      })
      const { endpoint } = yield* control.emulator()
      assert.strictEqual((yield* Effect.promise(() => fetch(`${endpoint}/v2/`))).status, 503)
      assert.strictEqual((yield* Effect.promise(() => fetch(`${endpoint}/v2/`))).status, 401)
      assert.deepStrictEqual(
        (yield* control.faults()).map(({ hit, id, seen }) => ({ id, seen, hit })),
        [{ id, seen: 2, hit: 1 }]
      )
      const [first, second] = yield* control.journal({ query: {} })
      assert.strictEqual(first?.status, 503)
      assert.strictEqual(first?.responseBytes, 4)
      assert.isAtLeast(first?.durationMillis ?? -1, 0)
      assert.deepStrictEqual(
        (yield* control.journal({ query: { after: first?.sequence ?? 0 } })).map(({ sequence }) => sequence),
        [second?.sequence ?? 0]
      )
      yield* control.removeFault({ params: { id } })
      assert.deepStrictEqual(yield* control.faults(), [])
      assert.strictEqual((yield* Effect.flip(control.removeFault({ params: { id } })))._tag, "NotFound")
      yield* control.clearJournal()
      assert.deepStrictEqual(yield* control.journal({ query: {} }), [])
    })
  )

  it.effect("takes a path that is a regular expression", () =>
    Effect.gen(function* () {
      const control = yield* client
      yield* control.reset()
      const { endpoint } = yield* control.emulator()
      const { status } = yield* ask({
        method: "POST",
        path: "/faults",
        headers: json,
        body: JSON.stringify({
          path: { source: "^/v2/.*/manifests/", flags: "" },
          times: "always",
          consequence: { _tag: "Answer", status: 500 }
        })
      })
      assert.strictEqual(status, 200)
      assert.strictEqual((yield* Effect.promise(() => fetch(`${endpoint}/v2/a/manifests/b`))).status, 500)
      assert.strictEqual((yield* Effect.promise(() => fetch(`${endpoint}/v2/`))).status, 401)
    })
  )

  const mistyped: ReadonlyArray<readonly [name: string, body: string, place: string]> = [
    ["an unknown field", '{"methd":"GET","consequence":{"_tag":"Reset"}}', "methd"],
    ["a method in small letters", '{"method":"get","consequence":{"_tag":"Reset"}}', "method"],
    ["a path without its slash", '{"path":"v2/","consequence":{"_tag":"Reset"}}', "path"],
    ["a regular expression that is none", '{"path":{"source":"(","flags":""},"consequence":{"_tag":"Reset"}}', "path"],
    ["a consequence that there is not", '{"consequence":{"_tag":"Explode"}}', "consequence"],
    ["a status that is none", '{"consequence":{"_tag":"Answer","status":42}}', "status"],
    [
      "a header that would split the answer",
      '{"consequence":{"_tag":"Answer","status":200,"headers":{"a":"b\\r\\nc"}}}',
      "headers"
    ],
    ["no consequence", "{}", "consequence"],
    ["a count of nothing", '{"times":0,"consequence":{"_tag":"Reset"}}', "times"],
    ["no JSON", "{", ""]
  ]
  for (const [name, body, place] of mistyped) {
    it.effect(`refuses a fault with ${name}, and says where`, () =>
      Effect.gen(function* () {
        const control = yield* client
        yield* control.clearFaults()
        const answer = yield* ask({ method: "POST", path: "/faults", headers: json, body })
        assert.strictEqual(answer.status, 400)
        assert.include(answer.body, place)
        assert.deepStrictEqual(yield* control.faults(), [])
      })
    )
  }

  it.effect("restores its start: only the first images, no faults, the clock and the modes of before", () =>
    Effect.gen(function* () {
      const control = yield* client
      const emulator = yield* AcrEmulator.AcrEmulator
      yield* emulator.seed({ repository: "team/app", tags: ["1"] })
      yield* control.inject({ payload: { consequence: { _tag: "Reset" } } })
      yield* control.setModes({ payload: { anonymousPull: true, referrers: { api: false } } })
      yield* control.setLimits({ payload: { tier: "basic", rateLimits: { read: 1 } } })
      yield* control.adjustClock({ payload: { by: Duration.days(30) } })
      assert.deepStrictEqual(
        (yield* control.repositories()).map(({ name }) => name),
        ["library/alpine", "team/app"]
      )
      const far = (yield* control.clock()).time
      yield* control.reset()
      assert.deepStrictEqual(
        (yield* control.repositories()).map(({ name }) => name),
        ["library/alpine"]
      )
      assert.deepStrictEqual(yield* control.faults(), [])
      assert.deepStrictEqual(yield* control.journal({ query: {} }), [])
      assert.isTrue(DateTime.isLessThan((yield* control.clock()).time, far))
      const modes = yield* control.modes()
      assert.isFalse(modes.anonymousPull)
      assert.isTrue(modes.referrers.api)
      assert.deepStrictEqual(yield* control.limits(), { tier: null, rateLimits: {} })
      assert.deepStrictEqual(yield* control.ready(), { status: "ready" })
    })
  )

  it.effect("puts an image into the registry, and refuses an invalid one", () =>
    Effect.gen(function* () {
      const control = yield* client
      yield* control.reset()
      const { digest } = yield* control.seed({
        payload: { repository: "shop/api", tags: ["1.4.0"], platforms: ["linux/amd64", "linux/arm64"] }
      })
      const { manifests, tags } = yield* control.contents({ query: { repository: "shop/api" } })
      assert.deepStrictEqual(
        tags.map((tag) => [tag.name, tag.digest]),
        [["1.4.0", digest]]
      )
      assert.lengthOf(manifests, 3)
      const upperCase = yield* postSeed({ repository: "Shop" })
      assert.strictEqual(upperCase.status, 400)
      assert.include(upperCase.body, "repository")
      const misspelt = yield* postSeed({ repository: "shop/api", tgas: ["1"] })
      assert.strictEqual(misspelt.status, 400)
      assert.include(misspelt.body, "tgas")
      const { updateRepository } = yield* ContainerRegistry.ContainerRegistry
      yield* updateRepository("shop/api", { canWrite: false })
      const locked = yield* Effect.flip(control.seed({ payload: { repository: "shop/api", tags: ["1.5.0"] } }))
      assert.strictEqual(locked._tag, "SeedRefused")
      yield* control.reset()
    }).pipe(Effect.provide(AcrEmulator.layerRegistry()))
  )

  it.effect("shows the tags and the manifests of a repository", () =>
    Effect.gen(function* () {
      const control = yield* client
      yield* control.reset()
      const { manifests, tags } = yield* control.contents({ query: { repository: "library/alpine" } })
      assert.deepStrictEqual(
        tags.map(({ name }) => name),
        ["3.20"]
      )
      assert.strictEqual(manifests[0]?.digest, tags[0]?.digest)
      assert.deepStrictEqual(manifests[0]?.tags, ["3.20"])
      assert.isTrue(
        Option.isSome(yield* Effect.flatMap(AcrEmulator.AcrEmulator, ({ contents }) => contents("library/alpine")))
      )
      const missing = yield* Effect.flip(control.contents({ query: { repository: "none" } }))
      assert.strictEqual(missing._tag, "NotFound")
    })
  )

  it.effect("changes modes, limits, tokens and the clock of a registry that runs", () =>
    Effect.gen(function* () {
      const control = yield* client
      yield* control.reset()
      const { endpoint } = yield* control.emulator()
      const askForToken = () =>
        fetch(`${endpoint}/oauth2/token?service=${new URL(endpoint).host}&scope=registry:catalog:*`)
      const token = () =>
        askForToken()
          .then((response) => response.json())
          .then(Schema.decodeUnknownSync(Schema.Struct({ access_token: Schema.String })))
          .then(({ access_token }) => access_token)
      const list = (bearer: string) =>
        fetch(`${endpoint}/v2/_catalog`, { headers: { authorization: `Bearer ${bearer}` } }).then(
          ({ status }) => status
        )

      assert.strictEqual((yield* Effect.promise(askForToken)).status, 401)
      yield* control.setModes({ payload: { anonymousPull: true } })
      const held = yield* Effect.promise(token)
      assert.strictEqual(yield* Effect.promise(() => list(held)), 200)
      assert.include(
        (yield* control.journal({ query: {} })).flatMap(({ user }) => (user === undefined ? [] : [user])),
        "anonymous"
      )

      yield* control.revokeAccessTokens()
      assert.strictEqual(yield* Effect.promise(() => list(held)), 401)

      const fresh = yield* Effect.promise(token)
      yield* control.adjustClock({ payload: { by: Duration.hours(2) } })
      assert.strictEqual(yield* Effect.promise(() => list(fresh)), 401)

      yield* control.setLimits({ payload: { tier: null, rateLimits: { read: 1 } } })
      const last = yield* Effect.promise(token)
      assert.strictEqual(yield* Effect.promise(() => list(last)), 200)
      assert.strictEqual(yield* Effect.promise(() => list(last)), 429)
    })
  )

  it.effect("sets the clock", () =>
    Effect.gen(function* () {
      const control = yield* client
      yield* control.reset()
      yield* control.setClock({ payload: { time: DateTime.makeUnsafe("2030-01-01T00:00:00Z") } })
      const { time } = yield* control.clock()
      assert.strictEqual(DateTime.formatIso(time).slice(0, 10), "2030-01-01")
      yield* control.reset()
    })
  )

  it.effect("has an OpenAPI document that names every path", () =>
    Effect.gen(function* () {
      const { body, status } = yield* ask({ path: "/openapi.json" })
      assert.strictEqual(status, 200)
      const { paths } = yield* decodeDocument(body)
      assert.includeMembers(Object.keys(paths), ["/faults", "/faults/{id}", "/journal", "/reset", "/contents"])
    })
  )

  it.effect("refuses the host names and origins of other pages, and bodies that are no JSON", () =>
    Effect.gen(function* () {
      const { endpoint } = yield* Control.Control
      const { host } = new URL(endpoint)
      const reset = { method: "POST", path: "/reset" }
      assert.strictEqual((yield* ask({ path: "/modes", headers: { host: "evil.example" } })).status, 421)
      assert.strictEqual((yield* ask({ path: "/modes", headers: { host: "localhost.evil.example:80" } })).status, 421)
      assert.strictEqual((yield* ask({ path: "/modes", headers: { host: "localhost:1234" } })).status, 200)
      assert.strictEqual((yield* ask({ path: "/modes", headers: { host: "[::1]:1234" } })).status, 200)
      assert.strictEqual((yield* ask({ ...reset, headers: { origin: "https://evil.example" } })).status, 403)
      assert.strictEqual((yield* ask({ ...reset, headers: { origin: "null" } })).status, 403)
      assert.strictEqual((yield* ask({ ...reset, headers: { origin: `http://${host}` } })).status, 204)
      const fault = '{"consequence":{"_tag":"Reset"}}'
      for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a"]) {
        const refused = yield* ask({ method: "POST", path: "/faults", headers: { "content-type": type }, body: fault })
        assert.strictEqual(refused.status, 415)
      }
      const { headers } = yield* ask({ path: "/modes" })
      assert.strictEqual(headers["x-content-type-options"], "nosniff")
      assert.isUndefined(headers["access-control-allow-origin"])
    })
  )
})
