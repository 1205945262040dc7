/**
 * A layout that several processes write at the same time, and that processes write which are killed.
 */
import { readdirSync } from "node:fs"
import { join } from "node:path"
import * as ImageLayout from "@effect-acr/artifacts/ImageLayout"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { temporaryFolder } from "./support/command.ts"
import { assertWhole, ended, hasPrinted, writing } from "./support/layoutProcesses.ts"

/** How many processes are killed: `KILLS=100 npx -y pnpm@12 exec vitest run test/layoutProcesses.test.ts`. */
const kills = Number(process.env["KILLS"] ?? 8)

const locksIn = (folder: string) => readdirSync(folder).filter((name) => name.startsWith(".lock"))

it.live(
  "two processes that add 100 tags each lose none, and write what they share once",
  () =>
    Effect.gen(function* () {
      const folder = join(yield* temporaryFolder, "layout")
      const processes = yield* Effect.forEach(["a", "b"], (prefix) => writing(folder, prefix, 100))
      for (const { child } of processes) assert.strictEqual(yield* ended(child), 0)
      const tags = yield* assertWhole(
        folder,
        processes.flatMap(({ printed }) => printed)
      )
      assert.lengthOf(tags, 200)
      // 200 layers of their own, 200 manifests, the configuration, and the layer that all share.
      assert.lengthOf(readdirSync(join(folder, "blobs/sha256")), 402)
      assert.deepStrictEqual(readdirSync(join(folder, "ingest")), [])
      assert.deepStrictEqual(locksIn(folder), [])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
  120_000
)

it.live(
  "a process that is killed tears nothing, loses nothing that it has said, and keeps no other from writing",
  () =>
    Effect.gen(function* () {
      const folder = join(yield* temporaryFolder, "layout")
      const said: Array<string> = []
      for (let round = 0; round < kills; round++) {
        const killed = yield* writing(folder, `round${round}`, 1000)
        yield* hasPrinted(killed, 2 + (round % 10))
        yield* Effect.sleep(yield* Random.nextIntBetween(0, 40))
        killed.child.kill("SIGKILL")
        assert.strictEqual(yield* ended(killed.child), "SIGKILL")
        said.push(...killed.printed)
        yield* assertWhole(folder, said)
      }
      const last = yield* writing(folder, "last", 3)
      assert.strictEqual(yield* ended(last.child), 0)
      yield* assertWhole(folder, [...said, ...last.printed])
      assert.deepStrictEqual(locksIn(folder), [])
      const layout = yield* ImageLayout.open(folder)
      yield* layout.prune({ minAge: 0 })
      assert.deepStrictEqual(readdirSync(join(folder, "ingest")), [])
      yield* assertWhole(folder, [...said, ...last.printed])
    }).pipe(Random.withSeed("kills"), Effect.scoped, Effect.provide(NodeServices.layer)),
  60_000 + kills * 10_000
)
