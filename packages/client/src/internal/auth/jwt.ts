/**
 * What a token says of itself. Nothing is verified: the token is for the registry to judge.
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Base64Url from "effect/encoding/Base64Url"

const Claim = Schema.optionalKey(Schema.Unknown)

const Lifetime = Schema.Struct({ exp: Claim, iat: Claim, nbf: Claim })

/** A moment in milliseconds, if a claim holds one: what Go writes for none, `null` and 0, is none. */
const momentOf = (claim: unknown): Option.Option<number> =>
  typeof claim === "number" && Number.isFinite(claim) && claim !== 0 ? Option.some(claim * 1000) : Option.none()

/** ACR writes this claim into refresh tokens of registries that grant rights by repository. */
const AttributeBased = Schema.Struct({ aad_identity: Schema.Unknown })

/** No token is good for longer: a century, in milliseconds. */
const longestMillis = 100 * 365 * 24 * 3600 * 1000

/** The last moment that a date can name (ECMAScript, "Time Values and Time Range"). */
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

/** Whether a refresh token is of a registry with attribute-based access control. */
export const isAttributeBased = (token: string): boolean => Option.isSome(attributeBasedClaims(token))

/**
 * A token's lifetime in milliseconds from the moment at which it was received, if it is a JSON Web Token that says so.
 *
 * Expiry less issue, both by the issuer's clock, so that a clock of this machine that is wrong does no harm.
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

/** When a token ends, in milliseconds since 1970 by its issuer's clock, if it says so. */
export const expiryMillis = (token: string): Option.Option<number> =>
  lifetimeClaims(token).pipe(
    Option.flatMap(({ exp }) => momentOf(exp)),
    Option.map((end) => Math.min(Math.max(0, end), lastMillis))
  )

const Rights = Schema.Struct({ sub: Claim, access: Claim })
const rightClaims = payload(Rights)

/** ACR writes the members with a capital letter, the token specification of distribution with a small one. */
const Entry = Schema.Record(Schema.String, Schema.Unknown)
const isEntry = Schema.is(Entry)
const isTexts = Schema.is(Schema.Array(Schema.String))

const textIn = (entry: typeof Entry.Type, ...names: ReadonlyArray<string>): string =>
  names.map((name) => entry[name]).find((value) => typeof value === "string") ?? ""

/** What a token is for, and whose it is. */
export interface Statement {
  readonly subject: Option.Option<string>
  readonly access: ReadonlyArray<{
    readonly type: string
    readonly name: string
    readonly actions: ReadonlyArray<string>
  }>
}

/** What an access token says, if it is a JSON Web Token. */
export const statementOf = (token: string): Option.Option<Statement> =>
  Option.map(rightClaims(token), ({ access, sub }) => ({
    subject: typeof sub === "string" && sub !== "" ? Option.some(sub) : Option.none(),
    access: (Array.isArray(access) ? access : []).filter(isEntry).map((entry) => ({
      type: textIn(entry, "type", "Type"),
      name: textIn(entry, "name", "Name"),
      actions: [entry["actions"], entry["Actions"]].find(isTexts) ?? []
    }))
  }))
