/**
 * What Azure's JavaScript client is known to stumble over: the same for it and for ours.
 */
import { createHash } from "node:crypto"
import { gzipSync } from "node:zlib"
import { ContainerRegistry } from "@effect-acr/client/ContainerRegistry"
import * as Credentials from "@effect-acr/client/Credentials"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as Registry from "@effect-acr/client/Registry"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import * as RetryPolicy from "@effect-acr/client/RetryPolicy"
import { AcrEmulator } from "@effect-acr/emulator"
import * as NodeRegistryHttpClient from "@effect-acr/node/NodeRegistryHttpClient"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { answer, type Hostile, listen, type Rule } from "../support/hostileRegistry.ts"

/** A registry in a state, and what a client sees of it afterwards. */
export interface Stage {
  readonly endpoint: string
  readonly certificate: string
  /** What the call is about. */
  readonly digest?: string
  /** Takes place between two calls. */
  readonly meanwhile?: Effect.Effect<void>
  /** What the registry saw: said with the outcome. */
  readonly seen: Effect.Effect<string>
}

export interface Scenario {
  readonly id: string
  readonly does: string
  /** The call of the other client. */
  readonly call: string
  readonly stage: Effect.Effect<Stage, never, Scope.Scope>
  /** The same with ours. */
  readonly ours: (stage: Stage) => Effect.Effect<string, RegistryError, Registry.Services>
}

const entraToken = Redacted.make("planted-entra-token")

/** What comes of a call of ours, in the words of the other. */
export const outcomeOf = (stage: Stage, scenario: Scenario): Effect.Effect<string> =>
  Effect.gen(function* () {
    const result = yield* Effect.result(
      scenario.ours(stage).pipe(
        Effect.provide(
          Registry.layer({
            endpoint: stage.endpoint,
            retry: { ...RetryPolicy.defaultPolicy, schedule: Schedule.recurs(1) },
            idleTimeout: "1 second"
          }).pipe(
            Layer.provide([
              Credentials.layerEntra(Effect.succeed(entraToken), { loginServers: ["127.0.0.1"] }),
              NodeRegistryHttpClient.layerOptions({ ca: stage.certificate })
            ])
          )
        )
      )
    )
    const word = Result.isSuccess(result) ? result.success : `fails: ${result.failure.reason._tag}`
    return word + (yield* stage.seen)
  })

const tag = (repository: string) =>
  Effect.flatMap(ContainerRegistry, (registry) => registry.tagProperties(repository, "v1"))

const list = Effect.flatMap(ContainerRegistry, (registry) =>
  Effect.as(Stream.runDrain(registry.repositories()), "is read")
)

const download = ({ digest = "" }: Stage) =>
  Effect.flatMap(RegistryContent, (service) =>
    Effect.map(service.blobBytes("a", digest), ({ length }) => `is read, ${length} bytes`)
  )

/* Stages */

const nothing = Effect.succeed("")

/** The emulator with two repositories. */
const emulator = (
  options: AcrEmulator.Options,
  after: (running: AcrEmulator.Service) => Pick<Stage, "meanwhile" | "seen">
): Effect.Effect<Stage, never, Scope.Scope> =>
  Effect.orDie(
    Effect.gen(function* () {
      const running = yield* AcrEmulator.make({ https: true, entraToken, ...options })
      for (const repository of ["a", "b"]) yield* running.seed({ repository, tags: ["v1"] })
      return { endpoint: running.endpoint, certificate: Option.getOrThrow(running.certificate), ...after(running) }
    })
  )

const counting = ({ journal }: AcrEmulator.Service) => ({
  seen: Effect.map(journal, (entries) => `, with ${entries.length} requests`)
})

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url")

/** A token that both clients can read. */
const jwt = (name: string): string =>
  [part({ alg: "none" }), part({ name, iat: 1_700_000_000, exp: Math.floor(Date.now() / 1000) + 3600 }), "x"].join(".")

const json = (value: object) => answer(200, { "Content-Type": "application/json" }, JSON.stringify(value))

/** ACR's token service in front of rules. */
const behindOAuth =
  (rules: (endpoint: string) => ReadonlyArray<Rule>) =>
  (endpoint: string): ReadonlyArray<Rule> => [
    { on: /^POST \/oauth2\/exchange/, send: [json({ refresh_token: jwt("refresh") })] },
    { on: /^POST \/oauth2\/token/, send: [json({ access_token: jwt("access") })] },
    ...rules(endpoint)
  ]

/** A challenge for requests without a token; the rest is for the rules that follow. */
const challenging = (endpoint: string, rules: ReadonlyArray<Rule>): ReadonlyArray<Rule> => [
  {
    on: /^(?:GET|HEAD) /,
    times: 1,
    send: [
      answer(401, {
        "WWW-Authenticate": `Bearer realm="${endpoint}/oauth2/token",service="s",scope="repository:a:pull"`
      })
    ]
  },
  ...rules
]

const hasToken = ({ asked }: Hostile): boolean => asked.some(({ headers }) => headers["authorization"] !== undefined)

/** A registry that leads to another host, which is watched. */
const leading = (
  from: (elsewhere: string) => ReadonlyArray<Rule>,
  to: (endpoint: string) => ReadonlyArray<Rule>
): Effect.Effect<Stage, never, Scope.Scope> =>
  Effect.gen(function* () {
    const elsewhere = yield* listen(to, { tls: true })
    const registry = yield* listen(
      behindOAuth((endpoint) => challenging(endpoint, from(elsewhere.endpoint))),
      { tls: true }
    )
    return {
      endpoint: registry.endpoint,
      // Both are trusted: what counts is what is sent.
      certificate: `${registry.certificate}\n${elsewhere.certificate}`,
      digest: `sha256:${"0".repeat(64)}`,
      seen: Effect.sync(() => (hasToken(elsewhere) ? ", and **sends a token to the other host**" : ""))
    }
  })

const bytes = Buffer.from("the bytes of a blob")
const sha = (algorithm: "sha256" | "sha512"): string =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`
const body = bytes.toString()

/** A registry that serves one blob, somehow. */
const serving = (
  send: (endpoint: string) => ReadonlyArray<Rule>,
  algorithm: "sha256" | "sha512" = "sha256"
): Effect.Effect<Stage, never, Scope.Scope> =>
  Effect.map(
    listen(
      behindOAuth((endpoint) => challenging(endpoint, send(endpoint))),
      { tls: true }
    ),
    ({ certificate, endpoint }) => ({ endpoint, certificate, digest: sha(algorithm), seen: nothing })
  )

const ofBlob = /^GET \/v2\/a\/blobs\//
const half = body.slice(0, 9)
const rest = answer(206, { "Content-Range": `bytes 9-${body.length - 1}/${body.length}` }, body.slice(9))

const claims = Buffer.from(JSON.stringify({ access_token: {} })).toString("base64")

/* Scenarios */

export const scenarios: ReadonlyArray<Scenario> = [
  {
    id: "A1",
    does: "ten reads that alternate between two repositories",
    call: "alternate",
    stage: emulator({}, counting),
    ours: () =>
      Effect.as(
        Effect.forEach(
          Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? "a" : "b")),
          tag
        ),
        "is read"
      )
  },
  {
    id: "A2",
    does: "twenty reads of one repository at once",
    call: "parallel",
    stage: emulator({}, counting),
    ours: () => Effect.as(Effect.forEach(Array(20).fill("a"), tag, { concurrency: "unbounded" }), "is read")
  },
  {
    id: "A3",
    does: "a redirect to a host that demands claims of the identity's own token",
    call: "download",
    stage: leading(
      (elsewhere) => [{ on: ofBlob, send: [answer(307, { Location: `${elsewhere}/blob` })] }],
      () => [
        {
          on: /./,
          send: [
            answer(401, {
              "WWW-Authenticate": `Bearer realm="", error="insufficient_claims", claims="${claims}"`
            })
          ]
        }
      ]
    ),
    ours: download
  },
  {
    id: "A3",
    does: "a redirect to a host that demands a token with a scope of its choice",
    call: "downloadAgain",
    stage: leading(
      (elsewhere) => [{ on: ofBlob, send: [answer(307, { Location: `${elsewhere}/blob` })] }],
      (endpoint) => [
        {
          on: /./,
          send: [
            answer(401, {
              "WWW-Authenticate": `Bearer realm="${endpoint}/oauth2/token",service="s",scope="registry:catalog:*"`
            })
          ]
        }
      ]
    ),
    ours: (stage) => Effect.andThen(Effect.exit(download(stage)), download(stage))
  },
  {
    id: "A4",
    does: "a list whose next page is on another host",
    call: "list",
    stage: leading(
      (elsewhere) => [
        {
          on: /^GET \/acr\/v1\/_catalog/,
          send: [
            answer(
              200,
              { "Content-Type": "application/json", Link: `<${elsewhere}/acr/v1/_catalog?last=a>; rel="next"` },
              '{"repositories":["a"]}'
            )
          ]
        }
      ],
      () => [{ on: /./, send: [json({ repositories: [] })] }]
    ),
    ours: () => list
  },
  {
    id: "A5",
    does: "a refresh token that the registry revokes",
    call: "again",
    stage: emulator({}, ({ revokeAccessTokens, revokeRefreshTokens }) => ({
      meanwhile: Effect.andThen(revokeRefreshTokens, revokeAccessTokens),
      seen: nothing
    })),
    ours: ({ meanwhile = Effect.void }) =>
      tag("a").pipe(Effect.andThen(meanwhile), Effect.andThen(tag("a")), Effect.as("is read"))
  },
  {
    id: "A6",
    does: "a refresh token that expires while the registry's token service is down",
    call: "background",
    stage: emulator({ refreshTokenLifetime: "5 seconds" }, ({ inject, revokeAccessTokens }) => ({
      meanwhile: Effect.andThen(
        revokeAccessTokens,
        inject({ path: "/oauth2/exchange", times: 1000, consequence: { _tag: "Reset" } })
      ),
      seen: nothing
    })),
    ours: ({ meanwhile = Effect.void }) =>
      tag("a").pipe(
        Effect.andThen(meanwhile),
        Effect.andThen(Effect.exit(tag("a"))),
        Effect.andThen(Effect.sleep("6 seconds")),
        Effect.as("goes on")
      )
  },
  {
    id: "A7",
    does: "a call that is aborted while the credential acquires a token",
    call: "abort",
    stage: emulator({}, () => ({ seen: nothing })),
    ours: ({ certificate, endpoint }) =>
      Effect.gen(function* () {
        const asked = yield* Deferred.make<void>()
        const Waiting = Registry.layer({ endpoint }).pipe(
          Layer.provide([
            Credentials.layerEntra(Effect.andThen(Deferred.succeed(asked, undefined), Effect.never), {
              loginServers: ["127.0.0.1"]
            }),
            NodeRegistryHttpClient.layerOptions({ ca: certificate })
          ])
        )
        const fiber = yield* Effect.forkChild(Effect.provide(tag("a"), Waiting))
        yield* Deferred.await(asked)
        yield* Fiber.interrupt(fiber)
        return "ends at once"
      })
  },
  {
    id: "A8",
    does: "a custom credential",
    call: "told",
    stage: emulator({}, () => ({ seen: nothing })),
    ours: () => list
  },
  {
    id: "D1",
    does: "a corrupted blob",
    call: "download",
    stage: serving(() => [{ on: ofBlob, send: [answer(200, {}, body.replace("blob", "blub"))] }]),
    ours: download
  },
  {
    id: "D2",
    does: "a connection that breaks in the middle of a blob",
    call: "download",
    stage: serving(() => [
      { on: ofBlob, times: 1, send: [`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${half}`, "<reset>"] },
      { on: ofBlob, send: [rest] }
    ]),
    ours: download
  },
  {
    id: "D3",
    does: "a connection that stalls in the middle of a blob",
    call: "download",
    stage: serving(() => [
      { on: ofBlob, times: 1, send: [`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${half}`, "<hold>"] },
      { on: ofBlob, send: [rest] }
    ]),
    ours: download
  },
  {
    id: "D4",
    does: "a blob without a length",
    call: "download",
    stage: serving(() => [
      {
        on: ofBlob,
        send: [
          `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
        ]
      }
    ]),
    ours: download
  },
  {
    id: "D5",
    does: "a blob that is compressed in transit, unasked",
    call: "download",
    stage: serving(() => {
      const compressed = gzipSync(bytes)
      const head = `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${compressed.length}\r\n\r\n`
      return [{ on: ofBlob, send: [head, compressed] }]
    }),
    ours: download
  },
  {
    id: "D6",
    does: "the same, with a broken connection",
    call: "download",
    stage: serving(() => {
      const compressed = gzipSync(bytes)
      const head = `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${compressed.length}\r\n\r\n`
      return [{ on: ofBlob, send: [head, compressed.subarray(0, 15), "<reset>"] }]
    }),
    ours: download
  },
  {
    id: "D7",
    does: "a link to storage that expires before the retry",
    call: "download",
    stage: Effect.gen(function* () {
      const storage = yield* listen(
        () => [
          { on: /old/, times: 1, send: [answer(503)] },
          { on: /old/, send: [answer(403, {}, "<Error>expired</Error>")] },
          { on: /new/, send: [answer(200, {}, body)] }
        ],
        { tls: true }
      )
      const stage = yield* serving(() => [
        { on: ofBlob, times: 1, send: [answer(307, { Location: `${storage.endpoint}/old` })] },
        { on: ofBlob, send: [answer(307, { Location: `${storage.endpoint}/new` })] }
      ])
      return { ...stage, certificate: `${stage.certificate}\n${storage.certificate}` }
    }),
    ours: download
  },
  {
    id: "D8",
    does: "a blob by its sha512 digest",
    call: "download",
    stage: serving(
      () => [{ on: ofBlob, send: [answer(200, { "Docker-Content-Digest": sha("sha512") }, body)] }],
      "sha512"
    ),
    ours: download
  }
]
