/**
 * What the contestants talk to: processes of their own, started for a case and ended with it.
 */
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { NodeRegistryHttpClient } from "@effect-acr/node"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HttpClient from "effect/http/HttpClient"
import { generate } from "selfsigned"
import { temporaryFolder } from "../support/command.ts"
import * as DockerRegistry from "../support/dockerRegistry.ts"

/** A registry, as jobs name it. */
export interface Server {
  readonly endpoint: string
  /** A file with the certificate to trust. */
  readonly ca?: string
}

/** A server that ended before it listened. */
class ServerEnded extends Data.TaggedError("ServerEnded")<{ readonly server: string }> {}

const script = (name: string) => fileURLToPath(new URL(`servers/${name}.ts`, import.meta.url))

/** Starts a server and waits for the line that tells where it is. */
const start = (name: string, args: ReadonlyArray<string>, nodeArguments: ReadonlyArray<string> = []) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly line: string; readonly stop: Effect.Effect<void> }, ServerEnded>((resume) => {
      const child = spawn(process.execPath, [...nodeArguments, script(name), ...args], {
        stdio: ["ignore", "pipe", "inherit"]
      })
      const ended = new Promise<void>((resolve) => child.once("close", () => resolve()))
      const stop = Effect.promise(() => {
        child.kill()
        return ended
      })
      createInterface({ input: child.stdout }).once("line", (line) => resume(Effect.succeed({ line, stop })))
      void ended.then(() => resume(new ServerEnded({ server: name })))
    }),
    ({ stop }) => stop
  ).pipe(Effect.map(({ line }) => line))

/** A long stretch of wire to a port: returns the port of its other end. */
export const delayed = (port: string, roundTripMillis: number) => start("delay", [port, String(roundTripMillis)])

const certificate = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  const files = { cert: join(folder, "certificate.pem"), key: join(folder, "key.pem") }
  yield* Effect.promise(async () => {
    const { cert, private: key } = await generate([{ name: "commonName", value: "localhost" }], {
      keyType: "rsa",
      keySize: 2048,
      algorithm: "sha256",
      extensions: [{ name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }]
    })
    await writeFile(files.cert, cert)
    await writeFile(files.key, key)
  })
  return files
})

/** The least that a registry can be, over TLS. Its blobs have these sizes; its lists hold so many items. */
export const limit = Effect.fnUntraced(function* (
  options: { readonly sizes?: ReadonlyArray<number>; readonly items?: number; readonly latencyMillis?: number } = {}
) {
  const { items = 0, latencyMillis = 0, sizes = [] } = options
  const tls = yield* certificate
  const port = yield* start("limit", [JSON.stringify({ sizes, items, tls })])
  const end = latencyMillis === 0 ? port : yield* delayed(port, latencyMillis)
  return { endpoint: `https://127.0.0.1:${end}`, ca: tls.cert } satisfies Server
})

/** A repository of many manifests, which can be deleted. It has no TLS: what is measured is what retention does itself. */
export const repository = Effect.fnUntraced(function* (options: {
  readonly releases: number
  readonly old: number
  readonly dockerImages: number
  readonly tagsPerImage: number
  readonly pushesAtDeletion?: number
}) {
  const port = yield* start("repository", [JSON.stringify(options)])
  return { endpoint: `http://127.0.0.1:${port}` } satisfies Server
})

/** How many requests that server has had. */
export const requestsOf = ({ ca, endpoint }: Server): Effect.Effect<number, unknown> =>
  HttpClient.get(`${endpoint}/requests`).pipe(
    Effect.flatMap((response) => response.text),
    Effect.map(Number),
    Effect.provide(NodeRegistryHttpClient.layerOptions(ca === undefined ? {} : { ca: readFileSync(ca, "utf8") }))
  )

/** The emulator over TLS, whose repository has so many tags, each on a manifest of its own. */
export const emulator = Effect.fnUntraced(function* (repository: string, count: number) {
  const ca = join(yield* temporaryFolder, "certificate.pem")
  const endpoint = yield* start("emulator", [repository, String(count), ca])
  return { endpoint, ca } satisfies Server
})

/** The emulator without TLS, with so many tags in the repository `bench` or in several, and its memory in a file of samples. */
export const kept = (options: {
  readonly directory?: string
  readonly tags?: number
  readonly perRepository?: number
  readonly samples?: string
}) => start("kept", [JSON.stringify(options)], ["--expose-gc"])

/** docker-registry, which lets everybody do everything. */
export const dockerRegistry = Effect.gen(function* () {
  const running = yield* Layer.build(DockerRegistry.layer({ access: "anonymous", relativeUrls: true }))
  const { certificate, endpoint, loginServer } = Context.get(running, DockerRegistry.DockerRegistry)
  const ca = join(yield* temporaryFolder, "certificate.pem")
  yield* Effect.promise(() => writeFile(ca, certificate))
  return { endpoint, ca, certificate, loginServer }
})

/** Version 3 of the same without TLS, beside the folder of all that it holds. */
export const distribution = Effect.gen(function* () {
  const running = yield* Layer.build(
    DockerRegistry.layer({ version: "3", access: "anonymous", relativeUrls: true, plainHttp: true })
  )
  const { loginServer, storage } = Context.get(running, DockerRegistry.DockerRegistry)
  return { loginServer, storage }
})
