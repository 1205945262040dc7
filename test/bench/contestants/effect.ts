/**
 * Effect without this library: its HTTP client and its schemas, without errors of a registry, retries, credentials or
 * limits. What it takes is what any client on Effect takes at least.
 */
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as HttpClient from "effect/http/HttpClient"
import { Agent } from "undici"
import { manifestType } from "../image.ts"
import { compete, expectCount, type JobOf, type RegistryJob, warmUpReads, type Work } from "../job.ts"

const Descriptor = Schema.Struct({ mediaType: Schema.String, digest: Schema.String, size: Schema.Natural })

const decodeManifest = Schema.decodeUnknownEffect(
  Schema.fromJsonString(
    Schema.Struct({
      schemaVersion: Schema.Literal(2),
      mediaType: Schema.String,
      config: Descriptor,
      layers: Schema.Array(Descriptor)
    })
  )
)

const item = {
  createdTime: Schema.DateTimeUtcFromString,
  lastUpdateTime: Schema.DateTimeUtcFromString,
  changeableAttributes: Schema.Struct({
    deleteEnabled: Schema.Boolean,
    writeEnabled: Schema.Boolean,
    listEnabled: Schema.Boolean,
    readEnabled: Schema.Boolean
  }),
  digest: Schema.String
}

/** A page of either list: the other one is not there. */
const decodePage = Schema.decodeUnknownEffect(
  Schema.fromJsonString(
    Schema.Struct({
      tags: Schema.optionalKey(Schema.Array(Schema.Struct({ ...item, name: Schema.String }))),
      manifests: Schema.optionalKey(
        Schema.Array(Schema.Struct({ ...item, mediaType: Schema.String, tags: Schema.Array(Schema.String) }))
      )
    })
  )
)

const Token = Schema.fromJsonString(Schema.Struct({ access_token: Schema.String }))

const textOf = (client: HttpClient.HttpClient, url: string, headers: Record<string, string> = {}) =>
  Effect.flatMap(client.get(url, { headers }), (response) =>
    Effect.map(response.text, (text) => ({ text, link: response.headers["link"] }))
  )

const list = Effect.fnUntraced(function* (
  client: HttpClient.HttpClient,
  { count, endpoint, query = "", repository }: JobOf<"ListTags"> | JobOf<"ListManifests">,
  what: "tags" | "manifests"
) {
  const scope = `repository:${repository}:metadata_read`
  const service = new URL(endpoint).host
  const { text: token } = yield* textOf(client, `${endpoint}/oauth2/token?service=${service}&scope=${scope}`)
  const { access_token } = token === "" ? { access_token: "" } : yield* Schema.decodeEffect(Token)(token)
  const pages = Stream.paginate(`/acr/v1/${repository}/_${what}${query}`, (path) =>
    Effect.gen(function* () {
      const { link, text } = yield* textOf(client, endpoint + path, { authorization: `Bearer ${access_token}` })
      const items: ReadonlyArray<unknown> = (yield* decodePage(text))[what] ?? []
      return [items, Option.fromUndefinedOr(/^<([^>]*)>/.exec(link ?? "")?.[1])] as const
    })
  )
  let seen = 0
  yield* Stream.runForEachArray(pages, (page) =>
    Effect.sync(() => {
      seen += page.length
    })
  )
  expectCount(seen, count)
})

const read = (client: HttpClient.HttpClient, { endpoint, repository, tag }: JobOf<"ReadManifests">) =>
  Effect.gen(function* () {
    const url = `${endpoint}/v2/${repository}/manifests/${tag}`
    const response = yield* client.get(url, { headers: { accept: manifestType } })
    const bytes = new Uint8Array(yield* response.arrayBuffer)
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`
    if (digest !== response.headers["docker-content-digest"]) return yield* Effect.die("other content")
    return yield* decodeManifest(new TextDecoder().decode(bytes))
  })

const prepare = async (job: RegistryJob): Promise<Work> => {
  const connect = job.ca === undefined ? {} : { ca: readFileSync(job.ca, "utf8") }
  const runtime = ManagedRuntime.make(
    NodeHttpClient.layerUndiciNoDispatcher.pipe(
      Layer.provide(Layer.succeed(NodeHttpClient.Dispatcher, new Agent({ allowH2: false, connect })))
    )
  )
  const client = await runtime.runPromise(HttpClient.HttpClient)
  switch (job._tag) {
    case "ListTags":
      return () => runtime.runPromise(list(client, job, "tags"))
    case "ListManifests":
      return () => runtime.runPromise(list(client, job, "manifests"))
    case "ReadManifests": {
      const reads = (times: number) =>
        Effect.forEach(Array.from({ length: times }), () => read(client, job), {
          concurrency: job.width,
          discard: true
        })
      await runtime.runPromise(reads(warmUpReads))
      return () => runtime.runPromise(reads(job.count))
    }
    default:
      throw new Error(`no ${job._tag}`)
  }
}

await compete(prepare)
