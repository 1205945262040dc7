/**
 * Images beside the programs that people would otherwise start: pulled into a layout, pushed from there, and copied, each by a whole
 * process.
 */
import { join } from "node:path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { isInstalled, temporaryFolder } from "../support/command.ts"
import * as DockerRegistry from "../support/dockerRegistry.ts"
import { commandOf, isThere } from "../support/tools.ts"
import { type Case, mebibyte, speed, type Turns } from "./case.ts"
import { writeLayout } from "./image.ts"
import type { Outcome } from "./job.ts"
import { measured } from "./measured.ts"
import type { Figure } from "./report.ts"
import { built, type Contestants, median, type Name, type Outcomes, perRound, type Rounds, type Run } from "./turns.ts"

type Verb = "pull" | "push" | "copy"

/** What is transferred, as each program names it. */
interface Transfer {
  readonly verb: Verb
  /** Registries without TLS. */
  readonly registries: ReadonlyArray<string>
  /** A repository, or the folder of a layout. */
  readonly from: string
  readonly to: string
}

const script = (name: string, { from, to, verb }: Transfer) => [process.execPath, `${built}${name}.mjs`, verb, from, to]

/** The command of each contestant. */
const commands: { readonly [name in Name]?: (transfer: Transfer) => ReadonlyArray<string> } = {
  ours: (transfer) => [
    ...script("program", transfer),
    ...transfer.registries.flatMap((registry) => ["--insecure", registry])
  ],
  "node:https": (transfer) => script("bareProgram", transfer),
  crane: ({ from, to, verb }) => {
    switch (verb) {
      case "pull":
        return ["crane", "pull", "--insecure", "--format", "oci", `${from}:v1`, to]
      case "push":
        return ["crane", "push", "--insecure", from, `${to}:v1`]
      case "copy":
        return ["crane", "copy", "--insecure", `${from}:v1`, `${to}:v1`]
    }
  },
  oras: ({ from, to, verb }) => [
    "oras",
    "copy",
    verb === "push" ? "--from-oci-layout" : "--from-plain-http",
    verb === "pull" ? "--to-oci-layout" : "--to-plain-http",
    `${from}:v1`,
    `${to}:v1`
  ],
  regctl: ({ from, registries, to, verb }) => [
    "regctl",
    ...registries.flatMap((registry) => ["--host", `reg=${registry},tls=disabled`]),
    "image",
    "copy",
    `${verb === "push" ? "ocidir://" : ""}${from}:v1`,
    `${verb === "pull" ? "ocidir://" : ""}${to}:v1`
  ],
  skopeo: ({ from, to, verb }) => [
    "skopeo",
    "--insecure-policy",
    "copy",
    ...(verb === "push" ? [] : ["--src-tls-verify=false"]),
    ...(verb === "pull" ? [] : ["--dest-tls-verify=false"]),
    `${verb === "push" ? "oci:" : "docker://"}${from}:v1`,
    `${verb === "pull" ? "oci:" : "docker://"}${to}:v1`
  ]
}

/** The command that starts a contestant and transfers nothing. */
const idle: { readonly [name in Name]?: ReadonlyArray<string> } = {
  ours: [process.execPath, `${built}program.mjs`, "nothing"],
  "node:https": [process.execPath, `${built}bareProgram.mjs`, "nothing"],
  crane: ["crane", "version"],
  oras: ["oras", "version"],
  regctl: ["regctl", "version"],
  skopeo: ["skopeo", "--version"]
}

const scripts = ["ours", "node:https"] as const
const programs = ["crane", "oras", "regctl"] as const

/** The contestants that are there. */
const present = (): ReadonlyArray<Name> => [
  ...scripts,
  ...programs.filter(isThere),
  ...(isInstalled("skopeo") ? (["skopeo"] as const) : [])
]

/** The file of a program, which need not be on the PATH. */
const located = (name: Name, [command = "", ...args]: ReadonlyArray<string>) => {
  const tool = programs.find((program) => program === name)
  return Effect.map(tool === undefined ? Effect.succeed(command) : commandOf(tool), (file) => [file, ...args])
}

/** Runs a contestant in a fresh home: some remember which repository has a blob. */
const running = (name: Name, command: ReadonlyArray<string>): Run =>
  Effect.gen(function* () {
    return yield* measured(yield* temporaryFolder, yield* located(name, command))
  })

const contestants = (command: (name: Name) => Run): Contestants =>
  Object.fromEntries(present().map((name) => [name, () => command(name)]))

const registry = Effect.map(
  Layer.build(DockerRegistry.layer({ version: "3", access: "anonymous", relativeUrls: true, plainHttp: true })),
  (services) => Context.get(services, DockerRegistry.DockerRegistry).loginServer
)

interface Image {
  readonly title: string
  readonly layers: number
  readonly layerMebibytes: number
  /** How fast this library is to be beside skopeo in a pull, both as whole processes. */
  readonly leastPull: number
}

const images: ReadonlyArray<Image> = [
  { title: "60 × 1 MiB", layers: 60, layerMebibytes: 1, leastPull: 0.7 },
  { title: "4 × 200 MiB", layers: 4, layerMebibytes: 200, leastPull: 1 }
]

/** What it takes without what it takes to start. */
const less =
  (start: Outcomes) =>
  ({ peakRssBytes, processorSeconds = 0, seconds }: Outcome): Outcome => ({
    seconds: seconds - median(start.map((outcome) => outcome.seconds)),
    processorSeconds: processorSeconds - median(start.map((outcome) => outcome.processorSeconds ?? 0)),
    peakRssBytes
  })

const withoutStart = (took: Rounds, started: Rounds): Rounds => {
  const named = present().map((name) => [name, (took[name] ?? []).map(less(started[name] ?? []))] as const)
  return Object.fromEntries(named)
}

const megabytes = (outcomes: Outcomes = []) => outcomes.map(({ peakRssBytes }) => peakRssBytes / mebibyte)

const figuresOf = (verb: Verb, { layerMebibytes, layers, leastPull, title }: Image, took: Rounds, started: Rounds) => {
  const before = `${title}: `
  const net = withoutStart(took, started)
  const gibibytes = (layers * layerMebibytes) / 1024
  const perGibibyte = (name: Name) => (net[name] ?? []).map(({ processorSeconds = 0 }) => processorSeconds / gibibytes)
  const idleBytes = median(megabytes(started.ours))
  const others = present().filter((name) => !scripts.some((known) => known === name))
  const figures: ReadonlyArray<Figure> = [
    ...others.map((name) =>
      speed(took, name, name === "skopeo" ? (verb === "pull" ? leastPull : 1) : undefined, before)
    ),
    speed(took, "node:https", undefined, before),
    ...others.map((name) => speed(net, name, name === "crane" ? 0.8 : undefined, `${before}without start, `)),
    speed(net, "node:https", undefined, `${before}without start, `),
    {
      what: `${before}processor time, ours ÷ bare loop`,
      values: perRound(
        net.ours,
        net["node:https"],
        (ours, bare) => (ours.processorSeconds ?? 0) / (bare.processorSeconds ?? 0)
      ),
      unit: "×",
      atMost: 1.25
    },
    ...(["ours", "node:https", "crane"] as const)
      .filter((name) => name in took)
      .map((name): Figure => ({
        what: `${before}processor time for a gibibyte, ${name === "node:https" ? "bare loop" : name}`,
        values: perGibibyte(name),
        unit: "s"
      })),
    {
      what: `${before}peak memory, ours ÷ bare loop`,
      values: perRound(took.ours, took["node:https"], (ours, bare) => ours.peakRssBytes / bare.peakRssBytes),
      unit: "×",
      atMost: 1
    },
    {
      what: `${before}peak memory above that of a process that transfers nothing`,
      values: megabytes(took.ours).map((bytes) => bytes - idleBytes),
      unit: "MiB",
      atMost: 32
    },
    ...(["ours", "crane"] as const)
      .filter((name) => name in took)
      .map((name): Figure => ({ what: `${before}peak memory, ${name}`, values: megabytes(took[name]), unit: "MiB" }))
  ]
  return figures
}

const run = (verb: Verb) =>
  Effect.fnUntraced(function* (turns: Turns) {
    const started = yield* turns(contestants((name) => running(name, idle[name] ?? [])))

    const source = yield* registry
    const figures: Array<Figure> = []
    for (const image of images) {
      const repository = `${source}/image${image.layers}`
      const layout = yield* temporaryFolder
      yield* Effect.promise(() => writeLayout(layout, image.layers, image.layerMebibytes * mebibyte))
      const transferring = (name: Name, transfer: Transfer) => running(name, commands[name]?.(transfer) ?? [])
      yield* Effect.scoped(transferring("ours", { verb: "push", registries: [source], from: layout, to: repository }))
      const took = yield* turns(
        contestants((name) =>
          Effect.gen(function* () {
            if (verb === "pull") {
              const to = join(yield* temporaryFolder, "layout")
              return yield* transferring(name, { verb, registries: [source], from: repository, to })
            }
            // One that no program knows anything of.
            const target = yield* registry
            const from = verb === "push" ? layout : repository
            return yield* transferring(name, { verb, registries: [source, target], from, to: `${target}/bench` })
          })
        )
      )
      figures.push(...figuresOf(verb, image, took, started))
    }
    return figures
  })

const titles: { readonly [verb in Verb]: string } = {
  pull: "pull of an image from distribution v3 into a layout",
  push: "push of an image from a layout to distribution v3",
  copy: "copy of an image between two distribution v3"
}

export const toolCases: ReadonlyArray<Case> = (["pull", "push", "copy"] as const).map((verb) => ({
  name: `tools-${verb}`,
  title: `${titles[verb]}, by whole processes, with 60 layers of 1 MiB and with 4 of 200 MiB`,
  run: run(verb),
  needs: ["python3", "registry"],
  wants: ["crane", "oras", "regctl", "skopeo"]
}))
