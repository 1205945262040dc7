/**
 * Registries by the names in references: which one a name means, how long a transport lasts, and which registry
 * receives which secret.
 */
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as Credentials from "../src/Credentials.ts"
import * as Reference from "../src/Reference.ts"
import * as Registries from "../src/Registries.ts"
import * as RegistryContent from "../src/RegistryContent.ts"
import type { RegistryError } from "../src/RegistryError.ts"
import { defaultPolicy, never } from "../src/RetryPolicy.ts"
import * as Transport from "../src/Transport.ts"
import { sha256 } from "./support/content.ts"
import { Journal, json, scripted, type Script } from "./support/registry.ts"

/** Any registry: one tag in each repository, for clients with a token of it. It accepts every login. */
const anyRegistry: Script = ({ authorization, method, url }) => {
  if (url.pathname === "/oauth2/exchange") return json({ refresh_token: `refresh-at-${url.host}` })
  if (url.pathname === "/oauth2/token" || url.pathname === "/token")
    return json({ access_token: `access-at-${url.host}` })
  return authorization === undefined
    ? new Response(null, {
        status: 401,
        headers: { "www-authenticate": `Bearer realm="${url.origin}/oauth2/token",service="${url.host}"` }
      })
    : json(method === "GET" ? { name: "any", tags: ["latest"] } : {})
}

const live = (
  credentials: Layer.Layer<Credentials.Credentials> = Credentials.layerAnonymous,
  options: Registries.Options = {}
) => Registries.layerOptions(options).pipe(Layer.provide(credentials), Layer.provideMerge(scripted(anyRegistry)))

const tagsOf = (reference: string) =>
  Effect.flatMap(Registries.open(reference), ({ content, repository }) => Stream.runCollect(content.tags(repository)))

/** The requests, one line each: the method, the address, and the authorization. */
const sent = Effect.map(Journal, (journal) =>
  journal.map(({ authorization, method, url }) =>
    [method, url.origin + url.pathname, ...(authorization === undefined ? [] : [authorization])].join(" ")
  )
)

const reasonOf = <A, R>(effect: Effect.Effect<A, RegistryError, R>) => Effect.map(Effect.flip(effect), (e) => e.reason)

const refused = <A, R>(effect: Effect.Effect<A, RegistryError, R>) =>
  Effect.map(reasonOf(effect), (reason) => {
    assert.strictEqual(reason._tag, "InvalidRequest")
    return reason._tag === "InvalidRequest" ? reason : assert.fail("another reason")
  })

describe("a reference", () => {
  const known: ReadonlyArray<
    readonly [reference: string, endpoint: string, repository: string, tagOrDigest: string, format: string]
  > = [
    [
      "myregistry.azurecr.io/library/alpine:3.20",
      "https://myregistry.azurecr.io",
      "library/alpine",
      "3.20",
      "myregistry.azurecr.io/library/alpine:3.20"
    ],
    ["docker.io/alpine", "https://registry-1.docker.io", "library/alpine", "latest", "docker.io/library/alpine"],
    ["DOCKER.IO/alpine", "https://registry-1.docker.io", "library/alpine", "latest", "DOCKER.IO/library/alpine"],
    ["index.docker.io/a/b", "https://registry-1.docker.io", "a/b", "latest", "index.docker.io/a/b"],
    ["ghcr.io/alpine", "https://ghcr.io", "alpine", "latest", "ghcr.io/alpine"],
    ["ghcr.io:443/a:1", "https://ghcr.io", "a", "1", "ghcr.io:443/a:1"],
    ["localhost:5000/a:1", "https://localhost:5000", "a", "1", "localhost:5000/a:1"],
    ["[::1]:5000/a", "https://[::1]:5000", "a", "latest", "[::1]:5000/a"],
    [`ghcr.io/a:1@${sha256("a")}`, "https://ghcr.io", "a", sha256("a"), `ghcr.io/a:1@${sha256("a")}`]
  ]
  for (const [text, endpoint, repository, tagOrDigest, format] of known) {
    it.effect(`${text} is ${repository} of ${endpoint}`, () =>
      Effect.gen(function* () {
        const opened = yield* Registries.open(text)
        assert.strictEqual(opened.transport.endpoint, endpoint)
        assert.strictEqual(opened.content.endpoint, endpoint)
        assert.strictEqual(opened.repository, repository)
        assert.strictEqual(opened.tagOrDigest, tagOrDigest)
        assert.strictEqual(Reference.format(opened.reference), format)
        assert.deepStrictEqual(yield* sent, [])
      }).pipe(Effect.provide(live()))
    )
  }

  it.effect("that was parsed is accepted unchanged", () =>
    Effect.gen(function* () {
      const reference = yield* Effect.fromResult(Reference.parse("docker.io/alpine:3.20"))
      const opened = yield* Registries.open(reference)
      assert.strictEqual(Reference.format(opened.reference), "docker.io/library/alpine:3.20")
      assert.strictEqual(opened.transport.endpoint, "https://registry-1.docker.io")
    }).pipe(Effect.provide(live()))
  )

  const nameless: ReadonlyArray<readonly [reference: string, expected: string]> = [
    ["alpine", "docker.io/library/alpine for Docker Hub"],
    ["alpine:3.20", "docker.io/library/alpine:3.20 for Docker Hub"],
    ["node:20", "docker.io/library/node:20 for Docker Hub"],
    ["shop/api", "docker.io/shop/api for Docker Hub"],
    [
      "myregistry/app:1",
      "docker.io/myregistry/app:1 for Docker Hub, or myregistry.azurecr.io/app:1 for a registry of Azure"
    ],
    [
      "myregistry/team/app",
      "docker.io/myregistry/team/app for Docker Hub, or myregistry.azurecr.io/team/app for a registry of Azure"
    ]
  ]
  for (const [text, expected] of nameless) {
    it.effect(`without a registry, ${text}, is refused, and the error says what to write`, () =>
      Effect.gen(function* () {
        const { argument, description, value } = yield* refused(Registries.open(text))
        assert.strictEqual(argument, "reference")
        assert.strictEqual(value, text)
        assert.strictEqual(description, `it names no registry, and none is assumed: expected ${expected}`)
      }).pipe(Effect.provide(live()))
    )
  }

  it.effect("that may be a secret is not repeated", () =>
    Effect.gen(function* () {
      const text = "a1b2c3d4e5f6g7h8i9j0k1l2m3"
      const { message } = yield* refused(Registries.open(text))
      assert.notInclude(message, text)
      assert.include(message, "docker.io/library/alpine:3.20 for Docker Hub")
    }).pipe(Effect.provide(live()))
  )

  for (const text of [
    "",
    "myregistry.azurecr.io",
    "localhost:5000",
    "ghcr.io/UPPER",
    "ghcr.io/",
    "https://ghcr.io/a",
    "999.999.999.999/a"
  ]) {
    it.effect(`${JSON.stringify(text)} is refused each time`, () =>
      Effect.gen(function* () {
        for (const _ of [1, 2]) {
          const { argument, description } = yield* refused(Registries.open(text))
          assert.strictEqual(argument, "reference")
          assert.notInclude(description, "Docker Hub")
        }
        yield* tagsOf("ghcr.io/a")
      }).pipe(Effect.provide(live()))
    )
  }
})

describe("a transport", () => {
  const spellings = [
    ["docker.io/alpine", "index.docker.io/alpine", "registry-1.docker.io/alpine", "Docker.io:443/library/alpine"],
    ["ghcr.io/a", "GHCR.io/a", "ghcr.io:443/a"],
    ["myregistry.azurecr.io/a", "myregistry.westeurope.data.azurecr.io/a"]
  ]
  for (const names of spellings) {
    it.effect(`is one for ${names.join(", ")}`, () =>
      Effect.gen(function* () {
        yield* Effect.forEach(names, tagsOf, { concurrency: "unbounded" })
        const opened = yield* Effect.forEach(names, Registries.open)
        assert.strictEqual(new Set(opened.map(({ transport }) => transport)).size, 1)
        assert.strictEqual((yield* Journal).filter(({ url }) => url.pathname === "/oauth2/token").length, 1)
      }).pipe(Effect.provide(live()))
    )
  }

  it.effect("is separate for each registry", () =>
    Effect.gen(function* () {
      yield* tagsOf("ghcr.io/a")
      yield* tagsOf("ghcr.io:8443/a")
      yield* tagsOf("quay.io/a")
      const tokens = (yield* sent).filter((line) => line.includes("Bearer"))
      assert.deepStrictEqual(tokens, [
        "GET https://ghcr.io/v2/a/tags/list Bearer access-at-ghcr.io",
        "GET https://ghcr.io:8443/v2/a/tags/list Bearer access-at-ghcr.io:8443",
        "GET https://quay.io/v2/a/tags/list Bearer access-at-quay.io"
      ])
    }).pipe(Effect.provide(live()))
  )

  it.effect("lasts as long as the layer, whichever program opened it, also while it is idle", () =>
    Effect.gen(function* () {
      const services = yield* Layer.build(live())
      const transport = Effect.map(Registries.open("ghcr.io/a"), (opened) => opened.transport).pipe(
        Effect.provideContext(services)
      )
      const first = yield* Effect.scoped(transport)
      yield* TestClock.adjust("400 days")
      assert.strictEqual(yield* Effect.scoped(transport), first)
    }).pipe(Effect.scoped)
  )

  it.effect("is shared with layerFor, a layer for programs of one registry", () =>
    Effect.gen(function* () {
      const { transport } = yield* Registries.open("docker.io/alpine")
      const ofLayer = yield* Effect.provide(Transport.Transport, Registries.layerFor("Docker.io"))
      assert.strictEqual(ofLayer, transport)
      const both = yield* Effect.forEach(["ghcr.io", "quay.io"], (name) =>
        Effect.provide(
          RegistryContent.RegistryContent.use(({ endpoint }) => Effect.succeed(endpoint)),
          Registries.layerFor(name)
        )
      )
      assert.deepStrictEqual(both, ["https://ghcr.io", "https://quay.io"])
      for (const name of ["myregistry", "", "ghcr.io/a", "https://ghcr.io"]) {
        const { argument } = yield* refused(Effect.provide(Transport.Transport, Registries.layerFor(name)))
        assert.strictEqual(argument, "loginServer")
      }
    }).pipe(Effect.provide(live()))
  )

  it.effect("uses the services of the layer, not those of the program that opens it", () =>
    Effect.gen(function* () {
      const foreign = Layer.succeed(Credentials.Credentials, {
        get: () =>
          Effect.succeed<Credentials.Credential>({
            _tag: "Password",
            username: "program",
            password: Redacted.make("of the program")
          })
      })
      yield* tagsOf("ghcr.io/a").pipe(
        Effect.provide(
          Layer.merge(
            foreign,
            scripted(() => "reset")
          )
        )
      )
      assert.deepStrictEqual(yield* sent, [
        "GET https://ghcr.io/v2/a/tags/list",
        "POST https://ghcr.io/oauth2/token",
        "GET https://ghcr.io/v2/a/tags/list Bearer access-at-ghcr.io"
      ])
    }).pipe(Effect.provide(live(Credentials.layerAnonymous, { retry: never })))
  )
})

/** Why the layer cannot be built. */
const failure = (options: Registries.Options, credentials = Credentials.layerAnonymous) =>
  refused(Effect.scoped(Layer.build(live(credentials, options))))

describe("options", () => {
  it.effect("are for all registries, and those of one override them, by any of its names", () =>
    Effect.gen(function* () {
      const { transport: other } = yield* Registries.open("ghcr.io/a")
      assert.strictEqual(other.retry, never)
      const { reference, transport: mirror } = yield* Registries.open("docker.io/alpine")
      assert.strictEqual(mirror.endpoint, "https://mirror.example.com")
      assert.strictEqual(mirror.retry, never)
      assert.strictEqual(reference.repository, "library/alpine")
      const { transport: local } = yield* Registries.open("LOCALHOST:5000/a")
      assert.strictEqual(local.endpoint, "http://localhost:5000")
      const { transport: patient } = yield* Registries.open("quay.io/a")
      assert.strictEqual(patient.endpoint, "https://quay.io")
      assert.strictEqual(patient.retry, defaultPolicy)
    }).pipe(
      Effect.provide(
        live(Credentials.layerAnonymous, {
          retry: never,
          registries: {
            "Index.docker.io": { endpoint: "https://mirror.example.com" },
            "localhost:5000": { endpoint: "http://localhost:5000" },
            "quay.io:443": { retry: defaultPolicy }
          }
        })
      )
    )
  )

  for (const name of ["myregistry", "alpine:3.20", "ghcr.io/a", "https://ghcr.io", "", "999.999.999.999"]) {
    it.effect(`of ${JSON.stringify(name)}, which is not a registry, are refused`, () =>
      Effect.map(failure({ registries: { [name]: {} } }), ({ argument }) => assert.strictEqual(argument, "registries"))
    )
  }

  it.effect("of one registry under two names are refused", () =>
    Effect.map(failure({ registries: { "docker.io": {}, "index.docker.io": {} } }), ({ message }) => {
      assert.include(message, 'registries "index.docker.io": it is another name of registry-1.docker.io')
    })
  )

  it.effect("that are invalid fail the layer, not the first operation", () =>
    Effect.gen(function* () {
      const forAll = yield* failure({ maxConcurrentRequests: 0 })
      assert.strictEqual(forAll.argument, "maxConcurrentRequests")
      const forOne = yield* failure({ registries: { "ghcr.io": { endpoint: "http://ghcr.io" } } })
      assert.strictEqual(forOne.argument, "endpoint")
    })
  )
})

const secret = Redacted.make("secret-of-contoso")
const basic = `Basic ${btoa("contoso:secret-of-contoso")}`
const password = Credentials.layerPassword({ username: "contoso", password: secret })
const entra = Credentials.layerEntra(Effect.succeed(secret))

/** Requests to a host that have the secret. */
const secretsAt = (host: string) =>
  Effect.map(Journal, (journal) =>
    journal.filter(
      ({ authorization, body, url }) =>
        url.host === host &&
        (authorization === basic ||
          [authorization, body, url.search].some((part) => part?.includes("secret-of-contoso")))
    )
  )

describe("a secret that is the same for all registries", () => {
  const configured = Credentials.layerConfig().pipe(
    Layer.provide(
      ConfigProvider.layer(ConfigProvider.fromEnv({ env: { REGISTRY_REFRESH_TOKEN: "secret-of-contoso" } }))
    ),
    Layer.orDie
  )
  const shared: ReadonlyArray<readonly [string, Layer.Layer<Credentials.Credentials>]> = [
    ["a password", password],
    ["a refresh token", Credentials.layerRefreshToken(secret)],
    ["an access token", Credentials.layerAccessToken(secret)],
    ["one of the configuration", configured],
    ["a password or else nothing", password.pipe(Credentials.orElse(Credentials.layerAnonymous))],
    ["an identity or else a password", entra.pipe(Credentials.orElse(password))]
  ]
  for (const [name, credentials] of shared) {
    it.effect(`is refused before there is a registry: ${name}`, () =>
      Effect.gen(function* () {
        const { argument, description } = yield* failure({}, credentials)
        assert.strictEqual(argument, "credentials")
        assert.include(description, "Credentials.onlyFor([")
      })
    )

    it.effect(`is sent only to its own registries, with onlyFor: ${name}`, () =>
      Effect.gen(function* () {
        const outcomes = yield* Effect.forEach(["quay.io/a", "myregistry.azurecr.io/a"], (name) =>
          Effect.result(tagsOf(name))
        )
        assert.deepStrictEqual(outcomes.map(Result.isSuccess), [false, true])
        assert.deepStrictEqual(yield* secretsAt("quay.io"), [])
        assert.isNotEmpty(yield* secretsAt("myregistry.azurecr.io"))
      }).pipe(Effect.provide(live(credentials.pipe(Credentials.onlyFor(["myregistry.azurecr.io"])))))
    )
  }
})

const login = (username: string) =>
  Credentials.layerPassword({ username, password: Redacted.make("word") }).pipe(Credentials.onlyFor(["quay.io"]))
const layerWith = (username: string) => Registries.layer.pipe(Layer.provide(login(username)))

const used = Effect.map(Journal, (journal) => [
  ...new Set(
    journal.flatMap(({ authorization }) =>
      authorization?.startsWith("Basic ") === true
        ? [Buffer.from(authorization.slice(6), "base64").toString().split(":")[0]]
        : []
    )
  )
])

describe("two programs with a login each", () => {
  it.effect("do not share them, one within the other", () =>
    Effect.gen(function* () {
      const inner = Effect.provide(tagsOf("quay.io/a"), layerWith("inner"))
      yield* Effect.provide(Effect.andThen(tagsOf("quay.io/a"), inner), layerWith("outer"))
      assert.deepStrictEqual(yield* used, ["outer", "inner"])
    }).pipe(Effect.provide(scripted(anyRegistry)))
  )

  it.effect("do not share them, side by side", () =>
    Effect.gen(function* () {
      const services = ["one", "other"].map((name) => ({
        name,
        tag: Context.Service<Registries.Service>(`test/${name}`)
      }))
      const layers = services.map(({ name, tag }) =>
        Layer.effect(tag, Registries.Registries).pipe(Layer.provide(layerWith(name)))
      )
      const [one, other] = layers
      if (one === undefined || other === undefined) return
      yield* Effect.provide(
        Effect.forEach(services, ({ tag }) =>
          Effect.flatMap(tag, ({ open }) =>
            Effect.flatMap(open("quay.io/a"), ({ content, repository }) => Stream.runDrain(content.tags(repository)))
          )
        ),
        Layer.merge(one, other)
      )
      assert.deepStrictEqual(yield* used, ["one", "other"])
    }).pipe(Effect.provide(scripted(anyRegistry)))
  )
})

describe("several logins", () => {
  it.effect("are each sent to their own registries, and other registries receive none", () =>
    Effect.gen(function* () {
      yield* Effect.forEach(["myregistry.azurecr.io/a", "docker.io/a", "quay.io/a"], tagsOf)
      const asked = (yield* Journal).filter(({ url }) => url.pathname.startsWith("/oauth2/"))
      assert.deepStrictEqual(
        asked.map(({ authorization, url }) => [url.host, url.pathname, authorization]),
        [
          ["myregistry.azurecr.io", "/oauth2/exchange", undefined],
          ["myregistry.azurecr.io", "/oauth2/token", undefined],
          ["registry-1.docker.io", "/oauth2/token", basic],
          ["quay.io", "/oauth2/token", undefined]
        ]
      )
      assert.deepStrictEqual(yield* secretsAt("quay.io"), [])
    }).pipe(
      Effect.provide(
        live(
          entra.pipe(
            Credentials.orElse(password.pipe(Credentials.onlyFor(["docker.io"]))),
            Credentials.orElse(Credentials.layerAnonymous)
          )
        )
      )
    )
  )

  it.effect("of Entra ID stay at the registries of their cloud", () =>
    Effect.gen(function* () {
      yield* tagsOf("myregistry.azurecr.io/a")
      for (const host of ["quay.io", "myregistry.azurecr.cn", "myregistry.azurecr.io.example"]) {
        const reason = yield* reasonOf(tagsOf(`${host}/a`))
        assert.strictEqual(reason._tag, "CredentialUnavailable")
        assert.deepStrictEqual(yield* secretsAt(host), [])
      }
    }).pipe(Effect.provide(live(entra)))
  )
})

describe("a registry that is asked in the clear", () => {
  it.effect("is warned of by its name, and one on this machine is not", () => {
    const warnings: Array<string> = []
    const logger = Logger.make<unknown, void>(({ logLevel, message }) => {
      if (logLevel === "Warn") warnings.push(String(message))
    })
    return Effect.gen(function* () {
      yield* tagsOf("127.0.0.1:5000/a")
      assert.deepStrictEqual(warnings, [])
      yield* tagsOf("registry.example:5000/a")
      assert.lengthOf(warnings, 1)
      assert.include(warnings[0], "http://registry.example:5000 ")
    }).pipe(
      Effect.provide(
        live(Credentials.layerAnonymous, {
          registries: (loginServer) => ({ endpoint: `http://${loginServer}`, allowInsecureHttp: true })
        }).pipe(Layer.provideMerge(Logger.layer([logger])))
      )
    )
  })
})

describe("the mirror of a registry", () => {
  it.effect("does not receive the login of the registry", () =>
    Effect.gen(function* () {
      const reason = yield* reasonOf(tagsOf("docker.io/alpine"))
      assert.strictEqual(reason._tag, "CredentialUnavailable")
      assert.deepStrictEqual(yield* secretsAt("mirror.example.com"), [])
    }).pipe(
      Effect.provide(
        live(password.pipe(Credentials.onlyFor(["docker.io"])), {
          registries: { "docker.io": { endpoint: "https://mirror.example.com" } }
        })
      )
    )
  )
})
