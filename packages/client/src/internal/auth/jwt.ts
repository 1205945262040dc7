/**
 * How long a token lives.
 */
import * as Base64Url from "effect/encoding/Base64Url"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const Claims = Schema.fromJsonString(
  Schema.Struct({
    exp: Schema.Finite,
    iat: Schema.optionalKey(Schema.Finite),
    nbf: Schema.optionalKey(Schema.Finite)
  })
)

const decodeClaims = Schema.decodeUnknownOption(Claims)

/**
 * A token's lifetime in milliseconds from the moment at which it was received, if it is a JSON Web Token that says so.
 *
 * Expiry less issue, both by the issuer's clock, so that a clock of this machine that is wrong does no harm. Nothing is
 * verified: the token is for the registry to judge.
 */
export const lifetimeMillis = (token: string, nowMillis: number): Option.Option<number> =>
  Option.fromUndefinedOr(token.split(".", 3)[1]).pipe(
    Option.flatMap((payload) => Result.getSuccess(Base64Url.decodeString(payload))),
    Option.flatMap((json) => decodeClaims(json)),
    Option.map(({ exp, iat, nbf }) => exp * 1000 - ((iat ?? nbf) === undefined ? nowMillis : (iat ?? nbf ?? 0) * 1000)),
    Option.filter(Number.isFinite),
    Option.map((millis) => Math.max(0, millis))
  )
