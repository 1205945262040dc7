/**
 * No token and no password is shown in an error, a service, a log or a span, however it is printed and whatever the
 * registry quotes.
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
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as BlobSource from "../src/BlobSource.ts"
import { ContainerRegistry, layer } from "../src/ContainerRegistry.ts"
import * as Credentials from "../src/Credentials.ts"
import { layerTransport, RegistryContent } from "../src/RegistryContent.ts"
import { quoting as makeQuote } from "../src/internal/http/quote.ts"
import { remembering, sought } from "../src/internal/http/secrets.ts"
import { never } from "../src/RetryPolicy.ts"
import { Transport } from "../src/Transport.ts"
import { content, sha256 } from "./support/content.ts"
import { type Asked, challenge, endpoint, json, properties, registry, type Script } from "./support/registry.ts"
import { type Spelling, spellings } from "./support/spellings.ts"

/** Each with characters that are escaped in JSON, a form or a query. */
const planted = {
  entra: "planted+entra/token=",
  password: String.raw`planted "pass\word" <é> & +/=%2f`,
  refresh: "planted+refresh/token=",
  access: "planted+access/token=",
  anotherAccess: "planted+another/token="
}

/** Texts that must not appear: each secret in each encoding. */
const forbidden: ReadonlyArray<string> = Object.values(planted).flatMap((secret) => [
  ...spellings.map(({ write }) => write(secret)),
  Buffer.from(`contoso:${secret}`).toString("base64")
])

const assertClean = (text: string, what: string) => {
  assert.isNotEmpty(text, what)
  // One assertion for all: this runs for hundreds of thousands of texts.
  assert.deepStrictEqual(
    forbidden.filter((secret) => text.includes(secret)),
    [],
    what
  )
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

/** Everything in a request, quoted by the registry. */
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

/** Grants tokens, and answers requests with a token by another script. */
const behindTokens =
  (script: Script): Script =>
  (asked, count) => {
    if (asked.url.pathname.startsWith("/oauth2/")) return grants(asked, count)
    return asked.authorization === undefined ? challenge("repository:alpine:metadata_read") : script(asked, count)
  }

/** Quotes requests with a token. */
const quotesResource = (status: number): Script =>
  behindTokens((asked, count) =>
    status === 401
      ? challenge(`repository:alpine:metadata_read,${asked.authorization}`, `,error="${asked.authorization}"`)
      : quoting(status)(asked, count)
  )

const quotesTokenRequest =
  (path: string, status: number): Script =>
  (asked, count) =>
    asked.url.pathname === path
      ? quoting(status)(asked, count)
      : asked.url.pathname.startsWith("/oauth2/")
        ? grants(asked, count)
        : challenge("repository:alpine:metadata_read")

/** The token is in place of another document. */
const answersWithToken: Script = (asked, count) =>
  asked.url.pathname.startsWith("/oauth2/")
    ? json({ refresh_token: [planted.refresh], access_token: { value: planted.access } })
    : challenge(`repository:alpine:metadata_read,${count}`)

const entra = Credentials.layerEntra(Effect.succeed(Redacted.make(planted.entra)))
const password = Credentials.layerPassword({ username: "contoso", password: Redacted.make(planted.password) })
const broken = Credentials.layerEntra(Effect.fail("no planted secret here"))

/** Replaces characters that a header cannot contain. */
const inHeader = (text: string): string => text.replace(/[^ -~]/g, "?")

/** Answers with an error that quotes secrets in one encoding: in its code, its message, keys of its detail, and headers. */
const spelling =
  ({ write }: Spelling, secretsOf: (asked: Asked) => ReadonlyArray<string>): Script =>
  (asked) => {
    const text = secretsOf(asked).map(write).join(" ")
    // JSON's own escapes are written into the body unchanged, so that only parsing the body decodes them.
    const source = /^(?:[^"\\]|\\(?:u[0-9a-f]{4}|["\\/]))*$/i.test(text) ? text : JSON.stringify(text).slice(1, -1)
    return new Response(
      `{"errors":[{"code":"${source}","message":"got ${source}","detail":{"${source}":[{"${source}":"<${source}>"}]}}]}`,
      {
        status: 403,
        headers: {
          "x-ms-correlation-request-id": inHeader(text),
          "www-authenticate": `Bearer realm="${inHeader(text).replace(/["\\]/g, String.raw`\$&`)}"`
        }
      }
    )
  }

const spelledToken = (spelled: Spelling): Script => behindTokens(spelling(spelled, () => [planted.access]))

const spelledLogin =
  (spelled: Spelling): Script =>
  (asked, count) =>
    asked.url.pathname.startsWith("/oauth2/")
      ? spelling(spelled, ({ authorization }) => [planted.password, String(authorization)])(asked, count)
      : challenge("repository:alpine:metadata_read")

/** A registry that quotes secrets of earlier requests. */
const quotes =
  (...secrets: ReadonlyArray<string>): Script =>
  (asked, count) =>
    asked.url.pathname.startsWith("/oauth2/")
      ? grants(asked, count)
      : asked.authorization === undefined
        ? challenge("repository:alpine:metadata_read")
        : json({ errors: [{ code: "DENIED", message: secrets.join(" ") }] }, { status: 403 })

const scenarios: ReadonlyArray<readonly [string, Script, Layer.Layer<Credentials.Credentials>]> = [
  ...spellings.flatMap((spelled) => [
    [`an answer that quotes a token ${spelled.name}`, spelledToken(spelled), entra] as const,
    [`an answer that quotes a login ${spelled.name}`, spelledLogin(spelled), password] as const
  ]),
  ...[400, 401, 403, 404, 405, 429, 500, 503].flatMap((status) => [
    [`a ${status} that quotes the access token`, quotesResource(status), entra] as const,
    [`a ${status} that quotes the Entra token`, quotesTokenRequest("/oauth2/exchange", status), entra] as const,
    [`a ${status} that quotes the refresh token`, quotesTokenRequest("/oauth2/token", status), entra] as const,
    [`a ${status} that quotes the password`, quotesTokenRequest("/oauth2/token", status), password] as const
  ]),
  ["an answer that quotes earlier requests", quotes(planted.entra, planted.refresh), entra],
  ["an answer that quotes the login of an earlier request", quotes(planted.password), password],
  [
    "a password that the token service refuses",
    ({ authorization }) =>
      new Response(`{"errors":[{"code":"UNAUTHORIZED","message":"${authorization}"}]}`, {
        status: 401,
        headers: { "www-authenticate": `Basic realm="${authorization}"` }
      }),
    password
  ],
  [
    "a token service whose address contains the password",
    (asked, count) => {
      const { authorization, url } = asked
      if (url.pathname === "/oauth2/token") return json({ token: planted.access })
      if (url.pathname.startsWith("/tokens/")) return quoting(403)(asked, count)
      return authorization === undefined
        ? challenge("repository:alpine:metadata_read")
        : new Response(null, {
            status: 401,
            headers: { "www-authenticate": `Bearer realm="${endpoint}/tokens/${encodeURIComponent(planted.password)}"` }
          })
    },
    password
  ],
  ["tokens of another type", answersWithToken, entra],
  ["a realm elsewhere", () => challenge("a", `,realm="https://evil.example"`), entra],
  ["a credential that fails", quotesResource(200), broken]
]

const read = Effect.flatMap(ContainerRegistry, (registry) => registry.repositoryProperties("alpine"))

/** A tracer that stores its spans. */
const collecting = (spans: Array<Tracer.Span>) =>
  Tracer.make({
    span(options) {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })

/** A span as an exporter writes it. */
const exported = (span: Tracer.Span): string =>
  inspect(
    {
      name: span.name,
      attributes: Array.fromIterable(span.attributes),
      events: span instanceof Tracer.NativeSpan ? span.events : [],
      exit: span.status._tag === "Ended" && Exit.isFailure(span.status.exit) ? Cause.pretty(span.status.exit.cause) : ""
    },
    { depth: Infinity }
  )

/** A span with its status, which no exporter writes if the operation succeeded. */
const dumped = (span: Tracer.Span): string => exported(span) + inspect(span.status, { depth: Infinity })

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
        for (const span of spans) assertClean(dumped(span), "span")
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
  it.effect("has tokens that no way of printing it shows", () =>
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

describe("a secret that its owner has wiped", () => {
  it.effect("does no harm to later requests", () => {
    const token = Redacted.make(planted.entra)
    return Effect.gen(function* () {
      yield* read
      assert.isTrue(Redacted.wipeUnsafe(token))
      yield* read
      const { reason } = yield* Effect.flip(
        Effect.flatMap(ContainerRegistry, (own) => own.tagProperties("alpine", "v1"))
      )
      assert.strictEqual(reason._tag, "NotFound")
    }).pipe(
      Effect.provide(
        registry(
          (asked, count) =>
            asked.url.pathname.startsWith("/oauth2/") || asked.authorization === undefined
              ? quotesResource(200)(asked, count)
              : asked.url.pathname.endsWith("/alpine")
                ? properties()
                : quoting(404)(asked, count),
          { credentials: Credentials.layerEntra(Effect.succeed(token)), retry: never }
        )
      )
    )
  })

  it("is replaced if another one has the same text", () => {
    const remember = remembering()
    const earlier = Redacted.make(planted.entra)
    remember([earlier])
    assert.isTrue(Redacted.wipeUnsafe(earlier))
    const quote = makeQuote(remember([Redacted.make(planted.entra)]))
    assert.notInclude(quote.text(`it quotes ${planted.entra}`), planted.entra)
  })
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
    it.effect(`${name} does not show the state of its session or the signature of its link`, () => {
      const spans: Array<Tracer.Span> = []
      return Effect.gen(function* () {
        const error = yield* Effect.flip(transfer)
        assert.strictEqual(error.reason._tag, "Forbidden")
        for (const secret of [state, signature]) {
          for (const form of [secret, encodeURIComponent(secret)]) {
            for (const [way, text] of printed(error)) assert.notInclude(text, form, way)
            for (const span of spans) assert.notInclude(dumped(span), form)
          }
        }
        assert.isAtLeast(spans.length, 4)
      }).pipe(Effect.provide(content(storage, never)), Effect.provideService(Tracer.Tracer, collecting(spans)))
    })
  }
})

describe("a session", () => {
  const first = "planted-state-of-the-beginning"
  const begun = (parameter: string) =>
    new Response(null, { status: 202, headers: { location: `/s?${parameter}=${first}` } })
  const closes: ReadonlyArray<readonly [string, Script]> = [
    [
      "in a later answer",
      ({ method }) =>
        method === "PUT"
          ? json({ errors: [{ code: "DENIED", message: `begun with ${first}` }] }, { status: 403 })
          : new Response(null, { status: 202, headers: { location: "/s?_state=another", range: "0-6" } })
    ],
    [
      "in the path of a later address",
      ({ method }) =>
        method === "PUT"
          ? new Response(null, { status: 403 })
          : new Response(null, { status: 202, headers: { location: `/s/${first}?_state=another`, range: "0-6" } })
    ]
  ]
  for (const [where, close] of closes) {
    for (const [what, parameter] of [
      ["state", "_state"],
      ["signature", "sig"]
    ] as const) {
      it.effect(`does not show its earlier ${what} ${where}`, () => {
        const spans: Array<Tracer.Span> = []
        return Effect.gen(function* () {
          const service = yield* RegistryContent
          const error = yield* Effect.flip(service.uploadBlob("alpine", BlobSource.fromString("content")))
          assert.strictEqual(error.reason._tag, "Forbidden")
          for (const [way, text] of printed(error)) assert.notInclude(text, first, way)
          assert.include(spans.map(({ name }) => name).join(), "PUT")
          for (const span of spans) assert.notInclude(dumped(span), first)
        }).pipe(
          Effect.provide(
            content((asked, count) => (asked.method === "POST" ? begun(parameter) : close(asked, count)), never)
          ),
          Effect.provideService(Tracer.Tracer, collecting(spans))
        )
      })
    }
  }
})

/** Runs an effect and returns what it logged and traced. */
const watched = <A, E, R>(effect: Effect.Effect<A, E, R>) => {
  const spans: Array<Tracer.Span> = []
  const lines: Array<string> = []
  const logger = Logger.make((entry) => {
    lines.push(...printed(entry.message).map(([, text]) => text), Cause.pretty(entry.cause))
  })
  return effect.pipe(
    Effect.map((value) => ({ value, shown: [...lines, ...spans.map(exported)].filter((text) => text !== "") })),
    Effect.provideService(Tracer.Tracer, collecting(spans)),
    Effect.provideService(References.MinimumLogLevel, "All"),
    Effect.provide(Logger.layer([logger]))
  )
}

/** Answers a list with a warning that quotes a secret in one encoding. */
const warning =
  ({ write }: Spelling): Script =>
  (asked, count) => {
    if (asked.url.pathname.startsWith("/oauth2/") || asked.authorization === undefined) {
      return quotesResource(200)(asked, count)
    }
    const text = inHeader(write(planted.access)).replace(/["\\]/g, String.raw`\$&`)
    return json({ repositories: [] }, { headers: { warning: `299 - "deprecated for ${text}"` } })
  }

describe("a warning", () => {
  for (const spelled of spellings) {
    it.effect(`does not show a secret ${spelled.name}, in the log or to onWarning`, () => {
      const told: Array<string> = []
      return Effect.gen(function* () {
        const list = Effect.flatMap(ContainerRegistry, (registry) => Stream.runDrain(registry.repositories()))
        const { shown } = yield* watched(list)
        assert.strictEqual(told.length, 1)
        for (const text of [...told, ...shown]) assertClean(text, "shown")
        assert.include(told[0], "deprecated for")
      }).pipe(
        Effect.provide(
          registry(warning(spelled), {
            credentials: entra,
            retry: never,
            onWarning: (text) => Effect.sync(() => void told.push(text))
          })
        )
      )
    })
  }
})

describe("a warning in the answer that contains a secret", () => {
  const told: Array<string> = []
  const onWarning = (text: string) => Effect.sync(() => void told.push(text))
  const state = "planted-state-of-a-session"
  const warned = { warning: `299 - "issued ${planted.refresh} and ${planted.access} and ${state}"` }
  const location = `/v2/alpine/blobs/uploads/1?_nouploadcache=false&_state=${state}`

  const script =
    (status: number): Script =>
    ({ authorization, method, url }) => {
      if (url.pathname === "/oauth2/exchange") return json({ refresh_token: planted.refresh }, { headers: warned })
      if (url.pathname === "/oauth2/token") {
        const granted = status === 200 ? [planted.access] : planted.access
        return json({ access_token: granted, expires_in: 60 }, { headers: warned })
      }
      if (authorization === undefined) return challenge("repository:alpine:pull,push")
      return method === "POST"
        ? new Response(null, { status, headers: { location, ...warned } })
        : new Response(null, { status: 404 })
    }

  for (const [name, status] of [
    ["succeeds", 202],
    ["fails", 403],
    ["cannot be decoded", 200]
  ] as const) {
    it.effect(`does not show it if the answer ${name}`, () => {
      told.length = 0
      return Effect.gen(function* () {
        const service = yield* RegistryContent
        const upload = Effect.exit(service.uploadBlob("alpine", BlobSource.fromString("content")))
        const { shown, value } = yield* watched(upload)
        assert.isTrue(Exit.isFailure(value))
        // Later answers may quote secrets of an earlier answer, but their own secrets are not known yet.
        assert.isNotEmpty(told)
        assert.notInclude(told.join(" "), planted.refresh)
        if (status !== 200) assert.notInclude(told.at(-1), planted.access)
        if (status !== 200) assert.notInclude(told.at(-1), state)
        for (const text of shown) assert.notInclude(text, planted.refresh)
      }).pipe(
        Effect.provide(
          layerTransport().pipe(
            Layer.provide(registry(script(status), { credentials: entra, retry: never, onWarning }))
          )
        )
      )
    })
  }
})

/** Grants a token in an answer that cannot be decoded, with a warning that quotes the token. */
const undecodable: Script = ({ authorization, url }) => {
  if (url.pathname === "/oauth2/exchange") return json({ refresh_token: planted.refresh })
  if (url.pathname !== "/oauth2/token") return authorization === undefined ? challenge("registry:catalog:*") : json({})
  const headers = { warning: `299 - "issued ${planted.access}"` }
  return json({ access_token: [planted.access] }, { headers })
}

it.effect("a warning is not shown if the token of its answer cannot be decoded, as it may quote the token", () => {
  const told: Array<string> = []
  return Effect.gen(function* () {
    const list = Effect.flatMap(ContainerRegistry, (registry) => Stream.runDrain(registry.repositories()))
    const { shown } = yield* watched(Effect.exit(list))
    assert.deepStrictEqual(told, [])
    for (const text of shown) assertClean(text, "shown")
  }).pipe(
    Effect.provide(
      registry(undecodable, {
        credentials: entra,
        retry: never,
        onWarning: (text) => Effect.sync(() => void told.push(text))
      })
    )
  )
})

describe("a secret that contains escapes itself", () => {
  for (const secret of [
    "Planted&amp;%252Bsecret",
    "Planted\\\\\\u0041%2541secret",
    "Planted%2525secret\\x41",
    "planted%&\\secret%"
  ]) {
    for (const { name, write } of spellings) {
      it.effect(`${secret} is not shown ${name}`, () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(read)
          for (const [way, text] of printed(error)) {
            assert.notMatch(text, /secret%|[bx41]secret|5secret/i, way)
            assert.notMatch(text, /planted/i, way)
          }
          assert.include(error.message, "you sent [<redacted>].")
        }).pipe(
          Effect.provide(
            registry(
              ({ authorization }) =>
                authorization === undefined
                  ? new Response(null, { status: 401, headers: { "www-authenticate": "Basic" } })
                  : json({ errors: [{ code: "DENIED", message: `you sent [${write(secret)}].` }] }, { status: 403 }),
              {
                credentials: Credentials.layerPassword({ username: "u", password: Redacted.make(secret) }),
                retry: never
              }
            )
          )
        )
      )
    }
  }
})

describe("a secret between bytes that are not UTF-8", () => {
  for (const [before, after] of [
    ["", "%ff"],
    ["%ff", ""],
    ["%e4%bd", "%fe%ff"],
    ["\\xc3", "\\xa9\\xff"]
  ] as const) {
    it(`is replaced in ${before}…${after}`, () => {
      const secret = "p\u00e4ssw\u00f6rd-\u00e4\u00f6\u00e9"
      const quote = makeQuote([sought(Redacted.make(secret))])
      const bytes = Array.map(Array.fromIterable(Buffer.from(secret)), (byte) => `%${byte.toString(16)}`).join("")
      assert.strictEqual(
        quote.text(`a ${before}${encodeURIComponent(secret)}${after} b`),
        `a ${before}<redacted>${after} b`
      )
      assert.strictEqual(quote.text(`a ${before}${bytes}${after} b`), `a ${before}<redacted>${after} b`)
    })
  }
})

describe("a successful answer that cannot be decoded", () => {
  it.effect("does not show a secret that is one of its keys", () =>
    Effect.gen(function* () {
      const service = yield* RegistryContent
      const { shown, value } = yield* watched(service.manifest("alpine", "v1"))
      const problem = value.manifest._tag === "UnknownManifest" ? value.manifest.problem : ""
      assert.include(problem, "annotations")
      for (const text of [...shown, problem]) assertClean(text, "shown")
    }).pipe(
      Effect.provide(
        layerTransport().pipe(
          Layer.provide(
            registry(
              (asked, count) =>
                asked.url.pathname.startsWith("/oauth2/")
                  ? grants(asked, count)
                  : asked.authorization === undefined
                    ? challenge("repository:alpine:pull")
                    : new Response(
                        JSON.stringify({
                          schemaVersion: 2,
                          config: { mediaType: "a/b", digest: sha256("{}"), size: 2 },
                          layers: [],
                          annotations: { [asked.authorization]: 1 }
                        }),
                        { headers: { "content-type": "application/vnd.oci.image.manifest.v1+json" } }
                      ),
              { credentials: entra, retry: never }
            )
          )
        )
      )
    )
  )

  it.effect("does not show a secret that is a record of a list, left out with a warning", () =>
    Effect.gen(function* () {
      const service = yield* RegistryContent
      const { shown, value } = yield* watched(Stream.runCollect(service.tags("alpine")))
      assert.deepStrictEqual(value.map(String), ["v1"])
      assert.isTrue(shown.some((text) => text.includes("left out 1 of 2 records")))
      for (const text of shown) assertClean(text, "shown")
    }).pipe(
      Effect.provide(
        layerTransport().pipe(
          Layer.provide(
            registry(
              (asked, count) =>
                asked.url.pathname.startsWith("/oauth2/")
                  ? grants(asked, count)
                  : asked.authorization === undefined
                    ? challenge("repository:alpine:pull")
                    : json({ name: "alpine", tags: [asked.authorization, "v1"] }),
              { credentials: entra, retry: never }
            )
          )
        )
      )
    )
  )
})

const percent = (text: string, sign = "%") =>
  Array.map(text.split(""), (letter) => sign + letter.charCodeAt(0).toString(16)).join("")

describe("an address that a registry names", () => {
  const token = "planted.token+in-an-address"
  const accessToken = Credentials.layerAccessToken(Redacted.make(token))

  it.effect("does not show a secret in its path", () =>
    Effect.gen(function* () {
      const service = yield* ContainerRegistry
      const { shown, value } = yield* watched(Effect.flip(Stream.runCollect(service.repositories())))
      assert.strictEqual(value.reason._tag, "Forbidden")
      assertSilent(value)
      for (const text of shown) assertClean(text, "shown")
      assert.include(value.request?.url, "/next/")
    }).pipe(
      Effect.provide(
        registry(
          ({ authorization, url }) =>
            authorization === undefined
              ? challenge("registry:catalog:*")
              : url.pathname.startsWith("/next")
                ? new Response(null, { status: 403 })
                : json(
                    { repositories: [] },
                    { headers: { link: `</next/${encodeURIComponent(token)}/${token}>; rel="next"` } }
                  ),
          { credentials: accessToken, retry: never }
        )
      )
    )
  )

  it.effect("does not show a secret in the path of another host", () =>
    Effect.gen(function* () {
      const service = yield* RegistryContent
      const { shown, value } = yield* watched(Effect.flip(service.blobBytes("alpine", sha256("content"))))
      assert.strictEqual(value.reason._tag, "Forbidden")
      assertSilent(value)
      for (const text of shown) assertClean(text, "shown")
      assert.include(value.request?.url, "https://storage.example/")
    }).pipe(
      Effect.provide(
        layerTransport().pipe(
          Layer.provide(
            registry(
              ({ authorization, url }) =>
                url.origin !== endpoint
                  ? json({ errors: [{ code: "DENIED", message: url.pathname }] }, { status: 403 })
                  : authorization === undefined
                    ? challenge("repository:alpine:pull")
                    : new Response(null, {
                        status: 307,
                        headers: { location: `https://storage.example/${encodeURIComponent(authorization)}` }
                      }),
              { credentials: accessToken, retry: never }
            )
          )
        )
      )
    )
  )

  for (const [name, written] of [
    ["in base64", btoa(token)],
    ["in base64, after another byte", btoa(`x${token}`)],
    ["in hexadecimal", Buffer.from(token).toString("hex")],
    ["without its last character", token.slice(0, -1)],
    ["percent-encoded in each byte", percent(token)],
    ["percent-encoded twice", percent(token, "%25")]
  ] as const) {
    it.effect(`does not show a secret in its path ${name}`, () =>
      Effect.gen(function* () {
        const service = yield* RegistryContent
        const { shown, value } = yield* watched(Effect.flip(service.blobBytes("alpine", sha256("content"))))
        assert.strictEqual(value.reason._tag, "Forbidden")
        for (const text of [...printed(value).map(([, text]) => text), ...shown]) {
          assert.notInclude(text, written.slice(4, -4))
          assert.notInclude(text, "planted")
        }
        assert.include(value.request?.url, "https://storage.example")
      }).pipe(
        Effect.provide(
          layerTransport().pipe(
            Layer.provide(
              registry(
                ({ authorization, url }) =>
                  url.origin !== endpoint
                    ? new Response(null, { status: 403 })
                    : authorization === undefined
                      ? challenge("repository:alpine:pull")
                      : new Response(null, {
                          status: 307,
                          headers: { location: `https://storage.example/a%20b/${written}` }
                        }),
                { credentials: accessToken, retry: never }
              )
            )
          )
        )
      )
    )
  }

  for (const query of [
    "verify=1700000000-planted-signature%3D",
    "token=planted-signature",
    "%73ig=planted-signature",
    "jwt=planted-signature",
    "hdnea=exp~hmac=planted-signature",
    "x-oss-signature=planted-signature",
    "X-Artifactory-Sig=planted-signature",
    "Key-Pair-Id=K&Signature=planted-signature",
    "anything=planted-signature%2Band%2Fmore",
    "planted-signature"
  ]) {
    it.effect(`does not show the query ${query}, which storage quotes`, () =>
      Effect.gen(function* () {
        const service = yield* RegistryContent
        const { shown, value } = yield* watched(Effect.flip(service.blobBytes("alpine", sha256("content"))))
        assert.strictEqual(value.reason._tag, "Forbidden")
        assertSilent(value)
        for (const text of shown) assertClean(text, "shown")
        assert.include(value.message, "no access by https://storage.example/b?")
        assert.include(value.message, "<redacted>")
      }).pipe(
        Effect.provide(
          layerTransport().pipe(
            Layer.provide(
              registry(
                ({ authorization, url }) =>
                  url.origin !== endpoint
                    ? json({ errors: [{ code: "DENIED", message: `no access by ${url.href}` }] }, { status: 403 })
                    : authorization === undefined
                      ? challenge("repository:alpine:pull")
                      : new Response(null, {
                          status: 307,
                          headers: { location: `https://storage.example/b?se=2026&n=100&${query}` }
                        }),
                { credentials: accessToken, retry: never }
              )
            )
          )
        )
      )
    )
  }

  const proper = "Planted-Token-In-An-Address"
  for (const [name, header] of [
    ["scheme", `<${proper}:x>; rel="next"`],
    ["host", `<https://${proper}.example/x>; rel="next"`]
  ] as const) {
    it.effect(`does not show a secret that is the ${name} of a link to the next page`, () =>
      Effect.gen(function* () {
        const service = yield* ContainerRegistry
        const { shown, value } = yield* watched(Effect.flip(Stream.runCollect(service.repositories())))
        assert.strictEqual(value.reason._tag, "Refused")
        assertSilent(value)
        for (const text of shown) assertClean(text, "shown")
      }).pipe(
        Effect.provide(
          registry(
            ({ authorization }) =>
              authorization === undefined
                ? challenge("registry:catalog:*")
                : json({ repositories: [] }, { headers: { link: header } }),
            { credentials: Credentials.layerAccessToken(Redacted.make(proper)), retry: never }
          )
        )
      )
    )
  }

  for (const host of [
    proper,
    proper.replace("P", "\uff30"),
    proper.replace("-", "\u00ad-"),
    proper.replace("P", "%50")
  ]) {
    it.effect(`does not show a secret that is the host ${host} of a realm`, () =>
      Effect.gen(function* () {
        const { shown, value } = yield* watched(Effect.flip(read))
        assertSilent(value)
        for (const text of shown) assertClean(text, "shown")
      }).pipe(
        Effect.provide(
          layer({ endpoint, retry: never }).pipe(
            Layer.provide(
              Credentials.layerPassword({ username: "contoso", password: Redacted.make(proper.toLowerCase()) })
            ),
            Layer.provide(
              Layer.succeed(
                HttpClient.HttpClient,
                HttpClient.make((request) => {
                  const web = new Response(null, { status: 401, headers: { "www-authenticate": "Basic" } })
                  const response = HttpClientResponse.fromWeb(request, web)
                  if (request.headers["authorization"] === undefined) return Effect.succeed(response)
                  const headers = { "www-authenticate": `Bearer realm="https://${host}.example/t",service="x"` }
                  return Effect.succeed(Object.create(response, { headers: { value: headers } }))
                })
              )
            )
          )
        )
      )
    )
  }

  for (const scheme of [token, proper]) {
    it.effect(`does not show the secret ${scheme} that is its scheme`, () =>
      Effect.gen(function* () {
        const service = yield* RegistryContent
        const { shown, value } = yield* watched(
          Effect.flip(service.uploadBlob("alpine", BlobSource.fromString("content")))
        )
        assert.strictEqual(value.reason._tag, "Refused")
        assertSilent(value)
        for (const text of shown) assertClean(text, "shown")
      }).pipe(
        Effect.provide(
          layerTransport().pipe(
            Layer.provide(
              registry(
                ({ authorization }) =>
                  authorization === undefined
                    ? challenge("repository:alpine:pull,push")
                    : new Response(null, { status: 202, headers: { location: `${scheme}:to` } }),
                { credentials: Credentials.layerAccessToken(Redacted.make(scheme)), retry: never }
              )
            )
          )
        )
      )
    )
  }
})

describe("an error of the connection", () => {
  /** An HTTP client whose long message is cut inside a secret. */
  const cutting = HttpClient.make((request) => {
    const authorization = request.headers["authorization"]
    if (authorization === undefined) {
      const response = new Response(null, { status: 401, headers: { "www-authenticate": "Basic" } })
      return Effect.succeed(HttpClientResponse.fromWeb(request, response))
    }
    const login = atob(authorization.replace("Basic ", ""))
    const cause = new Error(`${".".repeat(285)}${login}`)
    return Effect.fail(
      new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request, cause }) })
    )
  })

  /** A runtime that quotes the header that it cannot send. */
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

  it.effect("does not show the start of a secret at which its message is cut", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(read)
      assert.strictEqual(error.reason._tag, "Unavailable")
      assertSilent(error)
    }).pipe(
      Effect.provide(
        layer({ endpoint, retry: never }).pipe(
          Layer.provide(
            Credentials.layerPassword({ username: "c", password: Redacted.make(`planted${"+".repeat(50)}`) })
          ),
          Layer.provide(Layer.succeed(HttpClient.HttpClient, cutting))
        )
      )
    )
  )

  it.effect("does not show the request", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(read)
      assert.strictEqual(error.reason._tag, "InvalidRequest")
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
