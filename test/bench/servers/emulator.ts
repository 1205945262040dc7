/**
 * The emulator with a repository of many tags, in a process of its own.
 *
 * Arguments: the repository, how many images with a tag each, and the file for the certificate to trust. Prints its
 * address when they are there.
 */
import { writeFile } from "node:fs/promises"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { AcrEmulator } from "@effect-acr/emulator"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

const [, , repository = "", count = "", ca = ""] = process.argv

Effect.gen(function* () {
  const { certificate, endpoint, seed } = yield* AcrEmulator.AcrEmulator
  yield* Effect.promise(() =>
    writeFile(
      ca,
      Option.getOrElse(certificate, () => "")
    )
  )
  for (let index = 0; index < Number(count); index++) {
    yield* seed({
      repository,
      tags: [`v${index}`],
      layers: ["the same in all"],
      pushedAt: DateTime.makeUnsafe(index * 1000)
    })
  }
  yield* Console.log(endpoint)
  return yield* Effect.never
}).pipe(Effect.provide(AcrEmulator.layer({ anonymousPull: true, https: true })), NodeRuntime.runMain)
