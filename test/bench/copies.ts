/**
 * The copy of an image from one registry to another, beside the programs that people would otherwise start.
 */
import * as Effect from "effect/Effect"
import { isInstalled, temporaryFolder } from "../support/command.ts"
import { skopeoFor } from "../support/skopeo.ts"
import { isThere, type Registry, toolFor, tools } from "../support/tools.ts"
import { bareLoops, bareSpeed, type Case, mebibyte, speed, type Turns } from "./case.ts"
import { writeImage } from "./image.ts"
import { dockerRegistry } from "./servers.ts"
import { type Contestants, does, type Program, withoutStart } from "./turns.ts"

/** As many at a time as `skopeo copy` does. */
const width = 6

const repository = "bench"

const programs = ["crane", "oras", "regctl"] as const

/** The arguments by which a program copies an image. */
const copyArgs: { readonly [program in (typeof programs)[number]]: ReadonlyArray<string> } = {
  crane: ["copy"],
  oras: ["copy"],
  regctl: ["image", "copy"]
}

const run = (layers: number, layerMebibytes: number) =>
  Effect.fnUntraced(function* (turns: Turns) {
    const source = yield* dockerRegistry
    const target = yield* dockerRegistry
    const from = { endpoint: source.endpoint, ca: source.ca, repository }
    /** Pushes an image that no registry has seen. */
    const push = (tag: string) =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        yield* Effect.promise(() => writeImage(folder, layers, layerMebibytes * mebibyte))
        yield* does("ours", { _tag: "Push", ...from, folder, tag, width })
      }).pipe(Effect.scoped)
    yield* push("v1")

    let copies = 0
    /** A repository that has nothing yet. */
    const fresh = () => `copy${copies++}`
    const image = `${source.loginServer}/${repository}:v1`

    const scripts: Contestants = Object.fromEntries(
      (["ours", ...bareLoops] as const).map((name) => [
        name,
        () =>
          does(name, {
            _tag: "Copy",
            ...from,
            tag: "v1",
            width,
            target: { endpoint: target.endpoint, ca: target.ca, repository: fresh() }
          })
      ])
    )
    const known: ReadonlyArray<Registry> = [source, target].map(({ certificate, loginServer }) => ({
      loginServer,
      certificate,
      login: undefined
    }))
    const others: { [name in Program]?: NonNullable<Contestants[Program]> } = {}
    for (const name of programs) {
      if (!isThere(name)) continue
      const tool = yield* toolFor(name, ...known)
      others[name] = () =>
        withoutStart(tool.run, tools[name].versionArgs, [
          ...copyArgs[name],
          image,
          `${target.loginServer}/${fresh()}:v1`
        ])
    }
    if (isInstalled("skopeo")) {
      const reading = yield* skopeoFor(source.loginServer, source.certificate)
      const writing = yield* skopeoFor(target.loginServer, target.certificate)
      const certificates = ["--src-cert-dir", reading.certificates, "--dest-cert-dir", writing.certificates]
      others.skopeo = (round) =>
        Effect.gen(function* () {
          // It remembers which repositories have a blob, and would mount that of the round before.
          const tag = `round${round}`
          yield* push(tag)
          const names = [`${reading.registry}/${repository}:${tag}`, `${writing.registry}/${fresh()}:${tag}`]
          return yield* withoutStart(reading.run, ["--version"], ["copy", ...certificates, ...names])
        })
    }
    const took = yield* turns({ ...scripts, ...others })
    return [
      bareSpeed(took),
      ...([...programs, "skopeo"] as const).filter((name) => name in others).map((name) => speed(took, name))
    ]
  })

export const copies: ReadonlyArray<Case> = [
  {
    name: "copy",
    title: `copy of an image with 40 layers of 1 MiB between two docker-registries over TLS, ${width} at a time`,
    run: run(40, 1),
    needs: ["docker-registry"],
    wants: ["skopeo"]
  },
  {
    name: "copy-large",
    title: "copy of an image with 4 layers of 100 MiB, the same way",
    run: run(4, 100),
    needs: ["docker-registry"],
    wants: ["skopeo"]
  }
]
