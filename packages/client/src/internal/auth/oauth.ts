/**
 * The token endpoints: how a credential becomes a token.
 *
 * ACR's documentation, "AAD-OAuth" and "Token-BasicAuth" of Azure/acr, and distribution's token specification.
 */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as HttpBody from "effect/http/HttpBody"
import { type Operation, withQuery } from "../../Operation.ts"
import { decodeJsonWith } from "../http/body.ts"

const apiVersion = "2021-07-01"

/** A token, and how long it lives as far as the answer itself says. */
export interface Token {
  readonly value: Redacted.Redacted<string>
  readonly expiresInSeconds: number | undefined
}

/**
 * The longest token that is kept and sent, in bytes. A token for ten repositories has 4 KiB, and servers accept headers of
 * 8 to 64 KiB.
 */
const longestToken = 64 * 1024

/** Room for an access token under both of its names, and a refresh token. */
const maxAnswerBytes = 4 * longestToken

/** RFC 6750, section 2.1, and whatever else fits into a header. */
const TokenText = Schema.String.check(Schema.isMaxLength(longestToken), Schema.isPattern(/^[!-~]+$/))

const secret = (value: string) => Redacted.make(value, { label: "token" })

const form = (fields: { readonly [name: string]: string }): HttpBody.HttpBody =>
  HttpBody.urlParams(Object.entries(fields))

/** Asking for a token twice gives two tokens and does no harm. */
const common = { scopes: [], bucket: "oauth", missing: "endpoint", success: [200], repeat: "always" } as const

const decodeToken = Schema.decodeUnknownResult(TokenText)

/** Seconds, as a number or as text. Anything else says nothing, and neither does 0, which Go writes for what is not set. */
const seconds = (value: unknown): number | undefined => {
  const number = Number(value)
  return (typeof value === "number" || typeof value === "string") && Number.isFinite(number) && number !== 0
    ? number
    : undefined
}

/**
 * Distribution's token specification calls the token `token`, OAuth `access_token`; some services send both, and leave one
 * of them empty.
 */
const accessToken = decodeJsonWith(
  Schema.Struct({
    access_token: Schema.optionalKey(Schema.Unknown),
    token: Schema.optionalKey(Schema.Unknown),
    expires_in: Schema.optionalKey(Schema.Unknown)
  }),
  ({ access_token, expires_in, token }) =>
    Result.map(decodeToken(access_token === "" ? token : (access_token ?? token)), (value): Token => ({
      value: secret(value),
      expiresInSeconds: seconds(expires_in)
    })),
  maxAnswerBytes
)

const refreshToken = decodeJsonWith(
  Schema.Struct({ refresh_token: TokenText }),
  ({ refresh_token }) => Result.succeed<Token>({ value: secret(refresh_token), expiresInSeconds: undefined }),
  maxAnswerBytes
)

/** What a token is asked for. */
export interface Request {
  /** Path and query of the realm. */
  readonly path: string
  readonly service: string
  /** In their only spelling. */
  readonly scopes: ReadonlyArray<string>
}

/**
 * ACR: an Entra access token for a refresh token of the registry's own.
 */
export const exchange = (service: string, entraToken: Redacted.Redacted<string>): Operation<Token> => ({
  ...common,
  name: "OAuth.exchange",
  method: "POST",
  path: withQuery("/oauth2/exchange", { "api-version": apiVersion }),
  body: form({ grant_type: "access_token", service, access_token: Redacted.value(entraToken) }),
  decode: refreshToken
})

/**
 * ACR: a refresh token for an access token.
 */
export const refreshAcr = (request: Request, refreshToken: Redacted.Redacted<string>): Operation<Token> => ({
  ...common,
  name: "OAuth.token",
  method: "POST",
  path: withQuery(request.path, { "api-version": apiVersion }),
  body: form({
    service: request.service,
    scope: request.scopes.join(" "),
    refresh_token: Redacted.value(refreshToken),
    grant_type: "refresh_token"
  }),
  decode: accessToken
})

/**
 * Other registries: the same by distribution's token specification, "Refresh tokens", which wants to know who asks.
 */
export const refresh = (request: Request, refreshToken: Redacted.Redacted<string>): Operation<Token> => ({
  ...common,
  name: "OAuth.token",
  method: "POST",
  path: request.path,
  body: form({
    grant_type: "refresh_token",
    service: request.service,
    client_id: "effect-acr",
    scope: request.scopes.join(" "),
    refresh_token: Redacted.value(refreshToken)
  }),
  decode: accessToken
})

/**
 * ACR: an access token for nobody.
 */
export const anonymous = (request: Request): Operation<Token> => ({
  ...common,
  name: "OAuth.token",
  method: "POST",
  path: withQuery(request.path, { "api-version": apiVersion }),
  body: form({
    service: request.service,
    scope: request.scopes.join(" "),
    refresh_token: "",
    grant_type: "password"
  }),
  decode: accessToken
})

/**
 * Every registry: an access token for whom the Authorization header names, or for nobody without one.
 */
export const basic = (request: Request): Operation<Token> => ({
  ...common,
  name: "OAuth.token",
  method: "GET",
  path: request.scopes.reduce(
    (path, scope) => withQuery(path, { scope }),
    withQuery(request.path, { service: request.service })
  ),
  decode: accessToken
})
