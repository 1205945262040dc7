/**
 * How the registry answers: who asks, whether they may, and by which route.
 */
import { byResource, formatScopes, type Right } from "./access.ts"
import { type Answer, error, text } from "./answer.ts"
import { readAll } from "./bodies.ts"
import type { Request, Routes } from "./routes.ts"
import type { Incoming } from "./serving.ts"
import type { Throttle } from "./throttle.ts"
import type { Tokens } from "./tokens.ts"

const maxFormBytes = 65_536

/** The 401 of a resource: what it takes, and whether a token was there at all. */
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
    "authentication required, visit https://aka.ms/acr/authorization for more information.",
    detail.length === 0 ? undefined : detail
  )
  return {
    ...answer,
    headers: {
      ...answer.headers,
      "WWW-Authenticate": `Bearer realm="${origin}/oauth2/token",service="${service}"${scope}${reason}`
    }
  }
}

/** What every answer about content says of itself. */
const contentHeaders = { "Docker-Distribution-Api-Version": "registry/2.0", "X-Content-Type-Options": "nosniff" }

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
  readonly throttle: Throttle
}) => {
  const { routes, service, throttle, tokens } = parts

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
    if ("status" in route) return withContentHeaders(route)

    const authorized = tokens.authorize(request.headers["authorization"], request.nowMillis)
    if (authorized._tag !== "Known") {
      const flaw = authorized._tag === "Unknown" ? "invalid_token" : undefined
      return withContentHeaders(unauthorized(origin, service, route.wanted, flaw))
    }
    return withContentHeaders(
      route.rights.every(authorized.may)
        ? await route.handle({ ...request, may: authorized.may, mayQuarantine: authorized.mayQuarantine })
        : unauthorized(origin, service, route.wanted, "insufficient_scope")
    )
  }

  /** The date of an answer is by the same clock as the times in it. */
  return async (...[origin, incoming, time]: Parameters<typeof answering>): Promise<Answer> => {
    const answer = await answering(origin, incoming, time)
    return { ...answer, headers: { Date: new Date(time.nowMillis).toUTCString(), ...answer.headers } }
  }
}

const withContentHeaders = (answer: Answer): Answer => ({
  ...answer,
  headers: { ...contentHeaders, ...answer.headers }
})
