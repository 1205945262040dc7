/**
 * The settings of the command: the members of its configuration file, all optional.
 */
import * as Reference from "@effect-acr/client/Reference"
import type * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import * as SchemaGetter from "effect/SchemaGetter"
import type * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import type * as AcrEmulator from "../../AcrEmulator.ts"
import type * as Control from "../../Control.ts"
import { Limits } from "../../Modes.ts"
import { type Seed, SeedContents, SeedImage } from "../../SeedImage.ts"
import { Period } from "../period.ts"
import * as PublicHost from "../publicHost.ts"

const optional = Schema.optionalKey

export const Port = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }))

export const Host = Schema.String.check(
  Schema.makeFilter((text) => PublicHost.parse(text) !== undefined, { expected: "a host such as registry.test:5001" })
)

const Size = Schema.Union([Schema.Natural, Schema.ByteSizeFromString])

/** An empty password would accept every client that sends none. */
const Password = Schema.RedactedFromValue(Schema.NonEmptyString)

/** RFC 7617, section 2: a name with a colon cannot log in. */
const Username = Schema.String.check(Schema.isPattern(/^[^:]+$/, { expected: "a name without a colon" }))

const Login = { username: Username, password: Password }

const ScopeMapToken = Schema.Struct({
  ...Login,
  scopeMap: Schema.Array(
    Schema.Struct({
      repository: Schema.String,
      actions: Schema.Array(
        Schema.Literals(["content/read", "content/write", "content/delete", "metadata/read", "metadata/write"])
      )
    })
  )
})

const parseImage = (text: string) =>
  Option.flatMap(Result.getSuccess(Reference.parse(`localhost/${text}`)), ({ repository, tag }) =>
    tag === undefined ? Option.none() : Option.some({ repository, tags: [tag] })
  )

/** An image such as `library/alpine:3.20`: a reference without its registry. */
export const Image = Schema.String.check(
  Schema.makeFilter((text) => Option.isSome(parseImage(text)), { expected: "an image such as library/alpine:3.20" })
)

const AnySeed = Schema.Union([Image, SeedContents, SeedImage])

const decodeText = SchemaParser.decodeUnknownEffect(Image)
const decodeContents = SchemaParser.decodeUnknownEffect(SeedContents)
const decodeImage = SchemaParser.decodeUnknownEffect(SeedImage)

/** Decodes a seed as the kind that it is meant to be, so that errors are about this kind alone. */
const decodeSeed = (
  seed: unknown,
  options: SchemaAST.ParseOptions
): Effect.Effect<typeof AnySeed.Type, SchemaIssue.Issue> =>
  typeof seed === "string"
    ? decodeText(seed, options)
    : Predicate.hasProperty(seed, "from")
      ? decodeContents(seed, options)
      : decodeImage(seed, options)

const encodeSeed = SchemaParser.encodeEffect(AnySeed)

/** An image as text, an image or another artifact, or a folder or an archive with images. */
const SeedSetting = Schema.Unknown.pipe(
  Schema.decodeTo(Schema.toType(AnySeed), {
    decode: SchemaGetter.transformEffect(decodeSeed),
    encode: SchemaGetter.transformEffect((seed: typeof AnySeed.Type) => encodeSeed(seed))
  })
)

/** The seeds to start with. */
export const seedsOf = ({ seeds = [] }: Settings): ReadonlyArray<Seed> =>
  seeds.flatMap((seed): ReadonlyArray<Seed> => (typeof seed === "string" ? Option.toArray(parseImage(seed)) : [seed]))

export const tiers = ["basic", "standard", "premium"] as const

export const logs = ["none", "text", "json"] as const

export const Settings = Schema.Struct({
  port: optional(Port),
  host: optional(Schema.NonEmptyString),
  publicHost: optional(Host),
  https: optional(
    Schema.Union([
      Schema.Boolean,
      /** Files in PEM. */
      Schema.Struct({ certificate: Schema.NonEmptyString, key: Schema.NonEmptyString })
    ])
  ),
  caOut: optional(Schema.NonEmptyString),
  anonymousPull: optional(Schema.Boolean),
  adminUser: optional(Schema.Struct(Login)),
  entraToken: optional(Password),
  scopeMapTokens: optional(Schema.Array(ScopeMapToken)),
  accessTokenLifetime: optional(Period),
  refreshTokenLifetime: optional(Period),
  roleAssignmentMode: optional(Schema.Literals(["rbac", "rbac-abac"])),
  tier: optional(Schema.Literals(tiers)),
  rateLimits: optional(Limits.fields.rateLimits),
  blobs: optional(Schema.Literals(["redirect", "direct"])),
  maxRequestBodySize: optional(Size),
  chunkMinLength: optional(Size),
  referrers: optional(
    Schema.Struct({
      api: optional(Schema.Boolean),
      subjectHeader: optional(Schema.Boolean),
      filter: optional(Schema.Boolean),
      pageSize: optional(Schema.Int.check(Schema.isGreaterThan(0))),
      cascade: optional(Schema.Boolean)
    })
  ),
  softDelete: optional(Schema.Struct({ retention: optional(Period) })),
  conditionalPut: optional(Schema.Boolean),
  directory: optional(Schema.NonEmptyString),
  seeds: optional(Schema.Array(SeedSetting)),
  control: optional(
    Schema.Union([
      Schema.Boolean,
      Schema.Struct({
        host: optional(Schema.NonEmptyString),
        port: optional(Port),
        hosts: optional(Schema.Array(Schema.String))
      })
    ])
  ),
  json: optional(Schema.Boolean),
  readyFile: optional(Schema.NonEmptyString),
  log: optional(Schema.Literals(logs))
})
export type Settings = typeof Settings.Type

/** These are public. They open nothing but an emulator on this machine. */
const wellKnown = { username: "admin", password: "emulator", entraToken: "emulator-entra-token" }

export const defaultPort = 5001

/** Where the control API is, or that there is none. */
export const controlOf = ({
  control = true,
  port = defaultPort,
  publicHost
}: Settings): Control.Options | undefined => {
  if (control === false) return undefined
  const { hosts = [], ...given } = control === true ? {} : control
  const publicName = publicHost === undefined ? undefined : PublicHost.parse(publicHost)?.host
  return {
    // The port after the registry's, which is known beforehand where that one is.
    port: port === 0 || port === 65_535 ? 0 : port + 1,
    ...given,
    hosts: publicName === undefined ? hosts : [...hosts, publicName]
  }
}

/** What kind of registry to be. The certificate is read already. */
export const optionsOf = (settings: Settings, https: AcrEmulator.Options["https"]): AcrEmulator.Options => {
  // What is about the command alone.
  const {
    caOut: _caOut,
    control: _control,
    json: _json,
    log: _log,
    readyFile: _readyFile,
    seeds: _seeds,
    ...options
  } = settings
  return {
    port: defaultPort,
    adminUser: { username: wellKnown.username, password: Redacted.make(wellKnown.password) },
    entraToken: Redacted.make(wellKnown.entraToken),
    ...options,
    https: https ?? false
  }
}
