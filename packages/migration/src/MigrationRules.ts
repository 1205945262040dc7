/**
 * Rules that say what moves from where to where, as data that reads from JSON.
 *
 * @since 0.1.0
 */
import * as NamePatterns from "@effect-acr/artifacts/NamePatterns"
import * as Platform from "@effect-acr/client/Platform"
import * as Reference from "@effect-acr/client/Reference"
import * as RateLimits from "@effect-acr/client/RateLimits"
import type * as Transport from "@effect-acr/client/Transport"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import { MigrationError } from "./MigrationError.ts"

const isRegistry = Schema.is(Reference.Registry)

/** The rules are in the database as they are: a login in them would be as well. */
const loginServer = Schema.String.check(
  Schema.makeFilter((text) =>
    isRegistry(text) ? undefined : "a login server such as myregistry.azurecr.io, without https:// and without a login"
  )
)

/**
 * Where content comes from or goes to.
 *
 * **Details**
 *
 * `{ "registry": "myregistry.azurecr.io" }` is a registry by the name that it has in references.
 * `{ "layouts": "backup" }` is a folder with an OCI image layout for each repository, at the path that is the repository's
 * name: `backup/shop/api`. `{ "archives": "backup" }` is a folder with an OCI archive for each repository, `backup/shop/api.tar`,
 * not compressed.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Place = Schema.Union([
  Schema.Struct({
    /** The login server of a registry. */
    registry: loginServer
  }),
  Schema.Struct({
    /** A folder of image layouts. */
    layouts: Schema.NonEmptyString
  }),
  Schema.Struct({
    /** A folder of archives. */
    archives: Schema.NonEmptyString
  })
])

/**
 * Where content comes from or goes to.
 *
 * @category models
 * @since 0.1.0
 */
export type Place = typeof Place.Type

const isGlob = Schema.makeFilter<string>((glob) =>
  Result.match(NamePatterns.compile({ include: [glob] }), {
    onFailure: (problem) => problem,
    onSuccess: () => undefined
  })
)

const globs = Schema.Array(Schema.String.check(isGlob))

/**
 * Names by globs, as in `NamePatterns`. `exclude` comes before `include`, which defaults to all.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Patterns = Schema.Struct({
  /** Globs of which a name has to match one. Defaults to all names. */
  include: Schema.optionalKey(globs),
  /** Globs that exclude the names that they match. Defaults to none. */
  exclude: Schema.optionalKey(globs)
})

/**
 * Names by globs.
 *
 * @category models
 * @since 0.1.0
 */
export type Patterns = typeof Patterns.Type

/**
 * A new beginning for names: with `prefix` "shop/" and `replaceBy` "archive/shop/", `shop/api` becomes `archive/shop/api`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Renaming = Schema.Struct({
  /** What the name begins with. The empty text is the beginning of every name. */
  prefix: Schema.String,
  /** What the target's name has in its place. */
  replaceBy: Schema.String
})

/**
 * A new beginning for names.
 *
 * @category models
 * @since 0.1.0
 */
export type Renaming = typeof Renaming.Type

/**
 * A way from one place to another.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Route = Schema.Struct({
  /** Where content comes from. */
  from: Place,
  /** Where it goes. */
  to: Place,
  /**
   * The repositories: by globs, from the list of the source, or by `names` where the source does not list its repositories.
   * Defaults to all that are listed.
   */
  repositories: Schema.optionalKey(
    Schema.Union([Schema.Struct({ names: Schema.NonEmptyArray(Schema.NonEmptyString) }), Patterns])
  ),
  /** The tags. Defaults to all. */
  tags: Schema.optionalKey(Patterns),
  /** New names of repositories. The first whose prefix a name has is taken. Defaults to the same names. */
  rename: Schema.optionalKey(Schema.Array(Renaming))
})

/**
 * A way from one place to another.
 *
 * @category models
 * @since 0.1.0
 */
export type Route = typeof Route.Type

const requests = Schema.Int.check(Schema.isGreaterThan(0))

/**
 * How many requests a minute a registry allows: a tier of Azure Container Registry (Basic and Standard have the same
 * limits), or numbers by kind as in `RateLimits`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RegistryLimits = Schema.Union([
  Schema.Literals(["acrBasic", "acrStandard", "acrPremium"]),
  Schema.Struct({
    /** GET and HEAD. */
    read: Schema.optionalKey(requests),
    /** PUT, PATCH and POST. */
    write: Schema.optionalKey(requests),
    /** DELETE. */
    delete: Schema.optionalKey(requests),
    /** Lists of referrers. */
    referrers: Schema.optionalKey(requests),
    /** Requests for tokens. */
    oauth: Schema.optionalKey(requests)
  })
])

const count = Schema.Int.check(Schema.isGreaterThan(0))

const Limits = Schema.Struct({
  /** Requests a minute by login server. Registries that are left out are not limited. */
  registries: Schema.optionalKey(Schema.Record(Schema.String, RegistryLimits)),
  /** The part of these numbers that this process may use, where several share them: more than 0, and at most 1, the default. */
  share: Schema.optionalKey(Schema.Finite.check(Schema.isGreaterThan(0), Schema.isLessThanOrEqualTo(1))),
  /** How many bytes of blobs may be under way at the same time, at least 1,048,576. Defaults to 268,435,456. */
  bytesInFlight: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(1_048_576))),
  /** How many artifacts are copied at the same time. Defaults to 8. */
  copies: Schema.optionalKey(count),
  /** How many artifacts a batch has at most. Defaults to 1,000. */
  batch: Schema.optionalKey(count)
})

const platform = Schema.String.check(
  Schema.makeFilter((text) =>
    Result.isSuccess(Platform.parse(text)) ? undefined : "a platform such as linux/amd64 or linux/arm/v7"
  )
)

const RulesFields = Schema.Struct({
  /** The ways from place to place. */
  routes: Schema.NonEmptyArray(Route),
  /** The platforms to copy of an index, such as `linux/arm64`. Defaults to all. */
  platforms: Schema.optionalKey(Schema.NonEmptyArray(platform)),
  /** What becomes of an index of which platforms are left out, as in `Copy`. Defaults to `rewrite`. */
  index: Schema.optionalKey(Schema.Literals(["rewrite", "sparse"])),
  /** Whether signatures, SBOMs and other referrers are copied. Defaults to true. */
  referrers: Schema.optionalKey(Schema.Boolean),
  /** Whether the tags of cosign 2 are copied with the images that they are for. Other tags are copied anyway. Defaults to false. */
  cosignTags: Schema.optionalKey(Schema.Boolean),
  /**
   * Whether manifests without a tag are copied that no copied artifact contains. Only Azure Container Registry lists them.
   * Defaults to false.
   */
  untagged: Schema.optionalKey(Schema.Boolean),
  /** What becomes of a tag of the target that names something else: `overwrite` (the default), `keep`, or `fail`. */
  onTag: Schema.optionalKey(Schema.Literals(["overwrite", "keep", "fail"])),
  /** How copies are verified beside the lists of the target. */
  verify: Schema.optionalKey(
    Schema.Struct({
      /**
       * How many of the artifacts that a pass finds copied are read back from the target and hashed, with their referrers. One
       * that is damaged is sent again. Defaults to 5; 0 for none.
       */
      sample: Schema.optionalKey(Schema.Natural)
    })
  ),
  /** Limits of requests, of bytes and of concurrency. */
  limits: Schema.optionalKey(Limits)
})

type RulesFields = typeof RulesFields.Type

const placeOf = (place: Place): string => {
  if ("registry" in place) return `registry ${place.registry.toLowerCase()}`
  return "layouts" in place ? `layouts ${place.layouts}` : `archives ${place.archives}`
}

const folderOf = (place: Place): string | undefined => {
  if ("registry" in place) return undefined
  return `${"layouts" in place ? place.layouts : place.archives}`.replace(/\/+$/, "")
}

/** Whether a target is in the folder of layouts that is read: each pass would find what the one before has made. */
const isInside = ({ from, to }: Route): boolean => {
  const [source, target] = [folderOf(from), folderOf(to)]
  if (source === undefined || target === undefined || !("layouts" in from)) return false
  return `${target}/`.startsWith(`${source}/`) && placeOf(from) !== placeOf(to)
}

/** What rules may not say, since it would not mean what it seems to. */
const rulesProblem = Schema.makeFilter<RulesFields>(({ limits: { registries = {} } = {}, routes }) => {
  const circular = routes.findIndex(
    ({ from, rename = [], to }) =>
      placeOf(from) === placeOf(to) && rename.every(({ prefix, replaceBy }) => prefix === replaceBy)
  )
  if (circular !== -1) {
    return {
      path: ["routes", circular],
      issue: "from and to are one place: rename repositories, or choose another place"
    }
  }
  const inside = routes.findIndex(isInside)
  if (inside !== -1) return { path: ["routes", inside, "to"], issue: "it is inside the folder that is read" }
  const used = new Set(
    routes.flatMap(({ from, to }) => [from, to].flatMap((place) => ("registry" in place ? [place.registry] : [])))
  )
  const unused = Object.keys(registries).find((name) => !used.has(name))
  return unused === undefined
    ? undefined
    : {
        path: ["limits", "registries", unused],
        issue: "no route has a registry of this name, so that nothing would be limited"
      }
})

const StrictRules = RulesFields.check(rulesProblem)

const decodeStrict = Schema.decodeUnknownEffect(StrictRules, { onExcessProperty: "error", errors: "all" })
const encodeStrict = Schema.encodeEffect(StrictRules)

/**
 * Rules of a migration.
 *
 * **Details**
 *
 * Decoding refuses names that it does not know: a misspelt condition would otherwise match everything.
 *
 * **Example** (Rules in a file)
 *
 * ```ts
 * import { MigrationRules } from "@effect-acr/migration"
 *
 * export const rules = MigrationRules.parse(`{
 *   "routes": [
 *     {
 *       "from": { "registry": "old.azurecr.io" },
 *       "to": { "registry": "new.azurecr.io" },
 *       "repositories": { "include": ["shop/**"], "exclude": ["shop/scratch/**"] },
 *       "tags": { "exclude": ["pr-*"] },
 *       "rename": [{ "prefix": "shop/", "replaceBy": "store/" }]
 *     }
 *   ],
 *   "limits": { "registries": { "old.azurecr.io": "acrStandard", "new.azurecr.io": "acrPremium" } }
 * }`)
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Rules = Schema.Unknown.pipe(
  Schema.decodeTo(Schema.toType(StrictRules), {
    decode: SchemaGetter.transformEffect((input: unknown) =>
      Effect.mapError(decodeStrict(input), ({ issue }) => issue)
    ),
    encode: SchemaGetter.transformEffect((rules: RulesFields) =>
      Effect.mapError(encodeStrict(rules), ({ issue }) => issue)
    )
  })
)

/**
 * Rules of a migration.
 *
 * @category models
 * @since 0.1.0
 */
export type Rules = typeof Rules.Type

const decodeRules = Schema.decodeUnknownEffect(Rules)

const invalid = (problem: string) =>
  new MigrationError({ problem: "InvalidRules", description: `the rules cannot be used: ${problem}` })

/**
 * Reads rules from the text of a JSON file. Fails with `InvalidRules`, and names the member that is wrong.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (json: string): Effect.Effect<Rules, MigrationError> =>
  Effect.try({
    try: (): unknown => JSON.parse(json),
    catch: (error) => invalid(`they are not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }).pipe(Effect.flatMap((value) => Effect.mapError(decodeRules(value), ({ message }) => invalid(message))))

/**
 * The name at the target of a repository of the source.
 *
 * @category getters
 * @since 0.1.0
 */
export const targetName = ({ rename = [] }: Pick<Route, "rename">, repository: string): string => {
  const renaming = rename.find(({ prefix }) => repository.startsWith(prefix))
  return renaming === undefined ? repository : `${renaming.replaceBy}${repository.slice(renaming.prefix.length)}`
}

const tiers = {
  acrBasic: RateLimits.acrStandard,
  acrStandard: RateLimits.acrStandard,
  acrPremium: RateLimits.acrPremium
} as const

const kinds = ["read", "write", "delete", "referrers", "oauth"] as const

/**
 * The requests a minute that a process may send to a registry by the rules: its limits, times its share. A kind that is
 * left out is not limited.
 *
 * @category getters
 * @since 0.1.0
 */
export const rateLimits = ({ limits = {} }: Rules, loginServer: string): RateLimits.RateLimits => {
  const { registries = {}, share = 1 } = limits
  const own = registries[loginServer]
  if (own === undefined) return {}
  const whole: RateLimits.RateLimits = typeof own === "string" ? tiers[own] : own
  return Object.fromEntries(
    kinds.flatMap((kind) => {
      const number = whole[kind]
      return number === undefined ? [] : [[kind, Math.max(1, Math.floor(number * share))]]
    })
  )
}

/**
 * How a migration talks to a registry: within the limits of the rules, and slower after the registry has answered 429.
 *
 * **Details**
 *
 * All workers of a process share the limits. Several processes each get `limits.share` of them, or share them as a whole
 * where the layer is built with a `RateLimiter` of `effect/persistence` on Redis, see `RateLimits`. A registry without limits
 * in the rules is asked as fast as it answers, until it answers 429 for the first time.
 *
 * **Example** (Registries for a run)
 *
 * ```ts
 * import { MigrationRules } from "@effect-acr/migration"
 * import { NodeRegistries } from "@effect-acr/node"
 *
 * export const registriesFor = (rules: MigrationRules.Rules) =>
 *   NodeRegistries.layerOptions({
 *     registries: (loginServer) => MigrationRules.registryOptions(rules, loginServer)
 *   })
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const registryOptions = (
  rules: Rules,
  loginServer: string
): Pick<Transport.Options, "adaptive" | "rateLimits"> => ({
  adaptive: true,
  rateLimits: rateLimits(rules, loginServer)
})
