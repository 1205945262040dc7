/**
 * Names variables in errors as they were read.
 *
 * `Config.nested` and the program's `ConfigProvider` both change names: `REGISTRY_PASSWORD` becomes
 * `STAGING_REGISTRY_PASSWORD`. Effect's own errors apply only the first change, and a fixed text would apply neither.
 */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"

const isSegment = (key: PropertyKey): key is string | number => typeof key !== "symbol"

/** The variable of an error, and its problem; undefined if the error is not about one variable. */
const problemOf = ({ cause }: Config.ConfigError) =>
  cause._tag === "SchemaError" && cause.issue._tag === "Pointer"
    ? { path: cause.issue.path.filter(isSegment), issue: cause.issue.issue }
    : undefined

/** The name of a variable in the program's provider, or in the first of several. */
const nameAt = (path: ConfigProvider.Path): Effect.Effect<string> =>
  Effect.gen(function* () {
    const provider = yield* ConfigProvider.ConfigProvider
    // A provider does not expose its names, but passes on the path after all its own changes.
    const seen: Array<ConfigProvider.Path> = []
    const watched = provider.mapInput((changed) => {
      seen.push(changed)
      return changed
    })
    yield* Effect.ignore(watched.load(path))
    return (seen[0] ?? path).join("_")
  })

/**
 * The paths of variables. Only the configuration itself knows their prefix, so each is made to fail, and its error has
 * the path.
 */
const pathsOf = (names: ReadonlyArray<string>): Config.Config<ReadonlyArray<ConfigProvider.Path>> =>
  Config.all(
    names.map((name) =>
      Config.orElse(Config.schema(Schema.Never, name), (error) => Config.succeed(problemOf(error)?.path ?? [name]))
    )
  )

/** Fails a configuration as a whole, with a text that has the names under which its variables were read. */
export const failNaming = (
  variables: ReadonlyArray<string>,
  text: (names: ReadonlyArray<string>) => string
): Config.Config<never> =>
  Config.mapEffect(pathsOf(variables), (paths) =>
    Effect.flatMap(Effect.forEach(paths, nameAt), (names) =>
      Effect.fail(new Config.ConfigError(new ConfigProvider.SourceError({ message: text(names) })))
    )
  )

/** The error, with the name under which its variable was read. */
const asRead = (error: Config.ConfigError): Effect.Effect<Config.ConfigError> => {
  const problem = problemOf(error)
  if (problem === undefined) return Effect.succeed(error)
  return Effect.map(
    nameAt(problem.path),
    (name) => new Config.ConfigError(new Schema.SchemaError(new SchemaIssue.Pointer([name], problem.issue)))
  )
}

/** Reads a configuration. Errors name the variable as it was read. */
export const readNaming = <A>(config: Config.Config<A>): Effect.Effect<A, Config.ConfigError> =>
  Effect.catch(config, (error) => Effect.flatMap(asRead(error), Effect.fail))
