/**
 * The endpoints that a user may write, and the errors for all others.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { TestClock } from "effect/testing"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as ContainerRegistry from "../src/ContainerRegistry.ts"
import * as Credentials from "../src/Credentials.ts"
import * as Registry from "../src/Registry.ts"
import * as RegistryContent from "../src/RegistryContent.ts"
import type { RegistryError } from "../src/RegistryError.ts"
import { globalOrigin } from "../src/internal/acr/hosts.ts"
import { parseEndpoint } from "../src/internal/http/endpoint.ts"
import { atOnce } from "./support/atOnce.ts"

const registry = "https://myregistry.azurecr.io"

const text = (result: Result.Result<URL, string>): string =>
  Result.match(result, { onSuccess: ({ href }) => href, onFailure: (why) => `refused: ${why}` })

const expected =
  "; expected a registry's login server (myregistry.azurecr.io) or its address (https://myregistry.azurecr.io)"
const notUrl = `refused: is not a URL${expected}`
const noHost = `refused: is neither the name of a registry (5 to 50 letters and digits) nor a host${expected}`
const notWeb = `refused: is not the address of a registry${expected}`
const tooMuch = `refused: has more than a scheme, a host and a port: name repositories in operations${expected}`
const login = `refused: contains a login: provide it with Credentials${expected}`
const notProtected =
  "refused: is plain http, which is accepted only for addresses of this machine: anyone on the network path could read the credentials (allowInsecureHttp accepts it)"

describe("an endpoint", () => {
  const endpoints: ReadonlyArray<readonly [string, string]> = [
    ["myregistry", `${registry}/`],
    ["MyRegistry", `${registry}/`],
    ["myregistry-a1b2c3", "https://myregistry-a1b2c3.azurecr.io/"],
    ["myregistry.azurecr.cn", "https://myregistry.azurecr.cn/"],
    ["myregistry.azurecr.us", "https://myregistry.azurecr.us/"],
    ["myregistry.westeurope.data.azurecr.io", `${registry}/`],
    ["https://myregistry.westeurope.data.azurecr.io", `${registry}/`],
    ["myregistry-a1b2c3.chinanorth3.data.azurecr.cn", "https://myregistry-a1b2c3.azurecr.cn/"],
    ["myregistry.westeurope.geo.azurecr.io", "https://myregistry.westeurope.geo.azurecr.io/"],
    ["registry.example.com", "https://registry.example.com/"],
    ["localhost", "https://localhost/"],
    ["zot:5000", "https://zot:5000/"],
    ["https://zot", "https://zot/"],
    ["myregistry.azurecr.io", `${registry}/`],
    ["https://myregistry.azurecr.io", `${registry}/`],
    ["https://myregistry.azurecr.io/", `${registry}/`],
    ["HTTPS://MyRegistry.azurecr.io:443", `${registry}/`],
    ["myregistry.azurecr.io:8443", `${registry}:8443/`],
    ["localhost:5000", "https://localhost:5000/"],
    ["http://localhost:5000", "http://localhost:5000/"],
    ["http://127.0.0.1:5000", "http://127.0.0.1:5000/"],
    ["http://127.1.2.3", "http://127.1.2.3/"],
    ["http://[::1]:5000", "http://[::1]:5000/"],
    ["http://[::ffff:127.0.0.1]", "http://[::ffff:7f00:1]/"],
    ["https://[2001:db8::1]", "https://[2001:db8::1]/"],
    ["https://10.0.0.1", "https://10.0.0.1/"]
  ]
  it.each(endpoints)("%s is %s", (endpoint, outcome) => {
    assert.strictEqual(text(parseEndpoint(endpoint)), outcome)
  })

  const refused: ReadonlyArray<readonly [string, string]> = [
    ["", notUrl],
    [" ", notUrl],
    ["://", notUrl],
    ["https://", notUrl],
    ["my registry", notUrl],
    ["myregistry.azurecr.io:99999", notUrl],
    ["https://[::1", notUrl],
    ["myregistry.azurecr.io/v2", tooMuch],
    ["https://myregistry.azurecr.io/v2/", tooMuch],
    ["https://myregistry.azurecr.io?a=b", tooMuch],
    ["https://myregistry.azurecr.io#a", tooMuch],
    ["https://me@myregistry.azurecr.io", login],
    ["https://me:secret@myregistry.azurecr.io", login],
    ["myregistry.azurecr.io\\v2", tooMuch],
    ["http://myregistry.azurecr.io", notProtected],
    ["http://10.0.0.1:5000", notProtected],
    ["http://0.0.0.0:5000", notProtected],
    ["http://[::]:5000", notProtected],
    ["http://[::ffff:0:0]:5000", notProtected],
    // Traffic to an address that contains one of this machine may leave the machine.
    ["http://[2002:7f00:1::]", notProtected],
    ["http://[64:ff9b::7f00:1]", notProtected],
    ["http://localhost.evil.example", notProtected],
    ["http://127.0.0.1.evil.example", notProtected],
    ["http://127.evil.example", notProtected],
    ["http://[::ffff:10.0.0.1]", notProtected],
    ["http://169.254.169.254", notProtected],
    ["http://myregistry.westeurope.data.azurecr.io", notProtected],
    ["ftp://myregistry.azurecr.io", notWeb],
    ["ws://localhost", notWeb],
    ["file:///", notWeb],
    ["reg", noHost],
    ["my_registry", noHost],
    ["a-registry", noHost],
    ["myregistry/library/alpine", tooMuch],
    ["myregistry.azurecr.io/library/alpine:3.20", tooMuch]
  ]
  it.each(refused)("%j is none", (endpoint, outcome) => {
    assert.strictEqual(text(parseEndpoint(endpoint)), outcome)
  })

  it.each(["a", "a/", "a.", "-", "_", ":", "@", "[", "https://", "%"])(
    "of a megabyte of %j is refused or read at once",
    (piece) => {
      for (const length of [100_000, 1_000_000]) {
        const long = piece.repeat(length / piece.length)
        const read = atOnce(() => text(parseEndpoint(long)))
        assert.isTrue(read.startsWith("refused: ") || read === `https://${long}/`)
        const why = atOnce(() => text(parseEndpoint(`http://${long}`)))
        assert.isTrue(why.startsWith("refused: "))
        assert.isBelow(why.length, 400)
      }
    }
  )

  it("may be plain http on other machines if the user allows it", () => {
    assert.strictEqual(text(parseEndpoint("http://10.0.0.1:5000", true)), "http://10.0.0.1:5000/")
    assert.strictEqual(text(parseEndpoint("ftp://10.0.0.1", true)), notWeb)
  })

  it("of a region belongs to the whole registry's origin", () => {
    assert.strictEqual(globalOrigin("https://myregistry.westeurope.geo.azurecr.io"), registry)
    assert.strictEqual(globalOrigin("https://myregistry.chinaeast2.geo.azurecr.cn"), "https://myregistry.azurecr.cn")
    for (const other of [
      registry,
      "https://myregistry.westeurope.geo.azurecr.io.evil.example",
      "https://evil.example.geo.azurecr.io",
      "http://myregistry.westeurope.geo.azurecr.io",
      "https://myregistry.westeurope.geo.azurecr.io:8443"
    ]) {
      assert.strictEqual(globalOrigin(other), other)
    }
  })
})

describe("a service", () => {
  it.effect("states its registry", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry.ContainerRegistry
      const content = yield* RegistryContent.RegistryContent
      for (const { endpoint, loginServer } of [registry, content]) {
        assert.strictEqual(endpoint, "https://myregistry.azurecr.io")
        assert.strictEqual(loginServer, "myregistry.azurecr.io")
      }
    }).pipe(
      Effect.provide(
        Registry.layer({ endpoint: "myregistry" }).pipe(
          Layer.provide(Credentials.layerAnonymous),
          Layer.provide(
            Layer.succeed(
              HttpClient.HttpClient,
              HttpClient.make(() => Effect.die("nothing is asked"))
            )
          )
        )
      )
    )
  )
})

const secret = (value: string) => Redacted.make(value)
const registryOf = (name: string, credentials: Layer.Layer<Credentials.Credentials>, options: object = {}) => {
  const urls: Array<string> = []
  const client = HttpClient.make((request, url) =>
    Effect.sync(() => {
      urls.push(`${request.method} ${url.href}`)
      return HttpClientResponse.fromWeb(request, new Response(null, { status: 404 }))
    })
  )
  const layer = Registry.layer({ endpoint: name, ...options }).pipe(
    Layer.provide(credentials),
    Layer.provide(Layer.succeed(HttpClient.HttpClient, client))
  )
  return { layer, urls }
}

const entraOnce = () => {
  let count = 0
  return Layer.succeed(Credentials.Credentials, {
    get: () =>
      Effect.sync((): Credentials.Credential =>
        count++ === 0
          ? { _tag: "EntraToken", token: secret("entra") }
          : { _tag: "Password", username: "contoso", password: secret("planted") }
      )
  })
}

const demand = (parameters: string) =>
  new Response(null, {
    status: 401,
    headers: {
      "www-authenticate": `Bearer realm="https://harbor.azurecr.io/oauth2/token",service="s",scope="repository:a:pull"${parameters}`
    }
  })

describe("a bare name", () => {
  const read = Effect.flatMap(RegistryContent.RegistryContent, (content) => Effect.asVoid(content.manifest("a", "v1")))
  const operations: { readonly [name: string]: Effect.Effect<void, RegistryError, Registry.Services> } = {
    read,
    write: Effect.flatMap(ContainerRegistry.ContainerRegistry, (registry) =>
      Effect.asVoid(registry.deleteTag("a", "v1"))
    ),
    login: Effect.flatMap(ContainerRegistry.ContainerRegistry, (registry) => Effect.asVoid(registry.login))
  }

  const logins = {
    anonymous: Credentials.layerAnonymous,
    password: Credentials.layerPassword({ username: "contoso", password: secret("planted") }),
    "refresh token": Credentials.layerRefreshToken(secret("planted")),
    "access token": Credentials.layerAccessToken(secret("planted"))
  }

  for (const name of ["harbor", "registry"]) {
    for (const [login, credentials] of Object.entries(logins)) {
      for (const [what, operation] of Object.entries(operations)) {
        it.effect(`${name} sends nothing to ${name}.azurecr.io with the login ${login} (${what})`, () => {
          const { layer, urls } = registryOf(name, credentials)
          return Effect.gen(function* () {
            const { reason } = yield* Effect.flip(operation)
            assert.strictEqual(reason._tag, "InvalidRequest")
            assert.include(reason.message, `https://${name}.azurecr.io`)
            assert.include(reason.message, `https://${name} `)
            assert.deepStrictEqual(urls, [])
          }).pipe(Effect.provide(layer))
        })
      }
    }
  }

  it.effect("means ACR with an Entra token, which is acquired once", () => {
    let acquired = 0
    const entra = Credentials.layerEntra(
      Effect.sync(() => {
        acquired++
        return secret("entra")
      })
    )
    const { layer, urls } = registryOf("harbor", entra)
    return Effect.gen(function* () {
      yield* Effect.all(
        Array.from({ length: 5 }, () => Effect.flip(read)),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(urls).size, 1)
      assert.strictEqual(acquired, 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("does not use the Entra token that confirmed it hours later", () => {
    let hour = 0
    const sent: Array<string> = []
    const client = HttpClient.make((request, url) =>
      Effect.sync(() => {
        const { body, headers } = request
        if (body._tag === "Uint8Array") sent.push(new TextDecoder().decode(body.body))
        const isOpen = request.method === "GET" || headers["authorization"] !== undefined
        return HttpClientResponse.fromWeb(
          request,
          url.pathname === "/oauth2/exchange"
            ? new Response('{"refresh_token":"r"}')
            : url.pathname === "/oauth2/token"
              ? new Response('{"access_token":"a"}')
              : isOpen
                ? new Response(null, { status: 404 })
                : demand("")
        )
      })
    )
    const layer = Registry.layer({ endpoint: "harbor" }).pipe(
      Layer.provide(Credentials.layerEntra(Effect.sync(() => secret(`entra-of-hour-${hour}`)))),
      Layer.provide(Layer.succeed(HttpClient.HttpClient, client))
    )
    return Effect.gen(function* () {
      const { deleteTag } = yield* ContainerRegistry.ContainerRegistry
      yield* Effect.flip(read)
      hour = 2
      yield* TestClock.adjust("2 hours")
      yield* Effect.flip(deleteTag("a", "v1"))
      assert.include(sent.join(), "entra-of-hour-2")
      assert.notInclude(sent.join(), "entra-of-hour-0")
    }).pipe(Effect.provide(layer))
  })

  it.effect("means ACR if the options say so", () => {
    const { layer, urls } = registryOf("harbor", Credentials.layerAnonymous, { registry: "acr" })
    return Effect.gen(function* () {
      yield* Effect.flip(read)
      assert.deepStrictEqual(urls, ["GET https://harbor.azurecr.io/v2/a/manifests/v1"])
    }).pipe(Effect.provide(layer))
  })

  describe("sends no password later either, if the first credential was an Entra token", () => {
    type Answer = (path: string, authorization: string | undefined) => Response
    const strangers: ReadonlyArray<readonly [string, Answer]> = [
      [
        "refuses to exchange it",
        (path, authorization) =>
          path === "/oauth2/exchange"
            ? new Response(null, { status: 401 })
            : authorization === undefined
              ? demand("")
              : new Response(null, { status: 404 })
      ],
      [
        "requires a password",
        () => new Response(null, { status: 401, headers: { "www-authenticate": 'Basic realm="r"' } })
      ],
      [
        "demands more of it",
        (path, authorization) => {
          if (path === "/oauth2/exchange") return new Response('{"refresh_token":"r"}')
          if (path === "/oauth2/token") return new Response('{"access_token":"a"}')
          return demand(authorization === undefined ? "" : `,error="insufficient_claims",claims="${btoa('{"a":1}')}"`)
        }
      ]
    ]
    for (const [what, answer] of strangers) {
      it.effect(`and the registry ${what}`, () => {
        const sent: Array<string> = []
        const client = HttpClient.make((request, url) =>
          Effect.sync(() => {
            const { authorization } = request.headers
            sent.push(
              authorization?.startsWith("Basic ") === true ? atob(authorization.slice(6)) : String(authorization)
            )
            return HttpClientResponse.fromWeb(request, answer(url.pathname, authorization))
          })
        )
        return Effect.gen(function* () {
          for (let count = 0; count < 3; count++) yield* Effect.flip(read)
          assert.isNotEmpty(sent)
          assert.notInclude(sent.join(), "planted")
        }).pipe(
          Effect.provide(
            Registry.layer({ endpoint: "harbor" }).pipe(
              Layer.provide([entraOnce(), Layer.succeed(HttpClient.HttpClient, client)])
            )
          )
        )
      })
    }
  })

  it.effect("fails with the error of its credential, and requests it again", () => {
    let count = 0
    const failing = Credentials.layerEntra(
      Effect.suspend(() => (count++ === 0 ? Effect.fail("down") : Effect.succeed(secret("entra"))))
    )
    const { layer } = registryOf("harbor", failing)
    return Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(read)).reason._tag, "CredentialUnavailable")
      assert.strictEqual((yield* Effect.flip(read)).reason._tag, "NotFound")
    }).pipe(Effect.provide(layer))
  })
})

describe("Docker Hub", () => {
  const pulls = Effect.flatMap(RegistryContent.RegistryContent, (content) =>
    Effect.all([
      Effect.flip(content.manifest("alpine", "latest")),
      Effect.flip(content.blobBytes("contoso/app", `sha256:${"0".repeat(64)}`)),
      Effect.flip(Stream.runDrain(content.tags("debian")))
    ])
  )
  for (const endpoint of ["docker.io", "index.docker.io", "https://docker.io/", "DOCKER.IO", "registry-1.docker.io"]) {
    it.effect(`is the registry of ${endpoint}, and a short name is that of an official image`, () => {
      const { layer, urls } = registryOf(endpoint, Credentials.layerAnonymous)
      return Effect.gen(function* () {
        yield* pulls
        assert.deepStrictEqual(urls, [
          "GET https://registry-1.docker.io/v2/library/alpine/manifests/latest",
          `GET https://registry-1.docker.io/v2/contoso/app/blobs/sha256:${"0".repeat(64)}`,
          "GET https://registry-1.docker.io/v2/library/debian/tags/list"
        ])
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("is not any other registry", () => {
    const { layer, urls } = registryOf("docker.io.example", Credentials.layerAnonymous)
    return Effect.gen(function* () {
      yield* pulls
      assert.strictEqual(urls[0], "GET https://docker.io.example/v2/alpine/manifests/latest")
    }).pipe(Effect.provide(layer))
  })
})

describe("the endpoint in the environment", () => {
  it.effect("is read from its variable, or from another configuration", () =>
    Effect.gen(function* () {
      const named = RegistryContent.layerConfig({ endpoint: Config.String("MIRROR") })
      for (const [layer, asked] of [
        [RegistryContent.layerConfig(), "https://first.azurecr.io/v2/a/manifests/v1"],
        [named, "https://second.azurecr.io/v2/a/manifests/v1"],
        [Registry.layerConfig(), "https://first.azurecr.io/v2/a/manifests/v1"]
      ] as const) {
        const urls: Array<string> = []
        const client = HttpClient.make((request, url) =>
          Effect.sync(() => {
            urls.push(url.href)
            return HttpClientResponse.fromWeb(request, new Response(null, { status: 404 }))
          })
        )
        yield* Effect.flip(RegistryContent.RegistryContent.use((content) => content.manifest("a", "v1"))).pipe(
          Effect.provide(
            layer.pipe(
              Layer.provide(Credentials.layerAnonymous),
              Layer.provide(Layer.succeed(HttpClient.HttpClient, client))
            )
          )
        )
        assert.deepStrictEqual(urls, [asked])
      }
    }).pipe(
      Effect.provide(
        ConfigProvider.layer(
          ConfigProvider.fromUnknown({ REGISTRY_ENDPOINT: "first.azurecr.io", MIRROR: "second.azurecr.io" })
        )
      )
    )
  )

  it.effect("that is missing fails with what to write", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Layer.build(RegistryContent.layerConfig()))
      assert.include(error.message, "expected a registry's login server (myregistry.azurecr.io)")
      assert.include(error.message, "REGISTRY_ENDPOINT")
    }).pipe(
      Effect.provide([
        Credentials.layerAnonymous,
        FetchHttpClient.layer,
        ConfigProvider.layer(ConfigProvider.fromUnknown({}))
      ])
    )
  )
})
