/**
 * Programs as one file of JavaScript: none spends time or memory on reading TypeScript.
 */
import * as Effect from "effect/Effect"
import { build, type InputOptions, type OutputOptions } from "rolldown"

export const bundle = (
  options: Pick<InputOptions, "plugins" | "external"> & {
    readonly entry: string
    readonly file: string
    readonly minify?: OutputOptions["minify"]
    readonly sourcemap?: OutputOptions["sourcemap"]
  }
): Effect.Effect<void> => {
  const { entry, file, minify = false, sourcemap = false, ...rest } = options
  return Effect.promise(async () => {
    await build({
      ...rest,
      input: entry,
      platform: "node",
      logLevel: "silent",
      output: { file, minify, sourcemap, codeSplitting: false }
    })
  })
}
