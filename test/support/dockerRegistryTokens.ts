/**
 * A token service that stands apart from its registry, as distribution's token specification describes it.
 */
import { createPrivateKey, sign, X509Certificate } from "node:crypto"
import { createServer } from "node:https"
import type { IncomingMessage } from "node:http"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"

/** In PEM. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

export interface Login {
  readonly username: string
  readonly password: Redacted.Redacted<string>
}

/** What the registry and the service must agree on. */
export const agreed = { issuer: "a token service", service: "a registry" } as const

/** A repository for which no caller has rights. */
export const withheld = "withheld"

export interface TokenService {
  readonly origin: string
  readonly realm: string
  /** The scopes of each request so far that came with the right login; `refused` for each other one. */
  readonly requests: Effect.Effect<ReadonlyArray<string>>
}

const scopePattern = /^([a-z]+):(.+):([a-z*,]+)$/

/** An entry of the claim `access`, or none if the scope can't be read. */
const accessTo = (scope: string): ReadonlyArray<object> => {
  const [, type, name, actions] = scopePattern.exec(scope) ?? []
  return type === undefined ? [] : [{ type, name, actions: name === withheld ? [] : actions?.split(",") }]
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url")

/** A JSON Web Token that brings the certificate of its key: the registry trusts whatever its root bundle vouches for. */
const tokenFor = (
  certificate: Certificate,
  scopes: ReadonlyArray<string>,
  subject: string,
  nowMillis: number
): string => {
  const x5c = [new X509Certificate(certificate.cert).raw.toString("base64")]
  const now = Math.floor(nowMillis / 1000)
  const signed = `${encoded({ typ: "JWT", alg: "RS256", x5c })}.${encoded({
    iss: agreed.issuer,
    sub: subject,
    aud: agreed.service,
    iat: now,
    nbf: now - 10,
    exp: now + 300,
    jti: `${nowMillis}`,
    access: scopes.flatMap(accessTo)
  })}`
  return `${signed}.${sign("sha256", Buffer.from(signed), createPrivateKey(certificate.key)).toString("base64url")}`
}

const isLogin = ({ password, username }: Login, request: IncomingMessage): boolean =>
  request.headers.authorization === `Basic ${Buffer.from(`${username}:${Redacted.value(password)}`).toString("base64")}`

/**
 * Gives tokens for whatever is asked, to one login, until the scope closes.
 */
export const serveTokens = (certificate: Certificate, login: Login) =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const requests: Array<string> = []

    const server = createServer({ cert: certificate.cert, key: certificate.key }, (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "/", "https://localhost")
      const known = isLogin(login, request) && pathname === "/token" && searchParams.get("service") === agreed.service
      const scopes = searchParams.getAll("scope").flatMap((scope) => scope.split(" "))
      requests.push(known ? scopes.join(" ") : "refused")
      response.writeHead(known ? 200 : 401, { "content-type": "application/json" })
      response.end(
        JSON.stringify(
          known
            ? { token: tokenFor(certificate, scopes, login.username, clock.currentTimeMillisUnsafe()), expires_in: 300 }
            : { errors: [{ code: "UNAUTHORIZED", message: "no such login" }] }
        )
      )
    })

    const origin = yield* Effect.acquireRelease(
      Effect.callback<string>((resume) => {
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          resume(Effect.succeed(`https://127.0.0.1:${typeof address === "object" ? address?.port : ""}`))
        })
      }),
      () =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    return { origin, realm: `${origin}/token`, requests: Effect.sync(() => [...requests]) } satisfies TokenService
  })
