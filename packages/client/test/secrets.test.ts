/**
 * No token and no password shows: not in an error, a service, a log or a span, however it is printed, whatever the
 * registry quotes back.
 */
import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Array from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Formatter from "effect/Formatter"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as BlobSource from "../src/BlobSource.ts"
import { ContainerRegistry, layer } from "../src/ContainerRegistry.ts"
import * as Credentials from "../src/Credentials.ts"
import { RegistryContent } from "../src/RegistryContent.ts"
import { never } from "../src/RetryPolicy.ts"
import { Transport } from "../src/Transport.ts"
import { content, sha256 } from "./support/content.ts"
import { challenge, endpoint, json, registry, type Script } from "./support/registry.ts"

/** Each with a character that is written otherwise in a form or a query. */
const planted = {
  entra: "planted+entra/token=",
  password: "planted+password/=",
  refresh: "planted+refresh/token=",
  access: "planted+access/token=",
  anotherAccess: "planted+another/token="
}

/** What must not be found: each secret as it is, and in the forms in which it travels. */
const forbidden: ReadonlyArray<string> = Object.values(planted).flatMap((secret) => [
  secret,
  encodeURIComponent(secret),
  JSON.stringify(secret).slice(1, -1),
  btoa(`contoso:${secret}`)
])

const assertClean = (text: string, what: string) => {
  assert.isNotEmpty(text, what)
  for (const secret of forbidden) assert.notInclude(text, secret, what)
  // Not even a part of one.
  assert.notInclude(text.replaceAll("planted secret", ""), "planted", what)
}

/** All the ways to print a value. */
const printed = (value: unknown): ReadonlyArray<readonly [string, string]> => [
  ["String", String(value)],
  ["JSON", String(JSON.stringify(value))],
  ["inspect", inspect(value, { depth: Infinity, showHidden: true, getters: true })],
  ["Inspectable", Inspectable.toStringUnknown(value)],
  ["Formatter", Formatter.format(value)],
  ["stack", value instanceof Error ? String(value.stack) : "-"],
  ["fields", value instanceof Error ? inspect(Object.entries(value), { depth: Infinity }) : "-"]
]

const assertSilent = (value: unknown) => {
  for (const [way, text] of printed(value)) assertClean(text, way)
}

/** Everything that a request held, thrown back by the registry. */
const quoting =
  (status: number): Script =>
  ({ authorization, body, url }) =>
    json(
      {
        errors: [{ code: "DENIED", message: `${authorization} ${body} ${url.href}`, detail: { authorization, body } }]
      },
      {
        status,
        headers: { "x-ms-correlation-request-id": `${authorization} ${body}`.replace(/[^\x20-\x7e]/g, "") }
      }
    )

const grants: Script = (asked, count) =>
  asked.url.pathname === "/oauth2/exchange"
    ? json({ refresh_token: planted.refresh })
    : json({ access_token: count === 0 ? planted.access : planted.anotherAccess })

/** Grants tokens, and quotes what comes with one. */
const quotesResource =
  (status: number): Script =>
  (asked, count) =>
    asked.url.pathname.startsWith("/oauth2/")
      ? grants(asked, count)
      : asked.authorization === undefined
        ? challenge("repository:alpine:metadata_read")
        : status === 401
          ? challenge(`repository:alpine:metadata_read,${asked.authorization}`, `,error="${asked.authorization}"`)
          : quoting(status)(asked, count)

const quotesTokenRequest =
  (path: string, status: number): Script =>
  (asked, count) =>
    asked.url.pathname === path
      ? quoting(status)(asked, count)
      : asked.url.pathname.startsWith("/oauth2/")
        ? grants(asked, count)
        : challenge("repository:alpine:metadata_read")

/** The token stands where another document is expected. */
const answersWithToken: Script = (asked, count) =>
  asked.url.pathname.startsWith("/oauth2/")
    ? json({ refresh_token: [planted.refresh], access_token: { value: planted.access } })
    : challenge(`repository:alpine:metadata_read,${count}`)

const entra = Credentials.layerEntra(Effect.succeed(Redacted.make(planted.entra)))
const password = Credentials.layerPassword({ username: "contoso", password: Redacted.make(planted.password) })
const broken = Credentials.layerEntra(Effect.fail("no planted secret here"))

const scenarios: ReadonlyArray<readonly [string, Script, Layer.Layer<Credentials.Credentials>]> = [
  ...[400, 401, 403, 404, 405, 429, 500, 503].flatMap((status) => [
    [`a ${status} that quotes the access token`, quotesResource(status), entra] as const,
    [`a ${status} that quotes the Entra token`, quotesTokenRequest("/oauth2/exchange", status), entra] as const,
    [`a ${status} that quotes the refresh token`, quotesTokenRequest("/oauth2/token", status), entra] as const,
    [`a ${status} that quotes the password`, quotesTokenRequest("/oauth2/token", status), password] as const
  ]),
  [
    "a password refused where no token is given",
    ({ authorization }) =>
      new Response(`{"errors":[{"code":"UNAUTHORIZED","message":"${authorization}"}]}`, {
        status: 401,
        headers: { "www-authenticate": `Basic realm="${authorization}"` }
      }),
    password
  ],
  ["tokens of another type", answersWithToken, entra],
  ["a realm elsewhere", () => challenge("a", `,realm="https://evil.example"`), entra],
  ["a credential that fails", quotesResource(200), broken]
]

const read = Effect.flatMap(ContainerRegistry, (registry) => registry.repositoryProperties("alpine"))

/** A tracer that keeps its spans. */
const collecting = (spans: Array<Tracer.Span>) =>
  Tracer.make({
    span(options) {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })

/** A span as an exporter would write it. */
const exported = (span: Tracer.Span): string =>
  inspect(
    {
      name: span.name,
      attributes: Array.fromIterable(span.attributes),
      events: span instanceof Tracer.NativeSpan ? span.events : [],
      exit:
        span.status._tag === "Ended" && Exit.isFailure(span.status.exit) ? Cause.pretty(span.status.exit.cause) : "",
      status: span.status
    },
    { depth: Infinity }
  )

describe("an error, its log and its spans, after", () => {
  for (const [name, script, credentials] of scenarios) {
    it.effect(name, () => {
      const spans: Array<Tracer.Span> = []
      const lines: Array<string> = []
      const logger = Logger.make((entry) => {
        lines.push(...printed(entry.message).map(([, text]) => text), Cause.pretty(entry.cause))
      })
      return Effect.gen(function* () {
        const exit = yield* Effect.exit(read)
        assert.isTrue(Exit.isFailure(exit))
        if (!Exit.isFailure(exit)) return
        yield* Effect.logError("the operation failed", exit.cause)
        assertSilent(exit)
        assertSilent(exit.cause)
        assertClean(Cause.pretty(exit.cause), "Cause.pretty")
        assertSilent(yield* Effect.fromResult(Cause.findError(exit.cause)))

        assert.isAtLeast(spans.length, 2)
        for (const span of spans) assertClean(exported(span), "span")
        assert.isNotEmpty(lines)
        for (const line of lines) if (line !== "") assertClean(line, "log")
      }).pipe(
        Effect.orDie,
        Effect.provide(registry(script, { credentials, retry: never })),
        Effect.provideService(Tracer.Tracer, collecting(spans)),
        Effect.provideService(References.MinimumLogLevel, "All"),
        Effect.provide(Logger.layer([logger]))
      )
    })
  }
})

describe("a service", () => {
  it.effect("holds tokens that no way of printing it shows", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      yield* registry.repositoryProperties("alpine").pipe(Effect.ignore)
      assertSilent(registry)
      assertSilent(yield* Transport)
    }).pipe(Effect.provide(registry(quotesResource(404), { credentials: entra, retry: never })))
  )

  for (const [name, credentials] of [
    ["Entra", entra],
    ["Password", password]
  ] as const) {
    it.effect(`of credentials (${name}) neither`, () =>
      Effect.gen(function* () {
        assertSilent(yield* Credentials.Credentials)
      }).pipe(Effect.provide(credentials))
    )
  }
})

describe("a transfer", () => {
  const state = "planted-state-of-a-session+/="
  const signature = "planted-signature+/="
  const location = `/s?_nouploadcache=false&_state=${encodeURIComponent(state)}`
  const link = `https://storage.example/blob?se=2026&sig=${encodeURIComponent(signature)}`
  const storage: Script = ({ method, url }) =>
    method === "POST"
      ? new Response(null, { status: 202, headers: { location } })
      : url.pathname.startsWith("/v2/")
        ? new Response(null, { status: 307, headers: { location: link } })
        : json(
            {
              errors: [
                {
                  code: "DENIED",
                  message: `${url.href} ${url.search}`,
                  detail: Object.fromEntries(url.searchParams)
                }
              ]
            },
            { status: 403, headers: { "x-ms-correlation-request-id": url.href } }
          )

  for (const [name, transfer] of [
    [
      "up",
      Effect.flatMap(RegistryContent, (service) =>
        Effect.asVoid(service.uploadBlob("alpine", BlobSource.fromString("content")))
      )
    ],
    [
      "down",
      Effect.flatMap(RegistryContent, (service) => Effect.asVoid(service.blobBytes("alpine", sha256("content"))))
    ]
  ] as const) {
    it.effect(`${name} does not show the state of its session, nor the signature of its link`, () => {
      const spans: Array<Tracer.Span> = []
      return Effect.gen(function* () {
        const error = yield* Effect.flip(transfer)
        assert.strictEqual(error.reason._tag, "Forbidden")
        for (const secret of [state, signature]) {
          for (const form of [secret, encodeURIComponent(secret)]) {
            for (const [way, text] of printed(error)) assert.notInclude(text, form, way)
            for (const span of spans) assert.notInclude(exported(span), form)
          }
        }
        assert.isAtLeast(spans.length, 4)
      }).pipe(Effect.provide(content(storage, never)), Effect.provideService(Tracer.Tracer, collecting(spans)))
    })
  }
})

describe("an error of the connection", () => {
  /** A runtime that quotes the header which it cannot send. */
  const quotingClient = HttpClient.make((request, url) =>
    url.pathname.startsWith("/oauth2/") || request.headers["authorization"] === undefined
      ? Effect.fail(
          new HttpClientError.HttpClientError({
            reason: new HttpClientError.TransportError({
              request,
              cause: new Error("fetch failed", {
                cause: new Error(
                  `Invalid header value "${request.headers["authorization"]}" ${JSON.stringify(request.body)}`
                )
              })
            })
          })
        )
      : Effect.never
  )

  it.effect("does not show the request", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(read)
      assert.strictEqual(error.reason._tag, "Unavailable")
      assertSilent(error)
      assert.include(error.message, "Invalid header value")
    }).pipe(
      Effect.provide(
        layer({ endpoint, retry: never }).pipe(
          Layer.provide(password),
          Layer.provide(Layer.succeed(HttpClient.HttpClient, quotingClient))
        )
      )
    )
  )
})
