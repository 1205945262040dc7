/**
 * Cases about images: many blobs of a usual size, several at a time.
 */
import { join } from "node:path"
import { mkdir } from "node:fs/promises"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { isInstalled, temporaryFolder } from "../support/command.ts"
import { skopeoFor } from "../support/skopeo.ts"
import { bareLoops, bareSpeed, type Case, limitSpeed, mebibyte, speed, type Turns } from "./case.ts"
import { writeImage } from "./image.ts"
import { dockerRegistry } from "./servers.ts"
import { does, type Run, type Script } from "./turns.ts"

const repository = "bench"
const layers = 40

/** As many at a time as `skopeo copy` does. */
const width = 6

const scripts: ReadonlyArray<Script> = ["ours", "azure", ...bareLoops]

/** Runs another program; the time that it takes to do nothing is not counted. */
const timed = (nothing: Effect.Effect<unknown, unknown>, something: Effect.Effect<unknown, unknown>): Run =>
  Effect.gen(function* () {
    const [start] = yield* Effect.timed(nothing)
    const [whole] = yield* Effect.timed(something)
    return { seconds: Duration.toSeconds(Duration.subtract(whole, start)), cpuSeconds: 0, peakRssBytes: 0 }
  })

const run = Effect.fnUntraced(function* (turns: Turns) {
  const registry = yield* dockerRegistry
  const { ca, certificate, endpoint, loginServer } = registry
  const skopeo = isInstalled("skopeo") ? yield* skopeoFor(loginServer, certificate) : undefined
  const folder = yield* temporaryFolder
  let images = 0

  /** An image that nobody has seen, so that each of its blobs is sent. */
  const freshImage = Effect.promise(async () => {
    const name = `image${images++}`
    await mkdir(join(folder, name))
    await writeImage(join(folder, name), layers, mebibyte)
    return { folder: join(folder, name), tag: name }
  })

  const pushed = yield* turns({
    ...Object.fromEntries(
      scripts.map((name) => [
        name,
        () =>
          Effect.flatMap(freshImage, (image) => does(name, { _tag: "Push", endpoint, ca, repository, width, ...image }))
      ])
    ),
    ...(skopeo === undefined
      ? {}
      : {
          skopeo: () =>
            Effect.flatMap(freshImage, (image) =>
              timed(
                skopeo.run("--version"),
                skopeo.run(
                  "copy",
                  "--dest-cert-dir",
                  skopeo.certificates,
                  `dir:${image.folder}`,
                  `${skopeo.registry}/${repository}:${image.tag}`
                )
              )
            )
        })
  })

  const { folder: source, tag } = yield* freshImage
  yield* does("ours", { _tag: "Push", endpoint, ca, repository, width, folder: source, tag })
  const pulled = yield* turns({
    ...Object.fromEntries(
      scripts.map((name) => [
        name,
        () =>
          Effect.flatMap(temporaryFolder, (target) =>
            does(name, { _tag: "Pull", endpoint, ca, repository, width, folder: target, tag })
          )
      ])
    ),
    ...(skopeo === undefined
      ? {}
      : {
          skopeo: () =>
            Effect.flatMap(temporaryFolder, (target) =>
              timed(
                skopeo.run("--version"),
                skopeo.run(
                  "copy",
                  "--src-cert-dir",
                  skopeo.certificates,
                  `${skopeo.registry}/${repository}:${tag}`,
                  `dir:${join(target, "image")}`
                )
              )
            )
        })
  })

  return [
    speed(pushed, "azure", 2, "push: "),
    speed(pulled, "azure", 2, "pull: "),
    bareSpeed(pushed, undefined, "push: "),
    bareSpeed(pulled, undefined, "pull: "),
    limitSpeed(pushed, "push: "),
    limitSpeed(pulled, "pull: "),
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
