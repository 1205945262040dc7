/**
 * An address that an origin without authority names is never used with authority: storage, a token service or the
 * target of a redirect cannot turn the client against its own registry.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as BlobSource from "../src/BlobSource.ts"
import { ContainerRegistry } from "../src/ContainerRegistry.ts"
import * as Credentials from "../src/Credentials.ts"
import { get, type Operation } from "../src/Operation.ts"
import { RegistryContent } from "../src/RegistryContent.ts"
import { Transport } from "../src/Transport.ts"
import * as RegistryContentModule from "../src/RegistryContent.ts"
import { patient, sha256 } from "./support/content.ts"
import { runs } from "./support/fuzz.ts"
import {
  type Asked,
  challenge,
  endpoint,
  entra,
  Journal,
  json,
  type Reply,
  registry,
  type Script
} from "./support/registry.ts"

const storage = "https://storage.example"
const tokenService = "https://tokens.example"
const bytes = "the bytes of a blob"
const digest = sha256(bytes)
const repository = "team-a/app"
const uploads = `/v2/${repository}/blobs/uploads/`

const password = Credentials.layerPassword({ username: "contoso", password: Redacted.make("planted-password") })
const refreshToken = Credentials.layerRefreshToken(Redacted.make("planted-refresh"))

/** The authentication of the registry: its own token service, one elsewhere, or a password. */
const Login = Schema.Literals(["own tokens", "tokens elsewhere", "password"])
type Login = typeof Login.Type

const credentialsFor = (login: Login) => {
  switch (login) {
    case "own tokens":
      return entra
    case "tokens elsewhere":
      return refreshToken
    case "password":
      return password
  }
}

const demandOf = (login: Login): Response => {
  switch (login) {
    case "own tokens":
      return challenge(`repository:${repository}:pull,push`)
    case "tokens elsewhere":
      return new Response(null, {
        status: 401,
        headers: { "www-authenticate": `Bearer realm="${tokenService}/token",service="s"` }
      })
    case "password":
      return new Response(null, { status: 401, headers: { "www-authenticate": 'Basic realm="registry"' } })
  }
}

/**
 * A registry that follows its protocol, and whose blobs and uploads are at storage. `strangers` answer everything else.
 */
const withStrangers =
  (login: Login, strangers: (asked: Asked) => Reply): Script =>
  (asked) => {
    const { authorization, method, url } = asked
    if (url.origin !== endpoint) return strangers(asked)
    if (url.pathname === "/oauth2/exchange") return json({ refresh_token: "own-refresh" })
    if (url.pathname === "/oauth2/token") return json({ access_token: "own-access" })
    if (authorization === undefined) return demandOf(login)
    if (url.pathname === uploads) return new Response(null, { status: 202, headers: { location: `${storage}/s` } })
    if (url.pathname === `/v2/${repository}/blobs/${digest}`) {
      return method === "GET"
        ? new Response(null, { status: 307, headers: { location: `${storage}/b?sig=1` } })
        : new Response(null, { status: 404 })
    }
    if (url.pathname === `/v2/${repository}/tags/list`) return json({ name: repository, tags: ["v1"] })
    // It accepts any other request.
    return new Response(null, { status: method === "DELETE" ? 202 : 201, headers: { location: "/somewhere" } })
  }

const services = (login: Login, strangers: (asked: Asked) => Reply) =>
  RegistryContentModule.layerTransport({ idleTimeout: "30 seconds" }).pipe(
    Layer.provideMerge(
      registry(withStrangers(login, strangers), {
        retry: patient,
        credentials: credentialsFor(login),
        trustedRealms: [tokenService]
      })
    )
  )

/** The requests of the operations below, on the registry's own origin and at its token service. */
const named = new Set([
  `POST ${endpoint}${uploads}`,
  `HEAD ${endpoint}/v2/${repository}/blobs/${digest}`,
  `GET ${endpoint}/v2/${repository}/blobs/${digest}`,
  `GET ${endpoint}/v2/${repository}/tags/list`,
  `DELETE ${endpoint}/acr/v1/${encodeURIComponent(repository)}/_tags/v1`,
  `POST ${endpoint}/oauth2/exchange`,
  `POST ${endpoint}/oauth2/token`,
  `GET ${tokenService}/token`,
  `POST ${tokenService}/token`
])

/** The secrets of a request, in plain text or as in Basic. */
const planted = ["planted-password", "planted-refresh", "entra-token", "own-refresh", "own-access", "granted"]

const isCredentialed = ({ authorization, body, url }: Asked): boolean => {
  const decoded = authorization?.startsWith("Basic ") === true ? atob(authorization.slice(6)) : authorization
  return authorization !== undefined || planted.some((secret) => `${decoded} ${body} ${url.href}`.includes(secret))
}

const assertKept = (journal: ReadonlyArray<Asked>) => {
  for (const asked of journal) {
    const target = `${asked.method} ${asked.url.origin}${asked.url.pathname}`
    if (isCredentialed(asked)) assert.isTrue(named.has(target), `a credential goes with ${target}`)
    // Even without credentials, nothing is written to an address that only a stranger named.
    else if (asked.url.origin === endpoint && !named.has(target)) assert.strictEqual(asked.method, "GET", target)
  }
}

/* One by one */

const upload = Effect.flatMap(RegistryContent, (content) =>
  content.uploadBlob(repository, BlobSource.fromString(bytes), { chunkSize: 4 })
)
const download = Effect.flatMap(RegistryContent, (content) => content.blobBytes(repository, digest))

describe("storage that an upload was led to", () => {
  const victims = [
    `${endpoint}/acr/v1/${repository}`,
    `${endpoint}/v2/${repository}/manifests/latest`,
    `${endpoint}/v2/team-b/app/blobs/uploads/1`,
    `//myregistry.azurecr.io/acr/v1/${repository}`,
    `${endpoint}:443${uploads}..%2f..%2fmanifests%2flatest`,
    // The same registry: another port of it, and one of its regional endpoints.
    `${endpoint}:8443/acr/v1/${repository}`,
    `https://myregistry.westeurope.geo.azurecr.io/acr/v1/${repository}`
  ]
  for (const login of ["own tokens", "password"] as const) {
    for (const location of victims) {
      it.effect(`cannot have ${location} deleted or written (${login})`, () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(upload)
          assert.strictEqual(error.reason._tag, "Refused")
          assert.include(error.message, `leads from ${storage} back to ${endpoint}`)
          const journal = yield* Journal
          assertKept(journal)
          assert.notInclude(
            journal.map(({ url }) => url.pathname),
            new URL(location, endpoint).pathname
          )
        }).pipe(
          Effect.provide(
            services(login, () => new Response(null, { status: 202, headers: { location, range: "0-999" } }))
          )
        )
      )
    }
  }

  it.effect("cannot have its own challenge answered", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(upload)
      assert.strictEqual(error.reason._tag, "Unauthenticated")
      assertKept(yield* Journal)
    }).pipe(Effect.provide(services("own tokens", () => challenge(`repository:${repository}:delete`))))
  )
})

describe("storage that a download was led to", () => {
  it.effect("may lead back to the registry, where only public content is read", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(download)
      assert.strictEqual(error.reason._tag, "Unauthenticated")
      const journal = yield* Journal
      assertKept(journal)
      const [last] = journal.slice(-1)
      assert.strictEqual(last?.url.pathname, "/acr/v1/_catalog")
      assert.isUndefined(last?.authorization)
    }).pipe(
      Effect.provide(
        services(
          "password",
          () => new Response(null, { status: 307, headers: { location: `${endpoint}/acr/v1/_catalog` } })
        )
      )
    )
  )
})

/** Interrupts an upload to a session at a location, and returns what is deleted then. */
const interrupted = (location: string) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(upload)
    yield* TestClock.adjust(0)
    yield* Fiber.interrupt(fiber)
    return (yield* Journal).filter(({ method }) => method === "DELETE").map(({ url }) => url.pathname)
  }).pipe(
    Effect.provide(
      RegistryContentModule.layerTransport().pipe(
        Layer.provideMerge(
          registry(
            ({ authorization, method }) => {
              if (authorization === undefined) return demandOf("password")
              if (method === "POST") return new Response(null, { status: 202, headers: { location } })
              return method === "PATCH" ? "stall" : new Response(null, { status: 202 })
            },
            { credentials: password }
          )
        )
      )
    )
  )

describe("an upload session on the registry's own origin", () => {
  it.effect("is deleted when the upload is interrupted", () =>
    Effect.map(interrupted(`${uploads}1?_state=2`), (deleted) => assert.deepStrictEqual(deleted, [`${uploads}1`]))
  )

  for (const other of ["/artifacts-uploads/namespaces/a/1", `/acr/v1/${repository}`, `${uploads}../../manifests/v1`]) {
    it.effect(`is not deleted if its path is not that of a session: ${other}`, () =>
      Effect.map(interrupted(other), (deleted) => assert.deepStrictEqual(deleted, []))
    )
  }
})

const operation = <A>(path: string, answer: A): Operation<A> =>
  get(path, { name: "Example.read", decode: () => Effect.succeed(answer) })

describe("a custom operation", () => {
  for (const path of [".evil.example/x", "@evil.example/x", ":8443/x", "0/x", "v2/x", "", "\\evil.example"]) {
    it.effect(`whose path is ${JSON.stringify(path)} is not sent, because it would change the host`, () =>
      Effect.gen(function* () {
        const { execute, list, open } = yield* Transport
        for (const run of [
          execute(operation(path, "read")),
          Effect.scoped(open(operation(path, "read"))),
          Stream.runDrain(list(operation(path, { items: [], next: Option.none<string>() })))
        ]) {
          const { reason, request } = yield* Effect.flip(run)
          assert.strictEqual(reason._tag, "InvalidRequest")
          assert.propertyVal(reason, "argument", "path")
          assert.isUndefined(request)
        }
        assert.deepStrictEqual(yield* Journal, [])
      }).pipe(Effect.provide(services("password", () => new Response(null))))
    )
  }

  for (const origin of [
    "not an origin",
    "storage.example",
    `${storage}/`,
    `${storage}/folder`,
    "ftp://storage.example"
  ]) {
    it.effect(`whose origin is ${origin} is not sent`, () =>
      Effect.gen(function* () {
        const { execute } = yield* Transport
        const { reason } = yield* Effect.flip(execute({ ...operation("/x", "read"), origin }))
        assert.strictEqual(reason._tag, "InvalidRequest")
        assert.propertyVal(reason, "argument", "origin")
        assert.deepStrictEqual(yield* Journal, [])
      }).pipe(Effect.provide(services("password", () => new Response(null))))
    )
  }

  for (const link of [`${endpoint}/acr/v1/_catalog`, "https://other.example/page/2"]) {
    it.effect(`whose list is elsewhere fails if the list leads to: ${link}`, () =>
      Effect.gen(function* () {
        const { list } = yield* Transport
        const page = { ...operation("/page/1", { items: [1], next: Option.some(link) }), origin: storage }
        const { reason } = yield* Effect.flip(Stream.runDrain(list(page)))
        assert.strictEqual(reason._tag, "Refused")
        const asked = yield* Journal
        assert.deepStrictEqual(
          asked.map(({ url }) => url.href),
          [`${storage}/page/1`]
        )
      }).pipe(Effect.provide(services("password", () => new Response(null))))
    )
  }
})

/*
 * Random answers
 */

const Address = Schema.Literals([
  `${endpoint}/acr/v1/${repository}`,
  `${endpoint}/acr/v1/${encodeURIComponent(repository)}/_tags/latest`,
  `${endpoint}/v2/${repository}/manifests/latest`,
  `${endpoint}/v2/${repository}/manifests/${digest}`,
  `${endpoint}/v2/${repository}/blobs/${sha256("other")}`,
  `${endpoint}${uploads}1`,
  `${endpoint}/v2/team-b/app/blobs/uploads/1`,
  `${endpoint}/oauth2/exchange`,
  `${endpoint}/oauth2/token?scope=registry:catalog:*`,
  `${endpoint}/v2/_catalog`,
  `${endpoint}:443/acr/v1/${repository}`,
  `https://MYREGISTRY.azurecr.io/acr/v1/${repository}`,
  `https://contoso@myregistry.azurecr.io/acr/v1/${repository}`,
  `//myregistry.azurecr.io/acr/v1/${repository}`,
  "http://myregistry.azurecr.io/acr/v1/_catalog",
  `${storage}/s?_state=2`,
  "/s2?_state=3",
  "?_state=4",
  "..",
  `${tokenService}/token`,
  "https://third.example/x",
  "https://169.254.169.254/latest",
  "https://[::1",
  "javascript:alert(1)"
])

const Answer = Schema.Struct({
  status: Schema.Literals([
    200, 201, 202, 204, 206, 301, 302, 307, 308, 400, 401, 403, 404, 405, 408, 413, 416, 429, 500, 503
  ]),
  location: Schema.UndefinedOr(Address),
  range: Schema.UndefinedOr(Schema.Literals(["0-0", "0-5", "0-18", "0-999999", "bytes=0-5", "garbage"])),
  demand: Schema.UndefinedOr(Schema.Literals(["scope", "claims", "basic", "elsewhere", "deletion"])),
  link: Schema.UndefinedOr(Address),
  body: Schema.Literals(["", bytes, "{}", '{"token":"granted"}', '{"access_token":"granted","refresh_token":"x"}'])
})

const demands = {
  scope: `Bearer realm="${endpoint}/oauth2/token",service="s",scope="repository:${repository}:*"`,
  claims: `Bearer realm="${endpoint}/oauth2/token",service="s",error="insufficient_claims",claims="${btoa('{"a":1}')}"`,
  basic: 'Basic realm="storage"',
  elsewhere: 'Bearer realm="https://third.example/token",service="s"',
  deletion: `Bearer realm="${endpoint}/acr/v1/${repository}",service="s"`
}

const answerOf = ({ body, demand, link, location, range, status }: typeof Answer.Type): Reply =>
  new Response(status === 204 ? null : body, {
    status,
    headers: {
      "content-type": "application/json",
      ...(location === undefined ? {} : { location }),
      ...(range === undefined ? {} : { range, "content-range": "bytes 0-18/19" }),
      ...(demand === undefined ? {} : { "www-authenticate": demands[demand] }),
      ...(link === undefined ? {} : { link: `<${link}>; rel="next"` })
    }
  })

/** Runs to its end by the test's own clock: within an hour or an interruption. */
const finished = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(Effect.exit(effect))
    for (let minute = 0; minute < 60 && fiber.pollUnsafe() === undefined; minute++) {
      for (let turn = 0; turn < 5; turn++) yield* TestClock.adjust(0)
      if (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("1 minute")
    }
    yield* Fiber.interrupt(fiber)
  })

const programs = {
  "upload in one piece": upload,
  "upload in chunks": Effect.flatMap(RegistryContent, (content) =>
    content.uploadBlob(repository, BlobSource.fromStream(Stream.make(new TextEncoder().encode(bytes))), {
      chunkSize: 7
    })
  ),
  "upload with a known digest": Effect.flatMap(RegistryContent, (content) =>
    content.uploadBlob(repository, BlobSource.fromString(bytes), { digest })
  ),
  download,
  range: Effect.flatMap(RegistryContent, (content) =>
    Stream.runDrain(content.blobRange(repository, digest, { offset: 3, length: 5 }))
  ),
  "list and delete": Effect.andThen(
    Effect.flatMap(RegistryContent, (content) => Stream.runDrain(content.tags(repository))),
    Effect.flatMap(ContainerRegistry, (management) => management.deleteTag(repository, "v1"))
  )
}

const Program = Schema.Literals([
  "upload in one piece",
  "upload in chunks",
  "upload with a known digest",
  "download",
  "range",
  "list and delete"
])

describe("for any answers of storage, a token service or the target of a redirect", () => {
  it.effect.prop(
    "a credential is sent only where the operation itself is sent",
    [Login, Program, Schema.Array(Answer).check(Schema.isMaxLength(8))],
    ([login, program, answers]) => {
      let turn = 0
      const strangers = ({ url }: Asked): Reply => {
        const answer = answers[turn++]
        if (answer !== undefined) return answerOf(answer)
        return url.origin === tokenService ? json({ token: "granted" }) : new Response(bytes)
      }
      return Effect.gen(function* () {
        yield* finished(programs[program])
        assertKept(yield* Journal)
      }).pipe(Effect.provide(services(login, strangers)))
    },
    { ...runs(2000), timeout: 300_000 }
  )
})
