/**
 * The configuration file: JSON, in which unknown settings are refused.
 */
import { readFile } from "node:fs/promises"
import { dirname, resolve } from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type { StandardSchemaV1 } from "effect/StandardSchema"
import { attempt, CannotStart, messageOf } from "./problem.ts"
import { Settings } from "./settings.ts"

const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) =>
    issue._tag === "UnexpectedKey"
      ? "there is no such setting"
      : issue._tag === "MissingKey"
        ? "is missing"
        : SchemaIssue.defaultLeafHook(issue)
})

/** `referrers.pageSize`, `seeds[0]` */
const placeOf = (path: ReadonlyArray<PropertyKey | StandardSchemaV1.PathSegment>): string =>
  path
    .map((segment) => (typeof segment === "object" ? segment.key : segment))
    .map((key, index) => (typeof key === "number" ? `[${key}]` : index === 0 ? String(key) : `.${String(key)}`))
    .join("")

const problemsOf = ({ issue }: Schema.SchemaError): string =>
  issuesOf(issue)
    .issues.map(({ message, path = [] }) => (path.length === 0 ? message : `${placeOf(path)}: ${message}`))
    .join("; ")

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
  const text = yield* attempt(file, () => readFile(file, "utf8"))
  const json = yield* Effect.try({
    // Editors and shells of Windows write a byte order mark first.
    try: (): unknown => JSON.parse(text.replace(/^\uFEFF/, "")),
    catch: (cause) => new CannotStart({ problem: `${file} is not JSON: ${messageOf(cause).replace(/\s+/g, " ")}` })
  })
  const settings = yield* Effect.mapError(
    decode(json, { onExcessProperty: "error", errors: "all" }),
    (error) => new CannotStart({ problem: `${file}: ${problemsOf(error)}` })
  )
  return resolveFiles(settings, dirname(file))
})
