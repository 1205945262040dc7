/**
 * Memory does not grow with the size of what is transferred.
 */
import { rm } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { run, temporaryFolder } from "./support/command.ts"
import { writeLargeFile } from "./support/largeFile.ts"

const program = fileURLToPath(new URL("./support/transferProcess.ts", import.meta.url))

const Outcome = Schema.fromJsonString(Schema.Struct({ digest: Schema.String, peakBytes: Schema.Finite }))

const transfer = Effect.fnUntraced(function* (direction: "upload" | "download", path: string, digest: string) {
  const { endpoint, logins } = yield* AcrEmulator.AcrEmulator
  const printed = yield* run(process.execPath, [program, endpoint, direction, path, digest], {
    env: { ...process.env, ENTRA_TOKEN: Redacted.value(logins.entraToken) }
  })
  const outcome = yield* Schema.decodeEffect(Outcome)(printed)
  assert.strictEqual(outcome.digest, digest)
  return outcome.peakBytes / 1024 / 1024
})

it.live(
  "2 GiB up and down take at most 32 MiB more than 64 MiB",
  () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const peaks: Array<{ readonly up: number; readonly down: number }> = []
      for (const mebibytes of [64, 2048]) {
        const source = join(folder, "source")
        const target = join(folder, "target")
        const digest = yield* writeLargeFile(source, mebibytes)
        const up = yield* transfer("upload", source, digest)
        const down = yield* transfer("download", target, digest)
        peaks.push({ up, down })
        yield* Effect.promise(() => Promise.all([rm(source), rm(target)]))
      }
      const [small, large] = peaks
      assert.isAtMost((large?.up ?? 0) - (small?.up ?? 0), 32, JSON.stringify(peaks))
      assert.isAtMost((large?.down ?? 0) - (small?.down ?? 0), 32, JSON.stringify(peaks))
    }).pipe(Effect.provide(AcrEmulator.layer())),
  240_000
)
