/**
 * Cases about the emulator itself: what a folder that keeps its registry costs, and whether it can go on for long.
 */
import { createHash } from "node:crypto"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { Pool } from "undici"
import { temporaryFolder } from "../support/command.ts"
import { type Case, mebibyte } from "./case.ts"
import type { Figure } from "./report.ts"
import { kept } from "./servers.ts"

const mediaType = "application/vnd.oci.image.manifest.v1+json"

const authorization = `Basic ${btoa("admin:bench")}`

const digestOf = (content: string): string => `sha256:${createHash("sha256").update(content).digest("hex")}`

const manifestOf = (config: string, name: string): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType,
    config: {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: digestOf(config),
      size: Buffer.byteLength(config)
    },
    layers: [],
    annotations: { name }
  })

/** Sends a request, and reads its answer to the end. */
const send = async (
  pool: Pool,
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  body: string | null = null,
  type = "application/octet-stream"
) => {
  const {
    body: content,
    headers,
    statusCode
  } = await pool.request({
    method,
    path,
    body,
    headers: { authorization, "content-type": type }
  })
  const text = await content.text()
  if (statusCode >= 500) throw new Error(`${method} ${path} is answered ${statusCode} ${text}`)
  return { status: statusCode, headers, text }
}

const pushBlob = (pool: Pool, repository: string, content: string) =>
  send(pool, "POST", `/v2/${repository}/blobs/uploads/?digest=${digestOf(content)}`, content)

const pushManifest = (pool: Pool, repository: string, tag: string, manifest: string) =>
  send(pool, "PUT", `/v2/${repository}/manifests/${tag}`, manifest, mediaType)

const poolOf = (endpoint: string, connections: number) =>
  Effect.acquireRelease(
    Effect.sync(() => new Pool(endpoint, { connections })),
    (pool) => Effect.promise(() => pool.close())
  )

const secondsOf = async (work: () => Promise<unknown>): Promise<number> => {
  const begin = performance.now()
  await work()
  return (performance.now() - begin) / 1000
}

const repeat = async (times: number, work: (at: number) => Promise<unknown>): Promise<void> => {
  for (let at = 0; at < times; at++) await work(at)
}

/** How many tags there are, as in the report that this case comes from. */
const tags = 20_000

const requests = 400

/** What is asked of both, each round anew. */
const works: { readonly [name: string]: (pool: Pool, round: number) => Promise<unknown> } = {
  pushes: (pool, round) =>
    repeat(requests, (at) => pushManifest(pool, "bench", `new-${round}-${at}`, manifestOf("{}", `${round} ${at}`))),
  pulls: (pool) => repeat(requests, (at) => send(pool, "GET", `/v2/bench/manifests/v${at}`)),
  "pages of a thousand manifests": (pool) => repeat(20, () => send(pool, "GET", "/acr/v1/bench/_manifests?n=1000"))
}

/** Work as a turn of a contestant. */
const timed = (work: (round: number) => Promise<unknown>) => (round: number) =>
  Effect.map(
    Effect.promise(() => secondsOf(() => work(round))),
    (seconds) => ({ seconds, peakRssBytes: 0 })
  )

const keptCase: Case = {
  name: "emulator-directory",
  title: `requests to an emulator with ${tags.toLocaleString("en")} tags, kept in a folder and not`,
  run: Effect.fnUntraced(function* (turns) {
    const directory = join(yield* temporaryFolder, "registry")
    const [folder, memory, small] = yield* Effect.forEach(
      [{ directory, tags }, { tags }, { tags: 1000 }],
      (options) => Effect.flatMap(kept(options), (endpoint) => poolOf(endpoint, 1)),
      { concurrency: 2 }
    )
    if (folder === undefined || memory === undefined || small === undefined) return []
    yield* Effect.promise(() => Promise.all([folder, memory].map((pool) => pushBlob(pool, "bench", "{}"))))
    const figures: Array<Figure> = []
    const compare = Effect.fnUntraced(function* (
      what: string,
      atMost: number,
      one: (round: number) => Promise<unknown>,
      other: (round: number) => Promise<unknown>
    ) {
      // Before the clock runs, both are compiled.
      yield* Effect.promise(() => one(-1))
      yield* Effect.promise(() => other(-1))
      // Two that are compared have the places of contestants.
      const { effect = [], ours = [] } = yield* turns({ ours: timed(one), effect: timed(other) })
      const values = ours.flatMap(({ seconds }, round) => {
        const than = effect[round]
        return than === undefined ? [] : [seconds / than.seconds]
      })
      figures.push({ what, values, unit: "×", atMost })
    })
    for (const [name, work] of Object.entries(works)) {
      yield* compare(
        `time of ${name}, folder ÷ memory`,
        1.5,
        (round) => work(folder, round),
        (round) => work(memory, round)
      )
    }
    const list = works["pages of a thousand manifests"]
    if (list !== undefined) {
      yield* compare(
        "time of a page, 20,000 tags ÷ 1,000 tags",
        2,
        () => list(memory, 0),
        () => list(small, 0)
      )
    }
    return figures
  })
}

const clients = 64

/** How many tags of each client are there at a time. */
const tagsPerClient = 16

/** What one client does: it pushes, pulls, lists, deletes, and leaves an upload behind now and then. */
const step = async (pool: Pool, host: string, client: number, at: number): Promise<number> => {
  const repository = `client-${client % 8}`
  const tag = `t-${client}-${at % tagsPerClient}`
  const config = JSON.stringify({ architecture: "amd64", os: "linux", client, at, filler: "x".repeat(at % 20_000) })
  const before = await send(pool, "GET", `/v2/${repository}/manifests/${tag}`)
  await pushBlob(pool, repository, config)
  await pushManifest(pool, repository, tag, manifestOf(config, `${client} ${at}`))
  if (before.status === 200) await send(pool, "DELETE", `/v2/${repository}/manifests/${digestOf(before.text)}`)
  await send(pool, "GET", `/v2/${repository}/blobs/${digestOf(config)}`)
  await send(pool, "GET", `/acr/v1/${repository}/_manifests?n=20`)
  await send(pool, "GET", `/oauth2/token?service=${host}&scope=repository:${repository}:pull`)
  if (at % 10 === 0) await send(pool, "POST", `/v2/${repository}/blobs/uploads/`)
  return 7
}

const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** How much larger the values of the last sixth are than those of the sixth after the first third. */
const growth = (values: ReadonlyArray<number>): number => {
  const sixth = Math.floor(values.length / 6)
  return mean(values.slice(-sixth)) - mean(values.slice(2 * sixth, 3 * sixth))
}

/** The emulator under load for a while. Its clock runs so fast that what it forgets after a day is forgotten in it. */
export const soak = (seconds: number): Case => ({
  name: "soak",
  title: `${clients} clients of one emulator for ${seconds} seconds`,
  isAlone: true,
  run: Effect.fnUntraced(function* () {
    const home = yield* temporaryFolder
    const samples = join(home, "samples")
    const endpoint = yield* kept({ directory: join(home, "registry"), samples })
    const pool = yield* poolOf(endpoint, clients)
    const until = performance.now() + seconds * 1000
    let done = 0
    const { host } = new URL(endpoint)
    const work = async (client: number): Promise<void> => {
      for (let at = 0; performance.now() < until; at++) {
        const sent = await step(pool, host, client, at)
        done += sent
      }
    }
    yield* Effect.promise(() => Promise.all(Array.from({ length: clients }, (_, client) => work(client))))
    const text = yield* Effect.promise(() => readFile(samples, "utf8"))
    const rows = text
      .trim()
      .split("\n")
      .map((line) => line.split(" ").map((bytes) => Number(bytes) / mebibyte))
    const heap = rows.map(([used = 0]) => used)
    const whole = rows.map(([, rss = 0]) => rss)
    return [
      { what: "requests", values: [done], unit: "requests" },
      { what: "heap without garbage, at the end − after a third", values: [growth(heap)], unit: "MiB", atMost: 4 },
      { what: "memory of the process, the same", values: [growth(whole)], unit: "MiB", atMost: 32 },
      { what: "memory of the process, at most", values: [Math.max(...whole)], unit: "MiB" }
    ]
  })
})

export const emulators: ReadonlyArray<Case> = [keptCase]
