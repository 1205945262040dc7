/**
 * Cases about images: many blobs of a usual size, several at a time.
 */
import { join } from "node:path"
import { mkdir } from "node:fs/promises"
import * as Effect from "effect/Effect"
import { isInstalled, temporaryFolder } from "../support/command.ts"
import { skopeoFor } from "../support/skopeo.ts"
import { bareLoops, bareSpeed, type Case, limitSpeed, mebibyte, speed, type Turns } from "./case.ts"
import { writeImage } from "./image.ts"
import { profile } from "./profile.ts"
import { dockerRegistry } from "./servers.ts"
import { type Contestants, does, type Run, type Script, withoutStart } from "./turns.ts"

const repository = "bench"
const layers = 40

/** As many at a time as `skopeo copy` does. */
const width = 6

/** How often an image is copied before the clock runs, where code is to be compiled. */
const warmUps = 3

const scripts: ReadonlyArray<Script> = ["ours", "azure", ...bareLoops]

type Skopeo = Effect.Success<ReturnType<typeof skopeoFor>>

const mapScripts = (script: (name: Script) => Run): Contestants =>
  Object.fromEntries(scripts.map((name) => [name, () => script(name)]))

const run = Effect.fnUntraced(function* (turns: Turns) {
  const { ca, certificate, endpoint, loginServer } = yield* dockerRegistry
  const skopeo = isInstalled("skopeo") ? yield* skopeoFor(loginServer, certificate) : undefined
  const folder = yield* temporaryFolder
  let images = 0

  /** A new image, so that each of its blobs is sent. */
  const freshImage = Effect.promise(async () => {
    const name = `image${images++}`
    await mkdir(join(folder, name))
    await writeImage(join(folder, name), layers, mebibyte)
    return { folder: join(folder, name), tag: name }
  })

  const everyone = (script: (name: Script) => Run, other: (tool: Skopeo) => Run): Contestants => ({
    ...mapScripts(script),
    ...(skopeo === undefined ? {} : { skopeo: () => other(skopeo) })
  })
  const job = { endpoint, ca, repository, width }
  const push = (warmUps: number) => (name: Script) =>
    Effect.flatMap(freshImage, (image) => does(name, { _tag: "Push", ...job, ...image, warmUps }))
  const pull = (warmUps: number) => (name: Script) =>
    Effect.flatMap(temporaryFolder, (folder) => does(name, { _tag: "Pull", ...job, folder, tag: image.tag, warmUps }))

  const pushed = yield* turns(
    everyone(push(0), (tool) =>
      Effect.flatMap(freshImage, (image) =>
        withoutStart(
          tool.run,
          ["--version"],
          [
            "copy",
            "--dest-cert-dir",
            tool.certificates,
            `dir:${image.folder}`,
            `${tool.registry}/${repository}:${image.tag}`
          ]
        )
      )
    )
  )

  const image = yield* freshImage
  yield* does("ours", { _tag: "Push", ...job, ...image })
  const pulled = yield* turns(
    everyone(pull(0), (tool) =>
      Effect.flatMap(temporaryFolder, (folder) =>
        withoutStart(
          tool.run,
          ["--version"],
          [
            "copy",
            "--src-cert-dir",
            tool.certificates,
            `${tool.registry}/${repository}:${image.tag}`,
            `dir:${join(folder, "image")}`
          ]
        )
      )
    )
  )

  const compiled = {
    pushed: yield* turns(mapScripts(push(warmUps))),
    pulled: yield* turns(mapScripts(pull(warmUps)))
  }

  return [
    speed(pushed, "azure", 1.1, "push: "),
    speed(pulled, "azure", 1.1, "pull: "),
    bareSpeed(pushed, undefined, "push: "),
    bareSpeed(pulled, undefined, "pull: "),
    limitSpeed(pushed, "push: "),
    limitSpeed(pulled, "pull: "),
    bareSpeed(compiled.pushed, undefined, "push, once compiled: "),
    bareSpeed(compiled.pulled, undefined, "pull, once compiled: "),
    speed(compiled.pushed, "azure", undefined, "push, once compiled: "),
    speed(compiled.pulled, "azure", undefined, "pull, once compiled: "),
    ...(yield* profile({ _tag: "Push", ...job, ...(yield* freshImage) }, "push: ")),
    ...(yield* profile({ _tag: "Pull", ...job, folder: yield* temporaryFolder, tag: image.tag }, "pull: ")),
    ...(skopeo === undefined ? [] : [speed(pushed, "skopeo", 1, "push: "), speed(pulled, "skopeo", 1, "pull: ")])
  ]
})

export const images: ReadonlyArray<Case> = [
  {
    name: "image",
    title: `push and pull of an image with ${layers} layers of 1 MiB, ${width} at a time, on docker-registry over TLS`,
    run,
    needs: ["docker-registry"],
    wants: ["skopeo"]
  }
]
