/**
 * kill -9 under load: every confirmed change exists afterwards.
 */
import * as NodeRegistryHttpClient from "@effect-acr/node/NodeRegistryHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import { digestOf } from "./support/content.ts"
import { folder } from "./support/folder.ts"
import { manifestOf, mediaType } from "./support/images.ts"
import { authorization, start } from "./support/process.ts"

const headers = { authorization }

const statusOf = <E, R>(request: Effect.Effect<{ readonly status: number }, E, R>) =>
  Effect.map(request, ({ status }) => status)

const pushBlob = (endpoint: string, content: string) =>
  statusOf(
    HttpClient.post(`${endpoint}/v2/a/blobs/uploads/?digest=${digestOf(content)}`, {
      headers,
      body: HttpBody.text(content, "application/octet-stream")
    })
  )

const pushTag = (endpoint: string, tag: string, content: string) =>
  statusOf(
    HttpClient.put(`${endpoint}/v2/a/manifests/${tag}`, {
      headers,
      body: HttpBody.uint8Array(Buffer.from(manifestOf(content)), mediaType)
    })
  )

const removeTag = (endpoint: string, tag: string) =>
  statusOf(HttpClient.del(`${endpoint}/acr/v1/a/_tags/${tag}`, { headers }))

const digestAt = (endpoint: string, tag: string) =>
  Effect.gen(function* () {
    const { headers: found, status } = yield* HttpClient.get(`${endpoint}/v2/a/manifests/${tag}`, { headers })
    return status === 200 ? found["docker-content-digest"] : undefined
  })

/** How many clients push at the same time. Each has a tag of its own. */
const clients = Array.from({ length: 8 }, (_, at) => `client-${at}`)

describe("an emulator that is killed while clients push", () => {
  it.live(
    "has everything that it answered when it starts again",
    () =>
      Effect.gen(function* () {
        const directory = yield* folder
        /** The last answered state of each tag. */
        const answered = new Map<string, string | undefined>()
        const contents = new Set<string>()
        for (const round of [1, 2]) {
          /** The states that an unanswered request may have left. */
          const possible = new Map<string, string | undefined>()
          yield* Effect.scoped(
            Effect.gen(function* () {
              const { endpoint, kill } = yield* start(directory)
              yield* pushBlob(endpoint, "{}")
              const enough = yield* Deferred.make<void>()
              let answers = 0
              const pushing = Effect.fnUntraced(function* (tag: string) {
                for (let at = 0; ; at++) {
                  const content = `${tag} ${round} ${at}`
                  assert.strictEqual(yield* pushBlob(endpoint, content), 201)
                  contents.add(content)
                  const isRemoval = at % 5 === 4
                  const digest = isRemoval ? undefined : digestOf(manifestOf(content))
                  possible.set(tag, digest)
                  const status = yield* isRemoval ? removeTag(endpoint, tag) : pushTag(endpoint, tag, content)
                  assert.strictEqual(status, isRemoval ? 202 : 201)
                  answered.set(tag, digest)
                  answers += 1
                  if (answers === 150) yield* Deferred.succeed(enough, undefined)
                }
              })
              yield* Effect.forEach(clients, (tag) => Effect.forkChild(Effect.ignore(pushing(tag))))
              yield* Deferred.await(enough)
              yield* kill
            })
          )
          yield* Effect.scoped(
            Effect.gen(function* () {
              const { endpoint } = yield* start(directory)
              for (const tag of clients) {
                const found = yield* digestAt(endpoint, tag)
                assert.include([answered.get(tag), possible.get(tag)], found, tag)
                answered.set(tag, found)
              }
              const missing = yield* Effect.filter(contents, (content) =>
                Effect.map(
                  HttpClient.head(`${endpoint}/v2/a/blobs/${digestOf(content)}`, { headers }),
                  ({ status }) => status !== 200
                )
              )
              assert.deepStrictEqual(missing, [])
            })
          )
        }
      }).pipe(Effect.provide(NodeRegistryHttpClient.layer)),
    60_000
  )
})
