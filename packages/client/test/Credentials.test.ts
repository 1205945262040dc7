/**
 * Credentials of every kind: what is sent of them, when they are requested, and what happens without one.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { ContainerRegistry } from "../src/ContainerRegistry.ts"
import * as Credentials from "../src/Credentials.ts"
import * as RegistryContent from "../src/RegistryContent.ts"
import { CredentialUnavailable, type RegistryError } from "../src/RegistryError.ts"
import { never } from "../src/RetryPolicy.ts"
import { sha256 } from "./support/content.ts"
import { challenge, endpoint, Journal, json, properties, registry, type Script } from "./support/registry.ts"

const read = Effect.flatMap(ContainerRegistry, (registry) => registry.repositoryProperties("alpine"))

const secret = (value: string) => Redacted.make(value)

/** Credentials that change with each request for them. */
const changing = (
  requests: Array<Credentials.CredentialRequest>,
  credential: (count: number, request: Credentials.CredentialRequest) => Credentials.Credential
) =>
  Layer.succeed(Credentials.Credentials, {
    get: (request) =>
      Effect.sync(() => {
        requests.push(request)
        return credential(requests.length - 1, request)
      })
  })

/** The requests, one line each: method, path, authorization, and the relevant fields of a form. */
const lines = Effect.map(Journal, (journal) =>
  journal.map(({ authorization, body, method, url }) => {
    const form = new URLSearchParams(body)
    const told = ["access_token", "refresh_token", "client_id"].flatMap((name) => {
      const value = form.get(name)
      return value === null ? [] : [`${name}=${value}`]
    })
    return [method, url.origin === endpoint ? url.pathname : url.href, ...told, ...(authorization ?? "").split(" ", 2)]
      .filter((part) => part !== "")
      .join(" ")
  })
)

const reasonOf = <A, R>(effect: Effect.Effect<A, RegistryError, R>) => Effect.map(Effect.flip(effect), (e) => e.reason)

/** ACR that accepts these bearer tokens, refresh tokens and Entra tokens, and grants `access-<n>`. */
const acr =
  (takes: {
    readonly access?: (token: string) => boolean
    readonly refresh?: (token: string) => boolean
    readonly entra?: (token: string) => boolean
    readonly refused?: () => Response
  }): Script =>
  ({ authorization, body, url }, count) => {
    const form = new URLSearchParams(body)
    switch (url.pathname) {
      case "/oauth2/exchange":
        return (takes.entra ?? (() => true))(form.get("access_token") ?? "")
          ? json({ refresh_token: `refresh-${count}` })
          : new Response(null, { status: 401 })
      case "/oauth2/token":
        return (takes.refresh ?? (() => true))(form.get("refresh_token") ?? authorization ?? "")
          ? json({ access_token: `access-${count}` })
          : new Response(null, { status: 401 })
      default:
        return authorization !== undefined && (takes.access ?? (() => true))(authorization.replace("Bearer ", ""))
          ? properties()
          : authorization === undefined || takes.refused === undefined
            ? challenge("repository:alpine:metadata_read")
            : takes.refused()
    }
  }

/** A challenge with additional parameters. */
const challengeWith = (parameters: string) => () => challenge("repository:alpine:metadata_read", parameters)

const password = (word: string): Credentials.Credential => ({
  _tag: "Password",
  username: "contoso",
  password: secret(word)
})
const basic = (word: string) => `Basic ${btoa(`contoso:${word}`)}`
const wantsBasic =
  (accepted: string): Script =>
  ({ authorization }) =>
    authorization === basic(accepted)
      ? properties()
      : new Response(null, { status: 401, headers: { "www-authenticate": 'Basic realm="registry"' } })

describe("a refresh token", () => {
  it.effect("is used as it is, without an exchange", () =>
    Effect.gen(function* () {
      yield* read
      assert.deepStrictEqual(yield* lines, [
        "GET /acr/v1/alpine",
        "POST /oauth2/token refresh_token=given",
        "GET /acr/v1/alpine Bearer access-0"
      ])
    }).pipe(Effect.provide(registry(acr({}), { credentials: Credentials.layerRefreshToken(secret("given")) })))
  )

  it.effect("that is refused is not sent again", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* reasonOf(read))._tag, "Unauthenticated")
      assert.deepStrictEqual(yield* lines, ["GET /acr/v1/alpine", "POST /oauth2/token refresh_token=given"])
    }).pipe(
      Effect.provide(
        registry(acr({ refresh: () => false }), { credentials: Credentials.layerRefreshToken(secret("given")) })
      )
    )
  )

  it.effect("is sent to another registry's token service by the rules of that service", () =>
    Effect.gen(function* () {
      yield* read
      const journal = yield* Journal
      const asked = journal[1]
      assert.strictEqual(asked?.url.href, `${endpoint}/service/token`)
      assert.deepStrictEqual(Object.fromEntries(new URLSearchParams(asked?.body)), {
        grant_type: "refresh_token",
        service: "harbor",
        client_id: "effect-acr",
        scope: "repository:alpine:metadata_read,pull",
        refresh_token: "given"
      })
      assert.strictEqual(journal[2]?.authorization, "Bearer granted")
    }).pipe(
      Effect.provide(
        registry(
          ({ authorization, url }) =>
            url.pathname === "/service/token"
              ? json({ access_token: "granted" })
              : authorization === undefined
                ? new Response(null, {
                    status: 401,
                    headers: {
                      "www-authenticate": `Bearer realm="${endpoint}/service/token",service="harbor",scope="repository:alpine:pull"`
                    }
                  })
                : properties(),
          { credentials: Credentials.layerRefreshToken(secret("given")) }
        )
      )
    )
  )
})

describe("an access token", () => {
  const credentials = Credentials.layerAccessToken(secret("given"))
  it.effect("is used as it is", () =>
    Effect.gen(function* () {
      yield* read
      yield* read
      assert.deepStrictEqual(yield* lines, [
        "GET /acr/v1/alpine",
        "GET /acr/v1/alpine Bearer given",
        "GET /acr/v1/alpine Bearer given"
      ])
    }).pipe(Effect.provide(registry(acr({}), { credentials })))
  )

  const refusals = [
    ["invalid_token", "Unauthenticated"],
    ["insufficient_scope", "Forbidden"]
  ] as const
  for (const [error, reason] of refusals) {
    it.effect(`that is refused for ${error} fails with ${reason}, and is not sent again`, () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* reasonOf(read))._tag, reason)
        assert.deepStrictEqual(yield* lines, ["GET /acr/v1/alpine", "GET /acr/v1/alpine Bearer given"])
      }).pipe(
        Effect.provide(
          registry(acr({ access: () => false, refused: challengeWith(`,error="${error}"`) }), { credentials })
        )
      )
    )
  }
})

describe("a credential", () => {
  it.effect("is requested once for each repository of its registry", () => {
    const requests: Array<Credentials.CredentialRequest> = []
    return Effect.gen(function* () {
      yield* Effect.all([read, read, read], { concurrency: "unbounded" })
      yield* Effect.flatMap(ContainerRegistry, (registry) => registry.repositoryProperties("busybox"))
      const registry = { endpoint, loginServer: "myregistry.azurecr.io" }
      assert.deepStrictEqual(requests, [
        { ...registry, repository: "alpine" },
        { ...registry, repository: "busybox" }
      ])
    }).pipe(Effect.provide(registry(acr({}), { credentials: changing(requests, () => password("word")) })))
  })

  it.effect("that a token service refuses is requested again, and the new one is used", () => {
    const requests: Array<Credentials.CredentialRequest> = []
    return Effect.gen(function* () {
      yield* read
      assert.strictEqual(requests.length, 2)
      assert.deepStrictEqual(yield* lines, [
        "GET /acr/v1/alpine",
        `GET /oauth2/token ${basic("old")}`,
        `GET /oauth2/token ${basic("new")}`,
        "GET /acr/v1/alpine Bearer access-1"
      ])
    }).pipe(
      Effect.provide(
        registry(acr({ refresh: (authorization) => authorization === basic("new") }), {
          credentials: changing(requests, (count) => password(count === 0 ? "old" : "new"))
        })
      )
    )
  })

  it.effect("that a registry refuses is requested again, and the new one is used", () => {
    const requests: Array<Credentials.CredentialRequest> = []
    return Effect.gen(function* () {
      yield* read
      yield* read
      assert.strictEqual(requests.length, 2)
      assert.deepStrictEqual(yield* lines, [
        "GET /acr/v1/alpine",
        `GET /acr/v1/alpine ${basic("old")}`,
        `GET /acr/v1/alpine ${basic("new")}`,
        `GET /acr/v1/alpine ${basic("new")}`
      ])
    }).pipe(
      Effect.provide(
        registry(wantsBasic("new"), {
          credentials: changing(requests, (count) => password(count === 0 ? "old" : "new"))
        })
      )
    )
  })

  it.effect("that stays the same is not sent again", () => {
    const requests: Array<Credentials.CredentialRequest> = []
    return Effect.gen(function* () {
      assert.strictEqual((yield* reasonOf(read))._tag, "Unauthenticated")
      assert.strictEqual(requests.length, 2)
      assert.deepStrictEqual(yield* lines, ["GET /acr/v1/alpine", `GET /acr/v1/alpine ${basic("old")}`])
    }).pipe(
      Effect.provide(
        registry(wantsBasic("new"), { credentials: changing(requests, () => password("old")), retry: never })
      )
    )
  })

  it.effect("does not delay an operation that is interrupted", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const left = yield* Deferred.make<void>()
      const slow = Layer.succeed(Credentials.Credentials, {
        get: () =>
          Effect.andThen(Deferred.succeed(asked, undefined), Effect.never).pipe(
            Effect.onInterrupt(() => Deferred.succeed(left, undefined))
          )
      })
      yield* Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(read)
        yield* Deferred.await(asked)
        yield* Fiber.interrupt(fiber)
        yield* Deferred.await(left)
      }).pipe(Effect.provide(registry(acr({}), { credentials: slow })))
    })
  )
})

/** A registry with a token service that imitates ACR's. */
const lookalike = (host: string, credentials: Layer.Layer<Credentials.Credentials>) => {
  const origin = `https://${host}`
  const script: Script = (asked, count) =>
    asked.url.pathname.startsWith("/oauth2/") || asked.authorization !== undefined
      ? acr({})(asked, count)
      : new Response(null, {
          status: 401,
          headers: { "www-authenticate": `Bearer realm="${origin}/oauth2/token",service="s",scope="a"` }
        })
  return registry(script, { endpoint: origin, credentials })
}

const given = (loginServers?: ReadonlyArray<string>) =>
  Layer.succeed(Credentials.Credentials, {
    get: () =>
      Effect.succeed<Credentials.Credential>({
        _tag: "EntraToken",
        token: secret("entra-token"),
        ...(loginServers === undefined ? {} : { loginServers })
      })
  })

const acquired = (loginServers?: ReadonlyArray<string>) =>
  Credentials.layerEntra(Effect.succeed(secret("entra-token")), loginServers === undefined ? {} : { loginServers })

describe("an Entra token", () => {
  for (const host of ["registry.example", "myregistry.azurecr.io.example", "evilazurecr.io", "myregistry.azurecr.cn"]) {
    for (const [how, layer, reason] of [
      ["that a service returns", given, "Refused"],
      ["that an effect acquires", acquired, "CredentialUnavailable"]
    ] as const) {
      it.effect(`${how} is not sent to ${host}`, () =>
        Effect.gen(function* () {
          assert.strictEqual((yield* reasonOf(read))._tag, reason)
          assert.deepStrictEqual(yield* lines, [`GET https://${host}/acr/v1/alpine?api-version=2021-07-01`])
        }).pipe(Effect.provide(lookalike(host, layer())))
      )

      it.effect(`${how} is sent to ${host} where the program names it`, () =>
        Effect.gen(function* () {
          yield* read
          assert.include(
            yield* lines,
            `POST https://${host}/oauth2/exchange?api-version=2021-07-01 access_token=entra-token`
          )
        }).pipe(Effect.provide(lookalike(host, layer([".azurecr.cn", host]))))
      )
    }
  }

  for (const [named, sent] of [
    ["127.0.0.1", true],
    ["127.0.0.1:5001", true],
    ["127.0.0.1:5002", false]
  ] as const) {
    it(`is ${sent ? "" : "not "}for 127.0.0.1:5001 where ${named} is named`, () => {
      assert.strictEqual(Credentials.isLoginServerOf("127.0.0.1:5001", [named]), sent)
    })
  }

  it.effect("is acquired in the context of the operation, with the services of the layer", () =>
    Effect.gen(function* () {
      const Both = Context.Reference("test/Both", { defaultValue: () => "nobody" })
      class Vault extends Context.Service<Vault, { readonly read: Effect.Effect<string> }>()("test/Vault") {}
      const seen: Array<string> = []
      const acquire = Effect.gen(function* () {
        const annotations = yield* References.CurrentLogAnnotations
        seen.push(yield* Both, String(annotations["request"]), yield* (yield* Vault).read)
        return secret("entra-token")
      })
      yield* read.pipe(
        Effect.annotateLogs("request", "7"),
        Effect.provideService(Both, "the operation"),
        Effect.provide(
          registry(acr({}), {
            credentials: Credentials.layerEntra(acquire).pipe(
              Layer.provide(Layer.succeed(Vault, { read: Effect.succeed("the layer") })),
              Layer.provide(Layer.succeed(Both, "the layer"))
            )
          })
        )
      )
      assert.deepStrictEqual(seen, ["the operation", "7", "the layer"])
    })
  )

  it.effect("is not acquired for a registry that it may not be sent to", () => {
    let acquisitions = 0
    return Effect.gen(function* () {
      const reason = yield* reasonOf(read)
      assert.include(reason.message, "registry.example is not among the registries")
      assert.strictEqual(acquisitions, 0)
    }).pipe(
      Effect.provide(
        lookalike(
          "registry.example",
          Credentials.layerEntra(
            Effect.sync(() => {
              acquisitions++
              return secret("entra-token")
            })
          )
        )
      )
    )
  })
})

describe("a claims challenge", () => {
  const claims = JSON.stringify({ access_token: { nbf: { essential: true, value: "1700000000" } } })
  const header = `Bearer realm="", authorization_uri="https://login.microsoftonline.com/", error="insufficient_claims", claims="${btoa(claims)}"`
  const demanding = () =>
    json({ errors: [{ code: "UNAUTHORIZED", message: "" }] }, { status: 401, headers: { "www-authenticate": header } })

  /** Entra tokens with more claims on request. */
  const answering = (requests: Array<Credentials.CredentialRequest>) =>
    changing(requests, (_, request) => ({
      _tag: "EntraToken",
      token: secret(request.claims === claims ? "entra-more" : "entra")
    }))

  it.effect("of the registry is answered with a token with more claims, once for all refused operations", () => {
    const requests: Array<Credentials.CredentialRequest> = []
    let satisfied = false
    const script: Script = (asked, count) => {
      if (asked.url.pathname === "/oauth2/exchange") {
        satisfied = new URLSearchParams(asked.body).get("access_token") === "entra-more"
        return json({ refresh_token: satisfied ? "refresh-more" : "refresh" })
      }
      if (asked.url.pathname === "/oauth2/token") {
        const more = new URLSearchParams(asked.body).get("refresh_token") === "refresh-more"
        return json({ access_token: more ? `access-more-${count}` : `access-${count}` })
      }
      if (asked.authorization === undefined) return challenge("repository:alpine:metadata_read")
      return asked.authorization.startsWith("Bearer access-more") ? properties() : demanding()
    }
    return Effect.gen(function* () {
      yield* Effect.all([read, read, read], { concurrency: "unbounded" })
      assert.deepStrictEqual(
        requests.map(({ claims }) => claims),
        [undefined, claims]
      )
      const exchanged = (yield* lines).filter((line) => line.includes("/oauth2/exchange"))
      assert.deepStrictEqual(exchanged, [
        "POST /oauth2/exchange access_token=entra",
        "POST /oauth2/exchange access_token=entra-more"
      ])
      // A demand does not apply to every later token.
      yield* read
      assert.strictEqual(requests.length, 2)
    }).pipe(Effect.provide(registry(script, { credentials: answering(requests) })))
  })

  for (const path of ["/oauth2/exchange", "/oauth2/token"]) {
    it.effect(`of ${path} is answered as well`, () => {
      const requests: Array<Credentials.CredentialRequest> = []
      const base = acr({})
      return Effect.gen(function* () {
        yield* read
        assert.deepStrictEqual(
          requests.map(({ claims }) => claims),
          [undefined, claims]
        )
      }).pipe(
        Effect.provide(
          registry((asked, count) => (asked.url.pathname === path && count === 0 ? demanding() : base(asked, count)), {
            credentials: answering(requests)
          })
        )
      )
    })
  }

  it.effect("that repeats fails the operation", () => {
    const requests: Array<Credentials.CredentialRequest> = []
    return Effect.gen(function* () {
      assert.strictEqual((yield* reasonOf(read))._tag, "Unauthenticated")
      assert.strictEqual((yield* Journal).filter(({ url }) => url.pathname === "/acr/v1/alpine").length, 3)
    }).pipe(
      Effect.provide(
        registry(acr({ access: () => false, refused: demanding }), { credentials: answering(requests), retry: never })
      )
    )
  })

  it.effect("to a password fails the operation", () => {
    const requests: Array<Credentials.CredentialRequest> = []
    return Effect.gen(function* () {
      assert.strictEqual((yield* reasonOf(read))._tag, "Unauthenticated")
      assert.strictEqual((yield* Journal).filter(({ url }) => url.pathname === "/acr/v1/alpine").length, 2)
    }).pipe(
      Effect.provide(
        registry(acr({ access: () => false, refused: demanding }), {
          credentials: changing(requests, () => ({ _tag: "Password", username: "contoso", password: secret("word") })),
          retry: never
        })
      )
    )
  })

  for (const garbage of ["", "%%%", btoa("not json"), btoa("{"), "A".repeat(7000)]) {
    it.effect(`of ${JSON.stringify(garbage.slice(0, 20))} asks for nothing`, () => {
      const requests: Array<Credentials.CredentialRequest> = []
      const refused = challengeWith(`,error="insufficient_claims",claims="${garbage}"`)
      return Effect.gen(function* () {
        assert.strictEqual((yield* reasonOf(read))._tag, "Unauthenticated")
        assert.deepStrictEqual(
          requests.map(({ claims }) => claims),
          [undefined]
        )
      }).pipe(
        Effect.provide(
          registry(acr({ access: () => false, refused }), { credentials: answering(requests), retry: never })
        )
      )
    })
  }

  it.effect("of another origin is never answered", () => {
    const requests: Array<Credentials.CredentialRequest> = []
    const storage = "https://storage.example"
    const script: Script = (asked, count) => {
      if (asked.url.origin === storage) return demanding()
      if (asked.url.pathname.startsWith("/v2/")) {
        return asked.authorization === undefined
          ? challenge("repository:alpine:pull")
          : new Response(null, { status: 307, headers: { location: `${storage}/blob` } })
      }
      return acr({})(asked, count)
    }
    return Effect.gen(function* () {
      const content = yield* RegistryContent.RegistryContent
      yield* Effect.flip(content.blob("alpine", sha256("layer")).pipe(Stream.runDrain))
      assert.deepStrictEqual(
        requests.map(({ claims }) => claims),
        [undefined]
      )
      const there = (yield* Journal).filter(({ url }) => url.origin === storage)
      assert.isNotEmpty(there)
      for (const asked of there) assert.isUndefined(asked.authorization)
    }).pipe(
      Effect.provide(
        RegistryContent.layerTransport().pipe(
          Layer.provideMerge(registry(script, { credentials: answering(requests), retry: never }))
        )
      )
    )
  })
})

describe("a regional endpoint", () => {
  const regional = "https://myregistry.westeurope.geo.azurecr.io"

  it.effect("gets its tokens from its registry", () =>
    Effect.gen(function* () {
      yield* read
      assert.deepStrictEqual(yield* lines, [
        `GET ${regional}/acr/v1/alpine?api-version=2021-07-01`,
        "POST /oauth2/exchange access_token=entra-token",
        "POST /oauth2/token refresh_token=refresh-0",
        `GET ${regional}/acr/v1/alpine?api-version=2021-07-01 Bearer access-0`
      ])
    }).pipe(Effect.provide(registry(acr({}), { endpoint: regional })))
  )
})

describe("plain http", () => {
  it.effect("to another machine is refused, unless the user accepts the risk, which logs a warning", () =>
    Effect.gen(function* () {
      const warnings: Array<unknown> = []
      const logger = Logger.make(({ logLevel, message }) => {
        if (logLevel === "Warn") warnings.push(message)
      })
      const at = (options: { readonly allowInsecureHttp?: boolean }) =>
        read.pipe(
          Effect.provide(
            Layer.provide(
              registry(() => properties(), { endpoint: "http://registry.example", ...options }),
              Logger.layer([logger])
            )
          )
        )
      const refused = yield* reasonOf(at({}))
      assert.strictEqual(refused._tag, "InvalidRequest")
      assert.include(refused.message, "allowInsecureHttp")
      assert.deepStrictEqual(warnings, [])
      yield* at({ allowInsecureHttp: true })
      assert.strictEqual(warnings.length, 1)
    })
  )
})

const configured = (variables: { readonly [name: string]: string }) =>
  Credentials.Credentials.use((credentials) =>
    credentials.get({ endpoint, loginServer: "myregistry.azurecr.io" })
  ).pipe(
    Effect.provide(
      Layer.provide(Credentials.layerConfig(), ConfigProvider.layer(ConfigProvider.fromEnv({ env: variables })))
    )
  )

describe("credentials from the configuration", () => {
  const known: ReadonlyArray<readonly [{ readonly [name: string]: string }, Credentials.Credential]> = [
    [
      { REGISTRY_USERNAME: "contoso", REGISTRY_PASSWORD: "word" },
      { _tag: "Password", username: "contoso", password: secret("word") }
    ],
    [{ REGISTRY_REFRESH_TOKEN: "token" }, { _tag: "RefreshToken", token: secret("token") }],
    [{ REGISTRY_ACCESS_TOKEN: "token" }, { _tag: "AccessToken", token: secret("token") }]
  ]
  for (const [variables, expected] of known) {
    it.effect(`are ${expected._tag} by ${Object.keys(variables).join(" and ")}`, () =>
      Effect.map(configured(variables), (credential) => assert.deepStrictEqual(credential, expected))
    )
  }

  const refused: ReadonlyArray<{ readonly [name: string]: string }> = [
    {},
    { REGISTRY_USERNAME: "contoso" },
    { REGISTRY_PASSWORD: "word" },
    { REGISTRY_USERNAME: "contoso", REGISTRY_REFRESH_TOKEN: "token" },
    { REGISTRY_USERNAME: "contoso", REGISTRY_PASSWORD: "word", REGISTRY_ACCESS_TOKEN: "token" },
    { REGISTRY_REFRESH_TOKEN: "token", REGISTRY_ACCESS_TOKEN: "token" }
  ]
  for (const variables of refused) {
    it.effect(
      `are none by ${Object.keys(variables).join(" and ") || "nothing"}, and the error says what is expected`,
      () =>
        Effect.map(Effect.flip(configured(variables)), (error) => {
          assert.include(error.message, "REGISTRY_USERNAME with REGISTRY_PASSWORD")
          assert.notInclude(error.message, 'word"')
        })
    )
  }
})

const absent = (credential: string, problem: CredentialUnavailable["problem"] = "NotConfigured") =>
  Layer.succeed(Credentials.Credentials, {
    get: () => Effect.fail(new CredentialUnavailable({ credential, problem, description: `${credential} is away` }))
  })

describe("one credential or else another", () => {
  const get = Credentials.Credentials.use((credentials) =>
    credentials.get({ endpoint, loginServer: "myregistry.azurecr.io" })
  )
  const token = Credentials.layerRefreshToken(secret("token"))

  it.effect("is the first that is available", () =>
    Effect.gen(function* () {
      const first = yield* get.pipe(Effect.provide(token.pipe(Credentials.orElse(Credentials.layerAnonymous))))
      assert.strictEqual(first._tag, "RefreshToken")
      const second = yield* get.pipe(Effect.provide(absent("a").pipe(Credentials.orElse(Credentials.layerAnonymous))))
      assert.strictEqual(second._tag, "Anonymous")
      const third = yield* get.pipe(
        Effect.provide(absent("a", "Failed").pipe(Credentials.orElse(absent("b")), Credentials.orElse(token)))
      )
      assert.strictEqual(third._tag, "RefreshToken")
    })
  )

  it.effect("that cannot be built is passed over", () =>
    Effect.gen(function* () {
      const unset = Credentials.layerConfig().pipe(Credentials.orElse(Credentials.layerAnonymous))
      assert.strictEqual((yield* get.pipe(Effect.provide(unset)))._tag, "Anonymous")
      const failure = yield* Effect.flip(
        get.pipe(Effect.provide(Credentials.layerConfig().pipe(Credentials.orElse(absent("b")))))
      )
      assert.include(failure.passedOver[0]?.description, "REGISTRY_USERNAME with REGISTRY_PASSWORD")
      assert.strictEqual(failure.passedOver[1]?.credential, "b")
    }).pipe(Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: {} }))))
  )

  it.effect("is anonymous if nothing else is available: the error of a registry that requires a login says why", () =>
    Effect.gen(function* () {
      const credentials = Credentials.layerConfig().pipe(
        Credentials.orElse(absent("b")),
        Credentials.orElse(Credentials.layerAnonymous)
      )
      const wanted = ['Basic realm="registry"', `Bearer realm="${endpoint}/oauth2/token",service="s",scope="a:b:c"`]
      for (const challenged of wanted) {
        const script: Script = () => new Response(null, { status: 401, headers: { "www-authenticate": challenged } })
        const reason = yield* reasonOf(read).pipe(Effect.provide(registry(script, { credentials })))
        assert.strictEqual(reason._tag, "Unauthenticated")
        assert.include(reason.message, "REGISTRY_USERNAME with REGISTRY_PASSWORD")
        assert.include(reason.message, "b: b is away")
      }
    }).pipe(Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: {} }))))
  )

  it.effect("fails if none is available: each is named with its reason, however they were combined", () =>
    Effect.gen(function* () {
      const left = absent("a").pipe(Credentials.orElse(absent("b", "TimedOut")))
      const right = Credentials.orElse(absent("c", "Failed"), absent("d"))
      const reason = yield* reasonOf(read).pipe(
        Effect.provide(registry(acr({}), { credentials: left.pipe(Credentials.orElse(right)) }))
      )
      assert.strictEqual(reason._tag, "CredentialUnavailable")
      if (reason._tag !== "CredentialUnavailable") return
      assert.strictEqual(reason.problem, "Failed")
      assert.deepStrictEqual(reason.passedOver, [
        { credential: "a", problem: "NotConfigured", description: "a is away" },
        { credential: "b", problem: "TimedOut", description: "b is away" },
        { credential: "c", problem: "Failed", description: "c is away" },
        { credential: "d", problem: "NotConfigured", description: "d is away" }
      ])
      for (const credential of ["a", "b", "c", "d"])
        assert.include(reason.message, `- ${credential}: ${credential} is away`)
    })
  )

  it.effect("does not hide a failure: a warning says what was passed over", () => {
    const logged: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      logged.push(`${logLevel} ${String(message)}`)
    })
    const chain = absent("a").pipe(Credentials.orElse(absent("b", "Failed")), Credentials.orElse(token))
    return Effect.gen(function* () {
      yield* get
      assert.include(logged, "Debug a is passed over: a is away")
      assert.include(logged, "Warn b is passed over: b is away")
    }).pipe(Effect.provide([chain, Logger.layer([logger])]), Effect.provideService(References.MinimumLogLevel, "All"))
  })
})

/** The credential for a registry. */
const at = (loginServer: string) =>
  Credentials.Credentials.use((credentials) => credentials.get({ endpoint: `https://${loginServer}`, loginServer }))

describe("credentials that are only for some registries", () => {
  const asked: Array<Credentials.CredentialRequest> = []
  const own = changing(asked, () => password("word"))

  for (const [named, loginServer, isFor] of [
    ["myregistry.azurecr.io", "myregistry.azurecr.io", true],
    ["MyRegistry.azurecr.io", "myregistry.azurecr.io", true],
    ["myregistry.azurecr.io", "myregistry.azurecr.io:8443", false],
    ["myregistry.azurecr.io:443", "myregistry.azurecr.io", true],
    ["myregistry.azurecr.io:8443", "myregistry.azurecr.io:8443", true],
    ["myregistry.azurecr.io:8443", "myregistry.azurecr.io", false],
    [".azurecr.io", "other.azurecr.io:8443", false],
    ["myregistry.azurecr.io", "other.azurecr.io", false],
    ["myregistry.azurecr.io", "myregistry.azurecr.io.example", false],
    [".azurecr.io", "other.azurecr.io", true],
    [".azurecr.io", "azurecr.io", false],
    ["docker.io", "registry-1.docker.io", true],
    ["index.docker.io", "registry-1.docker.io", true],
    ["docker.io", "evil-docker.io", false]
  ] as const) {
    it.effect(`of ${named} are ${isFor ? "requested" : "neither requested nor available"} for ${loginServer}`, () =>
      Effect.gen(function* () {
        asked.length = 0
        const result = yield* Effect.result(at(loginServer))
        assert.strictEqual(asked.length, isFor ? 1 : 0)
        if (isFor) return assert.deepStrictEqual(result, Result.succeed(password("word")))
        if (Result.isSuccess(result)) return assert.fail("there are some")
        assert.strictEqual(result.failure.problem, "NotConfigured")
        assert.include(result.failure.message, `it is only for ${named}, and not for ${loginServer}`)
      }).pipe(Effect.provide(own.pipe(Credentials.onlyFor([named]))))
    )
  }

  for (const odd of ["https://a.example", "a.example/contoso", "*.azurecr.io", "", "a b"]) {
    it.effect(`of "${odd}", which is not a host, are an error at every registry`, () =>
      Effect.gen(function* () {
        asked.length = 0
        for (const loginServer of ["a.example", "b.example"]) {
          const { description, problem } = yield* Effect.flip(at(loginServer))
          assert.strictEqual(problem, "Failed")
          assert.include(description, "is not a host")
        }
        assert.lengthOf(asked, 0)
      }).pipe(Effect.provide(own.pipe(Credentials.onlyFor(["a.example", odd]))))
    )
  }

  it.effect("leave other registries to the credentials that follow", () =>
    Effect.gen(function* () {
      const credentials = [yield* at("a.example"), yield* at("b.example"), yield* at("c.example")]
      assert.deepStrictEqual(
        credentials.map(({ _tag }) => _tag),
        ["Password", "RefreshToken", "Anonymous"]
      )
    }).pipe(
      Effect.provide(
        own.pipe(
          Credentials.onlyFor(["a.example"]),
          Credentials.orElse(Credentials.onlyFor(Credentials.layerRefreshToken(secret("token")), ["b.example"])),
          Credentials.orElse(Credentials.layerAnonymous)
        )
      )
    )
  )

  const marks: ReadonlyArray<readonly [string, Layer.Layer<Credentials.Credentials>, sameForAll: boolean]> = [
    ["anonymous", Credentials.layerAnonymous, false],
    ["an identity", acquired(), false],
    ["a custom service", own, false],
    ["a token", Credentials.layerAccessToken(secret("token")), true],
    ["a token of one registry", Credentials.layerAccessToken(secret("token")).pipe(Credentials.onlyFor(["a"])), false],
    ["one of its own or else a token", Credentials.orElse(own, Credentials.layerAccessToken(secret("token"))), true],
    ["a token or else one of its own", Credentials.orElse(Credentials.layerAccessToken(secret("token")), own), true]
  ]
  for (const [name, layer, sameForAll] of marks) {
    it.effect(`are ${sameForAll ? "" : "not "}known to be the same for all: ${name}`, () =>
      Effect.gen(function* () {
        const credentials = yield* Credentials.Credentials
        assert.strictEqual(credentials.sameForAll === true, sameForAll)
      }).pipe(Effect.provide(layer))
    )
  }

  for (const perRegistry of [true, false]) {
    it.effect(`are requested ${perRegistry ? "once for a registry" : "for each repository"} as before`, () =>
      Effect.gen(function* () {
        const credentials = yield* Credentials.Credentials
        assert.strictEqual(credentials.perRegistry, perRegistry)
      }).pipe(
        Effect.provide(
          Layer.succeed(Credentials.Credentials, {
            ...(perRegistry ? { perRegistry } : {}),
            get: () => Effect.succeed(password("word"))
          }).pipe(Credentials.onlyFor(["a.example"]))
        )
      )
    )
  }
})
