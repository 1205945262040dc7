/**
 * The same artifacts from one registry to another by a migration and by other tools: what it takes, and what is missing
 * afterwards. Both registries are emulators in this process, which count.
 */
import { createHash } from "node:crypto"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import * as MediaType from "@effect-acr/client/MediaType"
import { AcrEmulator, type SeedImage } from "@effect-acr/emulator"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { bundle } from "../support/bundle.ts"
import { temporaryFolder } from "../support/command.ts"
import { commandOf } from "../support/tools.ts"
import { type Case, mebibyte } from "./case.ts"
import type { Figure } from "./report.ts"
import { measure } from "./tools.ts"

const entry = fileURLToPath(new URL("simulation/process.ts", import.meta.url))

const repositories = 20

const perRepository = 100

const user = { username: "admin", password: "bench" }

const nameOf = (repository: number): string => `service-${repository}`

/** A layer with the same bytes for the same text, which cannot be compressed: skopeo would pack others anew. */
const layerOf = (text: string, bytes: number): SeedImage.SeedLayer => {
  const hashes = Array.from({ length: bytes / 32 }, (_, index) =>
    createHash("sha256").update(`${text} ${index}`).digest()
  )
  return { content: gzipSync(Buffer.concat(hashes), { level: 0 }), mediaType: MediaType.ociImageLayerGzip }
}

const base = layerOf("base", mebibyte)

const shared = Array.from({ length: repositories }, (_, repository) => layerOf(nameOf(repository), mebibyte / 4))

/** Each has a layer that all share, one that its repository shares, and one of its own; some have platforms, signatures and SBOMs. */
const seedOf = (repository: number, index: number): SeedImage.SeedImage => ({
  repository: nameOf(repository),
  tags: [`1.${index}`],
  layers: [base, ...shared.slice(repository, repository + 1), layerOf(`${nameOf(repository)} ${index}`, 16_384)],
  platforms: index % 4 === 0 ? ["linux/amd64", "linux/arm64"] : ["linux/amd64"],
  ...(index % 5 === 0 ? { signatures: ["cosign-bundle"] } : index % 5 === 1 ? { signatures: ["cosign-tag"] } : {}),
  ...(index % 10 === 0
    ? { referrers: [{ artifactType: "application/spdx+json", referrers: [{ artifactType: "application/vnd.note" }] }] }
    : {})
})

const start = Effect.gen(function* () {
  const count = { requests: 0, bytes: 0 }
  const emulator = yield* AcrEmulator.make({
    blobs: "direct",
    adminUser: { username: user.username, password: Redacted.make(user.password) },
    onRequest: ({ requestBytes }) => {
      count.requests++
      count.bytes += requestBytes
    }
  })
  return { ...emulator, count, host: new URL(emulator.endpoint).host }
})

type Running = Effect.Success<typeof start>

/** What one registry has, as lines that say what each is. */
const holdings = (emulator: Running) =>
  Effect.gen(function* () {
    const found = { tags: new Set<string>(), referrers: new Set<string>(), platforms: new Set<string>() }
    for (const { name } of yield* emulator.repositories) {
      const { manifests, tags } = Option.getOrThrow(yield* emulator.contents(name))
      for (const { digest, name: tag } of tags) found.tags.add(`${name}:${tag} ${digest}`)
      const children = new Set(manifests.flatMap(({ references }) => references))
      for (const { digest, subject } of manifests) {
        if (subject !== undefined) found.referrers.add(`${name} ${digest}`)
        else if (children.has(digest)) found.platforms.add(`${name} ${digest}`)
      }
    }
    return found
  })

interface Pair {
  readonly source: Running
  readonly target: Running
  readonly folder: string
}

/** A command that copies all artifacts. */
type Contestant = (pair: Pair) => Effect.Effect<ReadonlyArray<string>, unknown>

/** Runs a command for each image, one after the other: a loop of a shell. `{}` is `repository:tag`. */
const loop = (folder: string, name: string, command: ReadonlyArray<string>) =>
  Effect.promise(async () => {
    const images = Array.from({ length: repositories }, (_, repository) =>
      Array.from({ length: perRepository }, (__, index) => `${nameOf(repository)}:1.${index}`)
    ).flat()
    const list = join(folder, `${name}.txt`)
    await writeFile(list, `${images.join("\n")}\n`)
    return ["xargs", "-a", list, "-I", "{}", ...command]
  })

const migrated: Contestant = ({ folder, source, target }) =>
  Effect.gen(function* () {
    const file = join(folder, "migration.mjs")
    yield* bundle({ entry, file })
    const registries = { source: source.endpoint, target: target.endpoint }
    const filename = join(folder, "migration.sqlite")
    const job = { images: 0, latencyMillis: 0, copies: 8, isOnce: true, registries, filename }
    return [process.execPath, file, JSON.stringify(job)]
  })

const skopeo: Contestant = ({ folder, source, target }) =>
  Effect.gen(function* () {
    const images = Object.fromEntries(Array.from({ length: repositories }, (_, index) => [nameOf(index), []]))
    const file = join(folder, "sync.yaml")
    // JSON is YAML too.
    const text = JSON.stringify({ [source.host]: { "tls-verify": false, credentials: user, images } })
    yield* Effect.promise(() => writeFile(file, text))
    const login = `${user.username}:${user.password}`
    const from = ["--all", "--src", "yaml", "--dest", "docker"]
    const to = ["--dest-tls-verify=false", "--dest-creds", login, file, target.host]
    return ["skopeo", "--insecure-policy", "sync", ...from, ...to]
  })

const regctl: Contestant = ({ folder, source, target }) =>
  Effect.gen(function* () {
    const command = yield* commandOf("regctl")
    const hosts = [source.host, target.host].flatMap((host) => [
      "--host",
      `reg=${host},tls=disabled,user=${user.username},pass=${user.password}`
    ])
    const args = ["image", "copy", "--referrers", "--digest-tags", `${source.host}/{}`, `${target.host}/{}`]
    return yield* loop(folder, "regctl", [command, ...hosts, ...args])
  })

const oras: Contestant = ({ folder, source, target }) =>
  Effect.gen(function* () {
    const command = yield* commandOf("oras")
    const logins = ["from", "to"].flatMap((side) => [
      `--${side}-plain-http`,
      `--${side}-username=${user.username}`,
      `--${side}-password=${user.password}`
    ])
    return yield* loop(folder, "oras", [
      command,
      "cp",
      "-r",
      "--no-tty",
      ...logins,
      `${source.host}/{}`,
      `${target.host}/{}`
    ])
  })

const contestants: ReadonlyArray<readonly [string, Contestant]> = [
  ["migration", migrated],
  ["skopeo sync --all", skopeo],
  ["regctl image copy --referrers --digest-tags", regctl],
  ["oras cp -r", oras]
]

const missing = (all: ReadonlySet<string>, there: ReadonlySet<string>): number =>
  [...all].filter((one) => !there.has(one)).length

/** Lets a contestant copy everything into an empty registry. */
const take = Effect.fnUntraced(function* (source: Running, name: string, contestant: Contestant) {
  const target = yield* start
  const folder = yield* temporaryFolder
  const command = yield* contestant({ source, target, folder })
  const before = source.count.requests
  const took = yield* measure(command, {}, "30 minutes")
  const [wanted, found] = [yield* holdings(source), yield* holdings(target)]
  const value = (what: string, number: number, unit: Figure["unit"]): Figure => ({
    what: `${name}: ${what}`,
    values: [number],
    unit
  })
  return [
    value("time", took.seconds, "s"),
    value("processor", took.processorSeconds ?? Number.NaN, "s"),
    value("peak memory", took.peakRssBytes / mebibyte, "MiB"),
    value("requests to the source", source.count.requests - before, "requests"),
    value("requests to the target", target.count.requests, "requests"),
    value("sent to the target", target.count.bytes / mebibyte, "MiB"),
    value(`tags missing of ${wanted.tags.size}`, missing(wanted.tags, found.tags), ""),
    value(`platforms missing of ${wanted.platforms.size}`, missing(wanted.platforms, found.platforms), ""),
    value(`referrers missing of ${wanted.referrers.size}`, missing(wanted.referrers, found.referrers), "")
  ]
}, Effect.scoped)

export const migrationTools: Case = {
  name: "migration-tools",
  title: `${repositories * perRepository} artifacts with shared layers, signatures and SBOMs by a migration and by other tools`,
  isAlone: true,
  run: Effect.fnUntraced(function* () {
    const source = yield* start
    for (let repository = 0; repository < repositories; repository++) {
      for (let index = 0; index < perRepository; index++) yield* source.seed(seedOf(repository, index))
    }
    const figures = yield* Effect.forEach(contestants, ([name, contestant]) => take(source, name, contestant))
    return figures.flat()
  }),
  needs: ["python3", "skopeo", "regctl", "oras"]
}
