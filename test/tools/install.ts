/**
 * Builds a tool into the cache.
 */
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises"
import { dirname, join } from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { isInstalled, run } from "../support/command.ts"
import { cachedPath, cacheFolder, isExecutable, type Tool } from "../support/tools.ts"

/** The result of installing a tool. */
export type Outcome = Data.TaggedEnum<{
  Cached: {}
  Built: { readonly seconds: number }
  NotBuilt: { readonly why: string }
}>

export const Outcome = Data.taggedEnum<Outcome>()

/** Longer than any build takes. Go has no limit of its own for a module proxy that does not respond. */
const limit = "15 minutes"

/** Work in the cache, which may be a folder that this user cannot write. */
const inCache = <A>(work: () => Promise<A>) =>
  Effect.tryPromise({ try: work, catch: (cause) => Outcome.NotBuilt({ why: String(cause) }) })

/** A folder beside the tools, because only within a file system a rename is atomic. */
const buildFolder = Effect.acquireRelease(
  inCache(async () => {
    await mkdir(cacheFolder(), { recursive: true })
    return mkdtemp(join(cacheFolder(), ".build-"))
  }),
  (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
)

/** The last lines of what Go prints: before them, it names each module that it downloads. */
const ending = (stderr: string): string => stderr.trim().split("\n").slice(-3).join("\n  ")

const goInstall = Effect.fnUntraced(function* (tool: Tool) {
  if (!isInstalled("go")) return Outcome.NotBuilt({ why: "Go is not installed" })
  const folder = yield* buildFolder
  const began = performance.now()
  // Go checks each module against its public checksum database.
  yield* run("go", ["install", `${tool.package}@v${tool.version}`], {
    cwd: folder,
    env: { ...process.env, GOBIN: folder }
  }).pipe(
    Effect.mapError(({ stderr }) => Outcome.NotBuilt({ why: `go install fails:\n  ${ending(stderr)}` })),
    Effect.timeoutOrElse({
      duration: limit,
      orElse: () => Effect.fail(Outcome.NotBuilt({ why: `go install takes longer than ${limit}` }))
    })
  )
  const target = cachedPath(tool)
  yield* inCache(async () => {
    await mkdir(dirname(target), { recursive: true })
    await rename(join(folder, tool.name), target)
  })
  return Outcome.Built({ seconds: (performance.now() - began) / 1000 })
}, Effect.scoped)

/** Builds a tool, unless the cache has it. A failed build is no error, because tests that need the tool are skipped then. */
export const install = (tool: Tool): Effect.Effect<Outcome> =>
  Effect.suspend((): Effect.Effect<Outcome> =>
    isExecutable(cachedPath(tool))
      ? Effect.succeed(Outcome.Cached())
      : Effect.catch(goInstall(tool), (notBuilt) => Effect.succeed(notBuilt))
  )
