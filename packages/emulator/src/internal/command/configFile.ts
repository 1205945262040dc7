/**
 * The configuration file: JSON, in which unknown settings are refused.
 */
import { readFile } from "node:fs/promises"
import { dirname, resolve } from "node:path"
import { documentProblems, jsonProblem } from "@effect-acr/client/Printable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { attempt, CannotStart } from "./problem.ts"
import { Settings } from "./settings.ts"

const decode = Schema.decodeUnknownEffect(Settings)

/** Paths in the configuration are relative to its folder, as in other tools. */
const resolveFiles = (settings: Settings, folder: string): Settings => {
  const { caOut, directory, https, readyFile, seeds } = settings
  return {
    ...settings,
    ...(caOut === undefined ? {} : { caOut: resolve(folder, caOut) }),
    ...(directory === undefined ? {} : { directory: resolve(folder, directory) }),
    ...(readyFile === undefined ? {} : { readyFile: resolve(folder, readyFile) }),
    ...(seeds === undefined
      ? {}
      : {
          seeds: seeds.map((seed) =>
            typeof seed === "object" && "from" in seed ? { ...seed, from: resolve(folder, seed.from) } : seed
          )
        }),
    ...(typeof https === "object"
      ? { https: { certificate: resolve(folder, https.certificate), key: resolve(folder, https.key) } }
      : {})
  }
}

/** Reads the settings of a configuration file. */
export const read = Effect.fnUntraced(function* (file: string): Effect.fn.Return<Settings, CannotStart> {
  // Editors and shells of Windows write a byte order mark first.
  const text = (yield* attempt(file, () => readFile(file, "utf8"))).replace(/^\uFEFF/, "")
  const json = yield* Effect.try({
    try: (): unknown => JSON.parse(text),
    catch: () => new CannotStart({ problem: `${file} is not JSON: ${jsonProblem(text)}` })
  })
  const settings = yield* Effect.mapError(
    decode(json, { onExcessProperty: "error", errors: "all" }),
    (error) => new CannotStart({ problem: `${file}: ${documentProblems(error)}` })
  )
  return resolveFiles(settings, dirname(file))
})
