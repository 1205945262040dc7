/**
 * Reads the claims of tokens. Nothing is verified: that is the registry's task.
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Base64Url from "effect/encoding/Base64Url"

const Claim = Schema.optionalKey(Schema.Unknown)

const Lifetime = Schema.Struct({ exp: Claim, iat: Claim, nbf: Claim })

/** A moment in milliseconds, if a claim has one. `null` and 0, which Go writes for unset times, mean none. */
const momentOf = (claim: unknown): Option.Option<number> =>
  typeof claim === "number" && Number.isFinite(claim) && claim !== 0 ? Option.some(claim * 1000) : Option.none()

/** ACR writes this claim into refresh tokens of registries that grant rights by repository. */
const AttributeBased = Schema.Struct({ aad_identity: Schema.Unknown })

/** The longest plausible lifetime, a century, in milliseconds. */
const longestMillis = 100 * 365 * 24 * 3600 * 1000

/** The last moment that a date can express (ECMAScript, "Time Values and Time Range"). */
const lastMillis = 8.64e15

const payload = <S extends Schema.ConstraintDecoder<unknown>>(claims: S) => {
  const decode = Schema.decodeUnknownOption(Schema.fromJsonString(claims))
  return (token: string): Option.Option<S["Type"]> =>
    Option.fromUndefinedOr(token.split(".", 3)[1]).pipe(
      Option.flatMap((part) => Result.getSuccess(Base64Url.decodeString(part))),
      Option.flatMap((json) => decode(json))
    )
}

const lifetimeClaims = payload(Lifetime)
const attributeBasedClaims = payload(AttributeBased)

/** Whether a refresh token is that of a registry with attribute-based access control. */
export const isAttributeBased = (token: string): boolean => Option.isSome(attributeBasedClaims(token))

/**
 * The lifetime of a token in milliseconds from the moment it was received, if it is a JSON Web Token that states it.
 *
 * The expiry minus the time of issue, both by the issuer's clock, so a wrong clock of this machine does no harm.
 */
export const lifetimeMillis = (token: string, nowMillis: number): Option.Option<number> =>
  lifetimeClaims(token).pipe(
    Option.flatMap(({ exp, iat, nbf }) =>
      Option.map(momentOf(exp), (end) => {
        const begin = Option.orElse(momentOf(iat), () => momentOf(nbf))
        return end - Option.getOrElse(begin, () => nowMillis)
      })
    ),
    Option.filter(Number.isFinite),
    Option.map((millis) => Math.min(Math.max(0, millis), longestMillis))
  )

/** When a token expires, in milliseconds since 1970 by its issuer's clock, if it states it. */
export const expiryMillis = (token: string): Option.Option<number> =>
  lifetimeClaims(token).pipe(
    Option.flatMap(({ exp }) => momentOf(exp)),
    Option.map((end) => Math.min(Math.max(0, end), lastMillis))
  )

const Rights = Schema.Struct({ sub: Claim, access: Claim })
const rightClaims = payload(Rights)

/** ACR writes the members with a capital letter, distribution's token specification in lower case. */
const Entry = Schema.Record(Schema.String, Schema.Unknown)
const isEntry = Schema.is(Entry)
const isTexts = Schema.is(Schema.Array(Schema.String))

const textIn = (entry: typeof Entry.Type, ...names: ReadonlyArray<string>): string =>
  names.map((name) => entry[name]).find((value) => typeof value === "string") ?? ""

/** The subject, the expiry and the rights of a token. */
export interface Statement {
  readonly subject: Option.Option<string>
  readonly access: ReadonlyArray<{
    readonly type: string
    readonly name: string
    readonly actions: ReadonlyArray<string>
  }>
}

/** The claims of an access token, if it is a JSON Web Token. */
export const statementOf = (token: string): Option.Option<Statement> =>
  Option.map(rightClaims(token), ({ access, sub }) => ({
    subject: typeof sub === "string" && sub !== "" ? Option.some(sub) : Option.none(),
    access: (Array.isArray(access) ? access : []).filter(isEntry).map((entry) => ({
      type: textIn(entry, "type", "Type"),
      name: textIn(entry, "name", "Name"),
      actions: [entry["actions"], entry["Actions"]].find(isTexts) ?? []
    }))
  }))
