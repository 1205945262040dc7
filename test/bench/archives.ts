/**
 * An image of 2 GiB that goes from a layout into an archive, and from an archive into a layout.
 */
import { rm } from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { isInstalled, temporaryFolder } from "../support/command.ts"
import { skopeoFor } from "../support/skopeo.ts"
import { isThere, toolFor, tools } from "../support/tools.ts"
import { type Case, mebibyte, memory, speed, type Turns } from "./case.ts"
import { writeLayout } from "./image.ts"
import type { ArchiveJob } from "./job.ts"
import { type Contestants, does, withoutStart } from "./turns.ts"

const layers = 4
const layerMebibytes = 512

const run = (tag: ArchiveJob["_tag"]) =>
  Effect.fnUntraced(function* (turns: Turns) {
    const folder = yield* temporaryFolder
    const at = (name: string) => join(folder, name)
    yield* Effect.promise(() => writeLayout(at("layout"), layers, layerMebibytes * mebibyte))
    const isSaving = tag === "SaveArchive"
    if (!isSaving) yield* does("ours", { _tag: "SaveArchive", archive: at("image.tar"), layout: at("layout") })

    let turn = 0
    /** Somewhere new for each turn, gone when it is over. */
    const fresh = Effect.acquireRelease(
      Effect.sync(() => at(`${turn++}`)),
      (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
    )
    const jobAt = (path: string): ArchiveJob =>
      isSaving
        ? { _tag: tag, archive: path, layout: at("layout") }
        : { _tag: tag, archive: at("image.tar"), layout: path }

    const skopeo = isInstalled("skopeo") ? [yield* skopeoFor("127.0.0.1:1", "")] : []
    const regctl = isThere("regctl") ? [yield* toolFor("regctl")] : []
    const contestants: Contestants = {
      ours: () => Effect.flatMap(fresh, (path) => does("ours", jobAt(path))),
      "node:https": () => Effect.flatMap(fresh, (path) => does("node:https", jobAt(path))),
      ...Object.fromEntries(
        skopeo.map(({ run }) => [
          "skopeo",
          () =>
            Effect.flatMap(fresh, (path) => {
              const names = isSaving
                ? [`oci:${at("layout")}:v1`, `oci-archive:${path}:v1`]
                : [`oci-archive:${at("image.tar")}:v1`, `oci:${path}:v1`]
              return withoutStart(run, ["--version"], ["copy", "--preserve-digests", ...names])
            })
        ])
      ),
      ...Object.fromEntries(
        regctl.map(({ run }) => [
          "regctl",
          () =>
            Effect.flatMap(fresh, (path) =>
              withoutStart(
                run,
                tools.regctl.versionArgs,
                isSaving
                  ? ["image", "export", `ocidir://${at("layout")}:v1`, path]
                  : ["image", "import", `ocidir://${path}:v1`, at("image.tar")]
              )
            )
        ])
      )
    }
    const took = yield* turns(contestants)
    return [
      speed(took, "node:https", 0.8),
      ...(["skopeo", "regctl"] as const).filter((name) => name in contestants).map((name) => speed(took, name)),
      memory(took.ours, "peak memory, ours"),
      memory(took["node:https"], "peak memory, bare loop")
    ]
  })

export const archives: ReadonlyArray<Case> = [
  {
    name: "save-archive",
    title: `an image with ${layers} layers of ${layerMebibytes} MiB from a layout into an OCI archive`,
    run: run("SaveArchive"),
    wants: ["skopeo"]
  },
  {
    name: "load-archive",
    title: "the same image from the archive into a layout",
    run: run("LoadArchive"),
    wants: ["skopeo"]
  }
]
