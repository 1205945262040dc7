/**
 * A process that packs a folder, and prints the digest of the archive.
 *
 * Argument: the folder.
 */
import { createHash } from "node:crypto"
import * as Folder from "@effect-acr/artifacts/Folder"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

const [, , folder = ""] = process.argv

const program = Effect.gen(function* () {
  const hash = createHash("sha256")
  yield* Stream.runForEach(Folder.pack(folder), (piece) => Effect.sync(() => hash.update(piece)))
  yield* Console.log(hash.digest("hex"))
})

program.pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain)
