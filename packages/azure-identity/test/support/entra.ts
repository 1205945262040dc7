/**
 * A fake Microsoft Entra ID: its endpoints, and tokens that only it knows.
 */
import { randomBytes } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { type Answer, type Asked, listen, type Listening } from "./server.ts"

export const tenant = "11111111-1111-1111-1111-111111111111"
export const client = "22222222-2222-2222-2222-222222222222"

export interface Entra extends Listening {
  /** The requests for tokens. */
  readonly tokenRequests: () => ReadonlyArray<Asked>
  /** Whether a token is one of its own. */
  readonly issued: (token: Redacted.Redacted<string>) => boolean
  /** Replaces its responses to requests for tokens. */
  readonly answerTokensWith: (answer: Answer | undefined) => void
}

/** Starts it. */
export const make: Effect.Effect<Entra, never, Scope.Scope> = Effect.gen(function* () {
  const tokens = new Set<string>()
  let instead: Answer | undefined

  const issue = () => {
    const token = Redacted.make(randomBytes(24).toString("base64url"))
    tokens.add(Redacted.value(token))
    return Redacted.value(token)
  }

  const answer = ({ host, path, query }: Asked): Answer => {
    const base = `https://${host}/${tenant}`
    if (path.endsWith("/.well-known/openid-configuration")) {
      return {
        status: 200,
        json: {
          issuer: `${base}/v2.0`,
          authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
          token_endpoint: `${base}/oauth2/v2.0/token`,
          jwks_uri: `${base}/discovery/v2.0/keys`
        }
      }
    }
    if (path.endsWith("/oauth2/v2.0/token")) {
      return (
        instead ?? {
          status: 200,
          json: { token_type: "Bearer", expires_in: 3599, ext_expires_in: 3599, access_token: issue() }
        }
      )
    }
    // App Service's managed identity.
    if (path === "/msi/token") {
      return {
        status: 200,
        json: {
          token_type: "Bearer",
          expires_on: String(Math.floor(Date.now() / 1000) + 3599),
          resource: query["resource"],
          access_token: issue()
        }
      }
    }
    return { status: 404, json: { error: "not_found" } }
  }

  const server = yield* listen(answer)
  return {
    ...server,
    tokenRequests: () => server.asked.filter(({ path }) => path.endsWith("/token")),
    issued: (token) => tokens.has(Redacted.value(token)),
    answerTokensWith: (given) => {
      instead = given
    }
  }
})
