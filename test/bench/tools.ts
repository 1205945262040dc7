/**
 * Pull, push and copy of images by whole processes: a program of this library and the command `eacr` beside other command-line
 * tools.
 */
import { readdir, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { isInstalled, run, temporaryFolder } from "../support/command.ts"
import { commandOf, isThere, tools } from "../support/tools.ts"
import { type Case, mebibyte, memory, ratio, speed, type Turns } from "./case.ts"
import { executable, npmForm } from "./command.ts"
import { writeLayout } from "./image.ts"
import { Outcome } from "./job.ts"
import type { Figure } from "./report.ts"
import { distribution } from "./servers.ts"
import { built, type Contestants, type Outcomes, perRound, type Program, type Rounds } from "./turns.ts"

type Verb = "pull" | "push" | "copy"

type Args = ReadonlyArray<string>

/** Where an image is, under the tag `v1`, and where it goes. */
interface Places {
  /** The image's repository, and another one in another registry which is empty, each with its host. */
  readonly source: string
  readonly target: string
  /** The image's layout, and a folder for another one. */
  readonly layout: string
  readonly folder: string
}

/** How a contestant is started. */
interface Contestant {
  /** The command that ends without a transfer: its time, processor time and memory are those of the start. */
  readonly start: Args
  readonly transfer: (verb: Verb, places: Places) => Args
  /** Variables that it is started with. */
  readonly environment?: Readonly<Record<string, string>>
}

interface Image {
  readonly title: string
  readonly layers: number
  readonly layerMebibytes: number
  /** What a program of JavaScript is to reach of skopeo's speed. */
  readonly ofSkopeo: { readonly [verb in Verb]: number }
}

const images: ReadonlyArray<Image> = [
  { title: "60 × 1 MiB", layers: 60, layerMebibytes: 1, ofSkopeo: { pull: 0.7, push: 1, copy: 1 } },
  { title: "4 × 200 MiB", layers: 4, layerMebibytes: 200, ofSkopeo: { pull: 1, push: 1, copy: 1 } }
]

type PlacedArgs = { readonly [verb in Verb]: (places: Places) => Args }

/** The other programs do not look for referrers. */
const withoutReferrers = ["cp", "--no-referrers"]

const eacr: PlacedArgs = {
  pull: ({ folder, source }) => [...withoutReferrers, `${source}:v1`, "--to-layout", folder],
  push: ({ layout, target }) => [...withoutReferrers, "--from-layout", layout, "v1", `${target}:v1`],
  copy: ({ source, target }) => [...withoutReferrers, `${source}:v1`, `${target}:v1`]
}

const commands: { readonly [program in Program]: PlacedArgs } = {
  eacr,
  executable: eacr,
  crane: {
    pull: ({ folder, source }) => ["pull", "--insecure", "--format", "oci", `${source}:v1`, folder],
    push: ({ layout, target }) => ["push", "--insecure", layout, `${target}:v1`],
    copy: ({ source, target }) => ["copy", "--insecure", `${source}:v1`, `${target}:v1`]
  },
  oras: {
    pull: ({ folder, source }) => ["copy", "--from-plain-http", "--to-oci-layout", `${source}:v1`, `${folder}:v1`],
    push: ({ layout, target }) => ["copy", "--from-oci-layout", "--to-plain-http", `${layout}:v1`, `${target}:v1`],
    copy: ({ source, target }) => ["copy", "--from-plain-http", "--to-plain-http", `${source}:v1`, `${target}:v1`]
  },
  regctl: {
    pull: ({ folder, source }) => [...hosts(source), "image", "copy", `${source}:v1`, `ocidir://${folder}:v1`],
    push: ({ layout, target }) => [...hosts(target), "image", "copy", `ocidir://${layout}:v1`, `${target}:v1`],
    copy: ({ source, target }) => [...hosts(source, target), "image", "copy", `${source}:v1`, `${target}:v1`]
  },
  skopeo: {
    pull: ({ folder, source }) => [...skopeo, "--src-tls-verify=false", `docker://${source}:v1`, `oci:${folder}:v1`],
    push: ({ layout, target }) => [...skopeo, "--dest-tls-verify=false", `oci:${layout}:v1`, `docker://${target}:v1`],
    copy: ({ source, target }) => [
      ...skopeo,
      "--src-tls-verify=false",
      "--dest-tls-verify=false",
      `docker://${source}:v1`,
      `docker://${target}:v1`
    ]
  }
}

const skopeo = ["--insecure-policy", "copy"]

/** Tells regctl that the registries of these repositories have no TLS. */
const hosts = (...repositories: ReadonlyArray<string>): Args =>
  repositories.flatMap((name) => ["--host", `reg=${name.split("/")[0]},tls=disabled`])

const others = ["crane", "oras", "regctl"] as const

/** The setting of docs/startup.md for less memory. */
const lessMemory = ["--max-semi-space-size=2"]

/** A bundle that takes a verb and two places. */
const bundled = (name: string, nodeArguments: Args = []): Contestant => {
  const command = [process.execPath, ...nodeArguments, `${built}${name}.mjs`]
  return {
    start: [...command, "nothing", "127.0.0.1:1/nothing"],
    transfer: (verb, { folder, layout, source, target }) => {
      const [from, to] = { pull: [source, folder], push: [layout, target], copy: [source, target] }[verb]
      return [...command, verb, from ?? "", to ?? ""]
    }
  }
}

/** The contestants that this machine has. */
const findContestants = Effect.gen(function* () {
  const found = new Map<string, Contestant>([
    ["ours", bundled("program")],
    ["lessMemory", bundled("program", lessMemory)],
    ["node:https", bundled("bareProgram")]
  ])
  const add = (name: Program, command: Args, versionArgs: Args, environment: Contestant["environment"] = {}) =>
    found.set(name, {
      start: [...command, ...versionArgs],
      transfer: (verb, places) => [...command, ...commands[name][verb](places)],
      environment
    })
  const { command, environment } = yield* npmForm
  add("eacr", command, ["--version"], environment)
  add("executable", [yield* executable], ["--version"])
  for (const name of others) if (isThere(name)) add(name, [yield* commandOf(name)], tools[name].versionArgs)
  if (isInstalled("skopeo")) add("skopeo", ["skopeo"], ["--version"])
  return found
})

const script = fileURLToPath(new URL("measure.py", import.meta.url))

/** Runs a command with a home of its own, and with nothing of the user's environment but what is given. */
export const measure = (
  command: Args,
  more: Readonly<Record<string, string>> = {},
  atMost: Duration.Input = "2 minutes"
) =>
  Effect.gen(function* () {
    const home = yield* temporaryFolder
    const environment = {
      PATH: process.env["PATH"],
      HOME: home,
      TMPDIR: home,
      // Skopeo remembers blobs that it has pushed, and would mount them. As root it does so in a folder of the system,
      // unless it takes itself for a program of this user.
      _CONTAINERS_ROOTLESS_UID: "1",
      ...more
    }
    const outcome = yield* run("python3", [script, JSON.stringify(environment), ...command])
    return yield* Schema.decodeEffect(Schema.fromJsonString(Outcome))(outcome)
  }).pipe(Effect.scoped, Effect.timeout(atMost))

const processorOf = ({ processorSeconds = Number.NaN }: Outcome): number => processorSeconds

/** What a transfer took on top of the start. */
const lessStart = (whole: Outcome): Outcome => {
  const { start } = whole
  if (start === undefined) return whole
  return {
    seconds: whole.seconds - start.seconds,
    processorSeconds: processorOf(whole) - processorOf(start),
    peakRssBytes: whole.peakRssBytes - start.peakRssBytes
  }
}

const withoutStart = (took: Rounds): Rounds =>
  Object.fromEntries(Object.entries(took).map(([name, outcomes]) => [name, outcomes.map(lessStart)]))

const processorPerGiB = (outcomes: Outcomes = [], gibibytes: number, what: string): Figure => ({
  what,
  values: outcomes.map((outcome) => processorOf(outcome) / gibibytes),
  unit: "s"
})

const peakMemoryOf = ({ peakRssBytes }: Outcome): number => peakRssBytes

/** What one contestant takes of something, compared with another one. */
const quotient = (
  of: (outcome: Outcome) => number,
  one: Outcomes = [],
  other: Outcomes = [],
  what: string
): Figure => ({
  what,
  values: perRound(one, other, (own, theirs) => of(own) / of(theirs)),
  unit: "×"
})

const figuresOf = (verb: Verb, { layerMebibytes, layers, ofSkopeo, title }: Image, took: Rounds) => {
  const before = `${title}: `
  const gibibytes = (layers * layerMebibytes) / 1024
  const transfer = withoutStart(took)
  const bare = "node:https"
  const figures: ReadonlyArray<Figure> = [
    speed(took, "skopeo", ofSkopeo[verb], before),
    ratio(took, bare, "skopeo", before),
    ...others.map((name) => speed(took, name, undefined, before)),
    speed(transfer, "crane", 0.8, `${before}without start, `),
    speed(transfer, bare, undefined, `${before}without start, `),
    {
      what: `${before}without start, bare loop ÷ crane`,
      values: perRound(transfer.crane, transfer[bare], (crane, loop) => crane.seconds / loop.seconds),
      unit: "×"
    },
    {
      ...quotient(processorOf, transfer.ours, transfer[bare], `${before}processor without start, ours ÷ bare loop`),
      atMost: 1.25
    },
    processorPerGiB(transfer.ours, gibibytes, `${before}processor without start for a GiB, ours`),
    processorPerGiB(transfer.crane, gibibytes, `${before}processor without start for a GiB, crane`),
    memory(took.ours, `${before}peak memory, ours`),
    memory(took[bare], `${before}peak memory, bare loop`),
    memory(took.crane, `${before}peak memory, crane`),
    { ...quotient(peakMemoryOf, took.ours, took[bare], `${before}peak memory, ours ÷ bare loop`), atMost: 1 },
    { ...memory(transfer.ours, `${before}peak memory, ours above its start`), atMost: 32 },
    memory(transfer.lessMemory, `${before}peak memory, ours with less memory above its start`),
    quotient(peakMemoryOf, took.lessMemory, took[bare], `${before}peak memory, ours with less memory ÷ bare loop`),
    ratio(took, "lessMemory", "ours", before),
    ...(["ours", "skopeo", ...others] as const).map((name) => ratio(took, "eacr", name, before)),
    quotient(processorOf, took.eacr, took.crane, `${before}processor, eacr ÷ crane`),
    quotient(processorOf, took.eacr, took.ours, `${before}processor, eacr ÷ ours`),
    memory(took.eacr, `${before}peak memory, eacr`),
    ...(["skopeo", "crane"] as const).map((name) => ratio(took, "executable", name, before)),
    quotient(processorOf, took.executable, took.crane, `${before}processor, executable ÷ crane`),
    memory(took.executable, `${before}peak memory, executable`)
  ]
  // A contestant that is not there has no rounds.
  return figures.filter(({ values }) => values.length > 0)
}

/** A contestant that leaves out a part of the image would win. */
const expectBytes = async (folder: string, atLeast: number) => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const sizes = await Promise.all(files.map(async ({ name, parentPath }) => (await stat(join(parentPath, name))).size))
  const bytes = sizes.reduce((sum, size) => sum + size, 0)
  if (bytes < atLeast) throw new Error(`${bytes} of ${atLeast} bytes were transferred`)
}

type Found = Effect.Success<typeof findContestants>

const runImage = Effect.fnUntraced(function* (contestants: Found, verb: Verb, image: Image, turns: Turns) {
  const from = yield* distribution
  const to = yield* distribution
  const folder = yield* temporaryFolder
  const layout = join(folder, "layout")
  yield* Effect.promise(() => writeLayout(layout, image.layers, image.layerMebibytes * mebibyte, "tar+gzip"))

  const stored = join(to.storage, "docker")
  let turn = 0
  /** Somewhere new for each turn. Nothing of it is left for the next one, or registries would find its blobs. */
  const fresh = Effect.acquireRelease(
    Effect.sync((): Places => {
      const name = `turn${turn++}`
      const target = `${to.loginServer}/${name}`
      return { source: `${from.loginServer}/bench`, target, layout, folder: join(folder, name) }
    }),
    (places) =>
      Effect.promise(async () => {
        await rm(places.folder, { recursive: true, force: true })
        await rm(stored, { recursive: true, force: true })
      })
  )
  // The command's compile cache is filled then, as after the first call of a user.
  const eacr = contestants.get("eacr")
  const seed: Places = { source: "", target: `${from.loginServer}/bench`, layout, folder: "" }
  if (eacr !== undefined) yield* measure(eacr.transfer("push", seed), eacr.environment)

  const runs: Contestants = Object.fromEntries(
    [...contestants].map(([name, { environment, start, transfer }]) => [
      name,
      () =>
        Effect.gen(function* () {
          const places = yield* fresh
          const idle = yield* measure(start, environment)
          const whole = yield* measure(transfer(verb, places), environment)
          const bytes = image.layers * image.layerMebibytes * mebibyte
          yield* Effect.promise(() => expectBytes(verb === "pull" ? places.folder : stored, bytes))
          return { ...whole, start: idle }
        })
    ])
  )
  return figuresOf(verb, image, yield* turns(runs))
})

const toolCase = (verb: Verb, title: string): Case => ({
  name: `tools-${verb}`,
  title,
  run: Effect.fnUntraced(function* (turns) {
    const contestants = yield* findContestants
    const figures = yield* Effect.forEach(images, (image) => Effect.scoped(runImage(contestants, verb, image, turns)))
    return figures.flat()
  }),
  needs: ["python3", "registry"],
  wants: ["skopeo", ...others]
})

export const toolCases: ReadonlyArray<Case> = [
  toolCase("pull", "pull of two images from distribution v3 into a layout, as a whole process"),
  toolCase("push", "push of the same images from a layout"),
  toolCase("copy", "copy of the same images from one registry to another")
]
