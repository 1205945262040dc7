/**
 * The token endpoints: exchange credentials for tokens.
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

/** A token, and the lifetime that the response states. */
export interface Token {
  readonly value: Redacted.Redacted<string>
  readonly expiresInSeconds: number | undefined
}

/**
 * The longest token that is cached and sent, in bytes. A token for ten repositories has 4 KiB, and servers accept
 * headers of 8 to 64 KiB.
 */
const longestToken = 64 * 1024

/** Room for an access token under both of its names, and a refresh token. */
const maxAnswerBytes = 4 * longestToken

/** The characters of RFC 6750, section 2.1, and all others that a header allows. */
const TokenText = Schema.String.check(Schema.isMaxLength(longestToken), Schema.isPattern(/^[!-~]+$/))

const secret = (value: string) => Redacted.make(value, { label: "token" })

const form = (fields: { readonly [name: string]: string }): HttpBody.HttpBody =>
  HttpBody.urlParams(Object.entries(fields))

/** Requesting a token twice returns two tokens, which is harmless. */
const common = { scopes: [], bucket: "oauth", missing: "endpoint", success: [200], repeat: "always" } as const

const decodeToken = Schema.decodeUnknownResult(TokenText)

/** Seconds, as a number or as text. Anything else means none, and so does 0, which Go writes for unset fields. */
const seconds = (value: unknown): number | undefined => {
  const number = Number(value)
  return (typeof value === "number" || typeof value === "string") && Number.isFinite(number) && number !== 0
    ? number
    : undefined
}

/**
 * Distribution's token specification calls the token `token`, OAuth `access_token`; some services send both, one of
 * them empty.
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

/** A request for a token. */
export interface Request {
  /** The path and query of the realm. */
  readonly path: string
  readonly service: string
  /** Normalized. */
  readonly scopes: ReadonlyArray<string>
}

/**
 * ACR: exchanges an Entra access token for a refresh token of the registry.
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
 * ACR: exchanges a refresh token for an access token.
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
 * Other registries: the same by distribution's token specification, "Refresh tokens", which requires a client id.
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
 * ACR: requests an anonymous access token.
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
 * Every registry: requests an access token for the caller in the Authorization header, or an anonymous one without that
 * header.
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
