/**
 * Downloads into a folder in which somebody else has been before: nothing is written where a link of theirs leads.
 */
import { createHash, randomBytes } from "node:crypto"
import { lstat, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Digest from "@effect-acr/client/Digest"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { temporaryFolder } from "./support/command.ts"
import { emulated } from "./support/emulator.ts"

const bytes = randomBytes(100_000)
const digest = Digest.Digest.make(`sha256:${createHash("sha256").update(bytes).digest("hex")}`)

/** Downloads into a folder that was prepared, beside a file that is not to be touched. */
const downloaded = (
  prepare: (paths: { readonly victim: string; readonly target: string; readonly partial: string }) => Promise<unknown>,
  resumable: boolean
) =>
  Effect.gen(function* () {
    const content = yield* RegistryContent
    yield* content.uploadBlob("a", BlobSource.fromBytes(bytes))
    const folder = yield* temporaryFolder
    const victim = join(folder, "victim")
    const target = join(folder, "downloads", "layer.tar")
    const partial = `${target}.${Digest.hex(digest).slice(0, 16)}.partial`
    yield* Effect.promise(async () => {
      await mkdir(join(folder, "downloads"))
      await writeFile(victim, "not to be touched")
      await prepare({ victim, target, partial })
    })
    yield* content.downloadBlob("a", digest, target, { resumable })
    yield* Effect.promise(async () => {
      assert.strictEqual(await readFile(victim, "utf8"), "not to be touched")
      assert.isTrue((await lstat(target)).isFile())
      assert.deepStrictEqual(await readFile(target), bytes)
      assert.deepStrictEqual(await readdir(join(folder, "downloads")), ["layer.tar"])
    })
  }).pipe(Effect.provide([emulated(), NodeFileSystem.layer]))

for (const resumable of [false, true]) {
  describe(`a download that ${resumable ? "may" : "may not"} go on from what is there`, () => {
    it.live("takes the place of a link under its name", () =>
      downloaded(({ target, victim }) => symlink(victim, target), resumable)
    )

    it.live("takes the place of a link under the name of its part", () =>
      downloaded(({ partial, victim }) => symlink(victim, partial), resumable)
    )

    it.live("takes the place of a link that leads nowhere yet", () =>
      downloaded(({ partial, victim }) => symlink(`${victim}-to-be`, partial), resumable)
    )
  })
}

describe("a download that begins anew", () => {
  it.live("takes the place of a part that is another's", () =>
    downloaded(({ partial }) => writeFile(partial, randomBytes(200_000)), false)
  )
})
