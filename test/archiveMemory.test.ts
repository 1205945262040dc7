/**
 * Memory does not grow with the size of an archive.
 */
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { mkdir, readdir, rm } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { writeLayout } from "./bench/image.ts"
import { type ArchiveJob, Outcome } from "./bench/job.ts"
import { bundle } from "./support/bundle.ts"
import { run, temporaryFolder } from "./support/command.ts"

const entry = fileURLToPath(new URL("bench/contestants/ours.ts", import.meta.url))

const mebibyte = 1024 * 1024

/** `npx -y pnpm@12 bench --only save-archive --only load-archive` does the same with 2 GiB. */
const layerMebibytes = { small: 4, large: 128 }

/** Pieces are read into the same memory in turns: what was hashed has to be what is on the disk. */
const assertWhole = (layout: string) =>
  Effect.promise(async () => {
    const blobs = join(layout, "blobs/sha256")
    const names = await readdir(blobs)
    assert.lengthOf(names, 6)
    for (const name of names) {
      const hash = createHash("sha256")
      for await (const piece of createReadStream(join(blobs, name))) hash.update(piece)
      assert.strictEqual(hash.digest("hex"), name)
    }
  })

it.live(
  "archives of 512 MiB take at most 32 MiB more than those of 16 MiB, written and read",
  () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const program = join(folder, "program.mjs")
      yield* bundle({ entry, file: program })
      const peakOf = (job: ArchiveJob) =>
        run(process.execPath, [program, JSON.stringify(job)]).pipe(
          Effect.flatMap(Schema.decodeEffect(Schema.fromJsonString(Outcome))),
          Effect.map(({ peakRssBytes }) => peakRssBytes / mebibyte)
        )
      const peaks = Effect.fnUntraced(function* (mebibytes: number) {
        const at = (name: string) => join(folder, `${mebibytes}`, name)
        yield* Effect.promise(async () => {
          await mkdir(at("."), { recursive: true })
          await writeLayout(at("layout"), 4, mebibytes * mebibyte)
        })
        const save = yield* peakOf({ _tag: "SaveArchive", archive: at("image.tar"), layout: at("layout") })
        const load = yield* peakOf({ _tag: "LoadArchive", archive: at("image.tar"), layout: at("loaded") })
        yield* assertWhole(at("loaded"))
        yield* Effect.promise(() => rm(at("."), { recursive: true }))
        return { save, load }
      })
      const small = yield* peaks(layerMebibytes.small)
      let large = yield* peaks(layerMebibytes.large)
      // When garbage is collected differs from run to run. What grows with the content grows by hundreds each time.
      for (let again = 0; again < 2 && !(large.save - small.save <= 32 && large.load - small.load <= 32); again++) {
        const next = yield* peaks(layerMebibytes.large)
        large = { save: Math.min(large.save, next.save), load: Math.min(large.load, next.load) }
      }
      assert.isAtMost(large.save - small.save, 32, JSON.stringify({ small, large }))
      assert.isAtMost(large.load - small.load, 32, JSON.stringify({ small, large }))
    }).pipe(Effect.scoped),
  120_000
)
