/**
 * How the registry answers: the caller's identity, its rights, and the route of the request.
 */
import { byResource, formatScopes, type Identity, type Right } from "./access.ts"
import { type Answer, authenticationRequired, error, text } from "./answer.ts"
import { readAll } from "./bodies.ts"
import type { Request, Routes } from "./routes.ts"
import type { Incoming } from "./serving.ts"
import type { Throttle } from "./throttle.ts"
import type { Tokens } from "./tokens.ts"

const maxFormBytes = 65_536

/** The 401 of a resource: the rights that it requires, and the flaw of the token if there was one. */
const unauthorized = (
  origin: string,
  service: string,
  rights: ReadonlyArray<Right>,
  flaw: "insufficient_scope" | "invalid_token" | undefined
): Answer => {
  const scope = rights.length === 0 ? "" : `,scope="${formatScopes(rights)}"`
  const reason = flaw === undefined ? "" : `,error="${flaw}"`
  const detail = byResource(rights).flatMap(({ actions, name, type }) =>
    actions.map((action) => ({ Type: type, Name: name, Action: action }))
  )
  const answer = error(
    401,
    "UNAUTHORIZED",
    authenticationRequired,
    // azure-sdk-for-go, recording TestClient_CheckDockerV2Support: `"detail":null` where no right is needed.
    detail.length === 0 ? null : detail
  )
  return {
    ...answer,
    headers: {
      ...answer.headers,
      "WWW-Authenticate": `Bearer realm="${origin}/oauth2/token",service="${service}"${scope}${reason}`
    }
  }
}

/** The headers of every answer about content, including that of a path that does not exist. */
const contentHeaders = { "Docker-Distribution-Api-Version": "registry/2.0", "X-Content-Type-Options": "nosniff" }

/** A header of the answers of routes: the headers that a script of another origin may read. */
const exposedHeaders = {
  ...contentHeaders,
  "Access-Control-Expose-Headers": "Docker-Content-Digest, WWW-Authenticate, Link, X-Ms-Correlation-Request-Id"
}

/** A header that ACR sends only for deletions. Its value is the same in every recording. */
const remainingDeletions = { "X-Ms-Ratelimit-Remaining-Calls-Per-Second": "8.000000" }

/**
 * With this header, a browser uses only https for the host from then on. Not sent for `localhost`, which all programs
 * of a machine share.
 */
const transportSecurity = (origin: string): Answer["headers"] =>
  /^https?:\/\/(?:[^/]*\.)?localhost(?::\d+)?$/i.test(origin)
    ? {}
    : { "Strict-Transport-Security": "max-age=31536000; includeSubDomains" }

const decodePath = (path: string): string => {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

export const make = (parts: {
  readonly service: string
  readonly tokens: Tokens
  readonly routes: Routes
  /** Counts the requests of all callers. */
  readonly throttle: Throttle
  /** Counts those of one identity. */
  readonly throttleOf: (identity: Identity) => Throttle
}) => {
  const { routes, service, throttle, throttleOf, tokens } = parts

  const oauth = async (request: Omit<Request, "may" | "mayQuarantine">): Promise<Answer | undefined> => {
    switch (`${request.method} ${request.path}`) {
      case "POST /oauth2/exchange":
      case "POST /oauth2/token": {
        const form = new URLSearchParams((await readAll(request.body, maxFormBytes)).toString("utf8"))
        return request.path === "/oauth2/exchange"
          ? tokens.exchange(form, request.nowMillis)
          : tokens.token(form, request.nowMillis)
      }
      case "GET /oauth2/token":
        return tokens.tokenByLogin(request.query, request.headers["authorization"], request.nowMillis)
      default:
        return undefined
    }
  }

  const answering = async (
    origin: string,
    incoming: Incoming,
    time: Pick<Request, "nowMillis" | "stamp">
  ): Promise<Answer> => {
    const request = { ...incoming, path: decodePath(incoming.path), ...time }
    const throttled = throttle(request.method, request.path, request.nowMillis)
    if (throttled !== undefined) return throttled

    const token = await oauth(request)
    if (token !== undefined) return token

    const route = routes.find(request.method, request.path, request.query)
    if (route === undefined) return text(404, "404 page not found\n", contentHeaders)
    if ("status" in route) return withHeaders(route)

    const authorized = tokens.authorize(request.headers["authorization"], request.nowMillis)
    if (authorized._tag !== "Known") {
      const flaw = authorized._tag === "Unknown" ? "invalid_token" : undefined
      return withHeaders(unauthorized(origin, service, route.wanted, flaw))
    }
    const throttledAlone = throttleOf(authorized.identity)(request.method, request.path, request.nowMillis)
    const user = authorized.identity.name
    if (throttledAlone !== undefined) return { ...throttledAlone, user }
    if (!route.rights.every(authorized.may)) {
      return { ...withHeaders(unauthorized(origin, service, route.wanted, "insufficient_scope")), user }
    }
    const { may, mayQuarantine } = authorized
    const answer = withHeaders(await route.handle({ ...request, may, mayQuarantine }))
    const deletions = request.method === "DELETE" ? remainingDeletions : {}
    return { ...answer, headers: { ...deletions, ...answer.headers }, user }
  }

  /** The date of an answer is by the same clock as the times in it. */
  return async (...[origin, incoming, time]: Parameters<typeof answering>): Promise<Answer> => {
    const answer = await answering(origin, incoming, time)
    const date = new Date(time.nowMillis).toUTCString()
    return { ...answer, headers: { Date: date, ...transportSecurity(origin), ...answer.headers } }
  }
}

const withHeaders = (answer: Answer): Answer => ({
  ...answer,
  headers: { ...exposedHeaders, ...answer.headers }
})
