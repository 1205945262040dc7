/**
 * Rules as data, readable from JSON: what moves from where to where.
 *
 * @since 0.1.0
 */
import * as NamePatterns from "@effect-acr/artifacts/NamePatterns"
import * as Platform from "@effect-acr/client/Platform"
import { documentProblems, jsonProblem } from "@effect-acr/client/Printable"
import * as Reference from "@effect-acr/client/Reference"
import * as RateLimits from "@effect-acr/client/RateLimits"
import type * as Transport from "@effect-acr/client/Transport"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaParser from "effect/SchemaParser"
import { kindOf, placeName, renamingOf } from "./internal/names.ts"
import { MigrationError } from "./MigrationError.ts"

const isRegistry = Schema.is(Reference.Registry)

/** The database stores the rules as they are: a login in them would be stored too. */
const loginServer = Schema.String.check(
  Schema.makeFilter((text) =>
    isRegistry(text)
      ? undefined
      : "Expected a login server such as myregistry.azurecr.io, without https:// and without a login"
  )
)

/**
 * Where content comes from or goes to.
 *
 * **Details**
 *
 * - `{ "registry": "myregistry.azurecr.io" }`: a registry by its login server.
 * - `{ "layouts": "backup" }`: a folder with one OCI image layout per repository, such as `backup/shop/api`.
 * - `{ "archives": "backup" }`: a folder with one uncompressed OCI archive per repository, such as `backup/shop/api.tar`.
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

export type Place = typeof Place.Type

const globsOf = (member: "include" | "exclude") => {
  const isGlob = Schema.makeFilter<string>((glob) =>
    Result.match(NamePatterns.compile({ [member]: [glob] }), {
      onFailure: (problem) => problem,
      onSuccess: () => undefined
    })
  )
  return Schema.Array(Schema.String.check(isGlob))
}

/**
 * Selects names by globs, as in `NamePatterns`. `exclude` takes precedence over `include`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Patterns = Schema.Struct({
  /** A name must match one of these globs. Defaults to all names. */
  include: Schema.optionalKey(globsOf("include")),
  /** A name that matches one of these globs is excluded. Defaults to none. */
  exclude: Schema.optionalKey(globsOf("exclude"))
})

export type Patterns = typeof Patterns.Type

/**
 * Replaces the prefix of names: with `prefix` "shop/" and `replaceBy` "archive/shop/", `shop/api` becomes `archive/shop/api`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Renaming = Schema.Struct({
  /** The prefix of the source's name. The empty string matches every name. */
  prefix: Schema.String,
  /** The prefix of the target's name. */
  replaceBy: Schema.String
})

export type Renaming = typeof Renaming.Type

/**
 * A source, a target, and what to copy between them.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Route = Schema.Struct({
  /** The source. */
  from: Place,
  /** The target. */
  to: Place,
  /**
   * The repositories to copy: globs for the list of the source, or `names` if the source does not list its repositories.
   * Defaults to all that are listed.
   */
  repositories: Schema.optionalKey(
    Schema.Union([Schema.Struct({ names: Schema.NonEmptyArray(Schema.NonEmptyString) }), Patterns])
  ),
  /** The tags to copy. Defaults to all. */
  tags: Schema.optionalKey(Patterns),
  /**
   * New names of repositories. The first entry with a matching prefix applies, and each entry must apply to a repository.
   * Defaults to the same names.
   */
  rename: Schema.optionalKey(Schema.Array(Renaming))
})

export type Route = typeof Route.Type

const aLimit = {
  expected: '"acrBasic", "acrStandard" or "acrPremium", or requests per minute such as {"read": 1000, "write": 200}'
}

const requests = Schema.Int.check(Schema.isGreaterThan(0))

/**
 * The requests per minute that a registry allows: a tier of Azure Container Registry (Basic and Standard have the same
 * limits), or numbers by kind as in `RateLimits`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RegistryLimits = Schema.Union([
  Schema.Literals(["acrBasic", "acrStandard", "acrPremium"]).annotate(aLimit),
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
]).annotate(aLimit)

const count = Schema.Int.check(Schema.isGreaterThan(0))

const Limits = Schema.Struct({
  /** Requests per minute by login server. Other registries are not limited. */
  registries: Schema.optionalKey(Schema.Record(Schema.String, RegistryLimits)),
  /** This process's fraction of these limits if several processes share them: above 0 and at most 1. Defaults to 1. */
  share: Schema.optionalKey(Schema.Finite.check(Schema.isGreaterThan(0), Schema.isLessThanOrEqualTo(1))),
  /** The maximum bytes of blobs in flight, at least 1,048,576. Defaults to 268,435,456 bytes (256 MiB). */
  bytesInFlight: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(1_048_576))),
  /** The number of artifacts that are copied concurrently. Defaults to 8. */
  copies: Schema.optionalKey(count),
  /** The maximum number of artifacts in a batch. Defaults to 1,000. */
  batch: Schema.optionalKey(count)
})

const platform = Schema.String.check(
  Schema.makeFilter((text) =>
    Result.isSuccess(Platform.parse(text)) ? undefined : "Expected a platform such as linux/amd64 or linux/arm/v7"
  )
)

const RulesFields = Schema.Struct({
  /** Which source is copied to which target. */
  routes: Schema.NonEmptyArray(Route),
  /**
   * The platforms to copy of an index, such as `linux/arm64`: those that it has. An index with none of them is skipped. All that is no
   * index is copied, also an image for another platform. Defaults to all.
   */
  platforms: Schema.optionalKey(Schema.NonEmptyArray(platform)),
  /** How to copy an index when `platforms` omits some of its platforms, as in `Copy`. Defaults to `rewrite`. */
  index: Schema.optionalKey(Schema.Literals(["rewrite", "sparse"])),
  /** Whether signatures, SBOMs and other referrers are copied. Defaults to true. */
  referrers: Schema.optionalKey(Schema.Boolean),
  /** Whether to copy the signature tags of cosign 2 with their images, also where `tags` excludes them. Defaults to false. */
  cosignTags: Schema.optionalKey(Schema.Boolean),
  /**
   * Whether to copy untagged manifests that no copied artifact contains. Azure Container Registry, layouts and archives list
   * them, other registries do not. Defaults to false.
   */
  untagged: Schema.optionalKey(Schema.Boolean),
  /** What to do if a tag of the target names another manifest: `overwrite` (the default), `keep`, or `fail`. */
  onTag: Schema.optionalKey(Schema.Literals(["overwrite", "keep", "fail"])),
  /** How to verify copies, in addition to the lists of the target. */
  verify: Schema.optionalKey(
    Schema.Struct({
      /**
       * The number of copied artifacts that each pass reads back from the target and hashes, with their referrers. Damaged ones
       * are sent again. Defaults to 5; 0 disables it.
       */
      sample: Schema.optionalKey(Schema.Natural)
    })
  ),
  /** Limits of request rates, bytes in flight and concurrency. */
  limits: Schema.optionalKey(Limits)
})

type RulesFields = typeof RulesFields.Type

const placeOf = (place: Place): string => `${kindOf(place)} ${placeName(place)}`

/** Whether a target is inside the source's folder of layouts: each pass would find the copies of the one before. */
const isInside = ({ from, to }: Route): boolean =>
  "layouts" in from &&
  !("registry" in to) &&
  placeOf(from) !== placeOf(to) &&
  `${placeName(to)}/`.startsWith(`${placeName(from)}/`)

/** Finds rules that would not do what they seem to say. */
const rulesProblem = Schema.makeFilter<RulesFields>(
  ({ index, limits: { registries = {} } = {}, platforms, routes }) => {
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
    const sparse = routes.findIndex(({ to }) => index === "sparse" && platforms !== undefined && "archives" in to)
    if (sparse !== -1) {
      return {
        path: ["routes", sparse, "to"],
        issue: "archives have no sparse indexes: use layouts, or rewrite the indexes"
      }
    }
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
  }
)

const StrictRules = RulesFields.check(rulesProblem)

const decodeStrict = SchemaParser.decodeUnknownEffect(StrictRules, { onExcessProperty: "error", errors: "all" })
const encodeStrict = SchemaParser.encodeEffect(StrictRules)

/**
 * Rules of a migration.
 *
 * **Details**
 *
 * Decoding rejects unknown members: a misspelt condition would otherwise match everything.
 *
 * **Example** (Parsing rules)
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
    decode: SchemaGetter.transformEffect((input: unknown) => decodeStrict(input)),
    encode: SchemaGetter.transformEffect((rules: RulesFields) => encodeStrict(rules))
  })
)

export type Rules = typeof Rules.Type

const decodeRules = Schema.decodeUnknownEffect(Rules)

const invalid = (problem: string) =>
  new MigrationError({ problem: "InvalidRules", description: `the rules cannot be used: ${problem}` })

/**
 * Parses rules from JSON. Fails with `InvalidRules`, and the message names the member that is wrong.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (json: string): Effect.Effect<Rules, MigrationError> =>
  Effect.try({
    try: (): unknown => JSON.parse(json),
    catch: () => invalid(`they are not JSON: ${jsonProblem(json)}`)
  }).pipe(Effect.flatMap((value) => Effect.mapError(decodeRules(value), (error) => invalid(documentProblems(error)))))

/**
 * Returns the target's name of a repository of the source.
 *
 * @category getters
 * @since 0.1.0
 */
export const targetName = ({ rename = [] }: Pick<Route, "rename">, repository: string): string => {
  const renaming = renamingOf(rename, repository)
  return renaming === undefined ? repository : `${renaming.replaceBy}${repository.slice(renaming.prefix.length)}`
}

const tiers = {
  acrBasic: RateLimits.acrStandard,
  acrStandard: RateLimits.acrStandard,
  acrPremium: RateLimits.acrPremium
} as const

const kinds = ["read", "write", "delete", "referrers", "oauth"] as const

/**
 * Returns the requests per minute that this process may send to a registry: the limits of the rules times `share`. A kind
 * that the rules omit is not limited.
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
 * Returns the client options for a registry of a migration: the limits of the rules, and slower requests after a 429.
 *
 * **Details**
 *
 * All workers of a process share the limits. Of several processes, each gets `limits.share` of them; with a `RateLimiter` of
 * `effect/persistence` on Redis, they share them as a whole, see `RateLimits`. A registry without limits in the rules gets
 * requests as fast as it responds, until its first 429.
 *
 * **Example** (Building registries for a run)
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
