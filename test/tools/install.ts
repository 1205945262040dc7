/**
 * Builds a tool into the cache.
 */
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises"
import { dirname, join } from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { type AzureClient, cachedFolder, isThere } from "../support/azureClients.ts"
import { isInstalled, run } from "../support/command.ts"
import { cachedPath, cacheFolder, isExecutable, type Tool } from "../support/tools.ts"

/** The result of installing a tool. */
export type Outcome = Data.TaggedEnum<{
  Cached: {}
  Built: { readonly seconds: number }
  NotBuilt: { readonly why: string }
}>

export const Outcome = Data.taggedEnum<Outcome>()

type NotBuilt = Data.TaggedEnum.Value<Outcome, "NotBuilt">

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

/** Runs a step of a build, whose name is in the message of its failure. */
const step = (
  name: string,
  command: string,
  args: ReadonlyArray<string>,
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv }
) =>
  run(command, args, { ...options, env: { ...process.env, ...options.env } }).pipe(
    Effect.mapError(({ stderr }) => Outcome.NotBuilt({ why: `${name} fails:\n  ${ending(stderr)}` })),
    Effect.timeoutOrElse({
      duration: limit,
      orElse: () => Effect.fail(Outcome.NotBuilt({ why: `${name} takes longer than ${limit}` }))
    })
  )

/** Carries out a build, and moves the file or the folder that it made to its place in the cache. */
const intoCache = Effect.fnUntraced(function* (build: {
  readonly name: string
  readonly target: string
  readonly make: (folder: string) => Effect.Effect<unknown, NotBuilt>
}) {
  const folder = yield* buildFolder
  const began = performance.now()
  yield* build.make(folder)
  yield* inCache(async () => {
    await mkdir(dirname(build.target), { recursive: true })
    await rename(join(folder, build.name), build.target)
  })
  return Outcome.Built({ seconds: (performance.now() - began) / 1000 })
}, Effect.scoped)

const needed = (command: string, name: string) =>
  Effect.suspend(() =>
    isInstalled(command) ? Effect.void : Effect.fail(Outcome.NotBuilt({ why: `${name} is not installed` }))
  )

const goInstall = (tool: Tool) =>
  Effect.andThen(
    needed("go", "Go"),
    intoCache({
      name: tool.name,
      target: cachedPath(tool),
      // Go checks each module against its public checksum database.
      make: (folder) =>
        step("go install", "go", ["install", `${tool.package}@v${tool.version}`], {
          cwd: folder,
          env: { GOBIN: folder }
        })
    })
  )

const goBuild = (client: AzureClient) =>
  Effect.andThen(
    needed("go", "Go"),
    intoCache({
      name: client.name,
      target: cachedFolder(client),
      make: (folder) =>
        step("go build", "go", ["build", "-mod=readonly", "-o", join(folder, client.name, client.name), "."], {
          cwd: client.folder
        })
    })
  )

/** Takes wheels alone, whose hashes are in the list: no code of a package runs. */
const pipInstallArgs =
  "-m pip install -q --disable-pip-version-check --no-deps --require-hashes --only-binary :all: -r".split(" ")

/** The environment may be moved, because only its Python is run, which finds the rest beside itself. */
const pipInstall = (client: AzureClient) =>
  Effect.andThen(
    needed("python3", "Python"),
    intoCache({
      name: client.name,
      target: cachedFolder(client),
      make: (folder) =>
        Effect.andThen(
          step("python3 -m venv", "python3", ["-m", "venv", client.name], { cwd: folder }),
          step(
            "pip install",
            join(folder, client.name, "bin/python"),
            [...pipInstallArgs, join(client.folder, "requirements.txt")],
            { cwd: folder }
          )
        )
    })
  )

const unless = (isCached: boolean, build: Effect.Effect<Outcome, NotBuilt>): Effect.Effect<Outcome> =>
  isCached ? Effect.succeed(Outcome.Cached()) : Effect.catch(build, (notBuilt) => Effect.succeed(notBuilt))

/** Builds a tool, unless the cache has it. A failed build is no error, because tests that need the tool are skipped then. */
export const install = (tool: Tool): Effect.Effect<Outcome> =>
  Effect.suspend(() => unless(isExecutable(cachedPath(tool)), goInstall(tool)))

/** Builds what a program of one of Azure's clients needs, likewise. */
export const installClient = (client: AzureClient): Effect.Effect<Outcome> =>
  Effect.suspend(() => unless(isThere(client), client.language === "Go" ? goBuild(client) : pipInstall(client)))
