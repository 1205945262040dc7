/**
 * Faults in the way from a credential to an authorized request.
 */
import type { Fault } from "./fault.ts"

const folder = "packages/client/src/internal/auth"

export const auth: ReadonlyArray<Fault> = [
  {
    wrong: "the error of a refused challenge has the secrets in it",
    file: `${folder}/authorization.ts`,
    find: "quoteReason(demand.failure, quote())",
    replace: "demand.failure"
  },
  {
    wrong: "a token that the registry refuses is not renewed",
    file: `${folder}/authorization.ts`,
    find: "refuse: (wanted) => tokens.reject(request, held, wanted)",
    replace: "refuse: () => Effect.succeed(false)"
  },
  {
    wrong: "a blob that a login might show is missing",
    file: `${folder}/authorization.ts`,
    find: 'const isMissing = demand === "Nothing" &&',
    replace: "const isMissing ="
  },
  {
    wrong: "every operation at the start learns for itself what the registry wants",
    file: `${folder}/authorization.ts`,
    find: "if (probing === undefined || known(need) !== undefined) return Effect.void",
    replace: 'if (probing === undefined || known(need) !== undefined || operation !== "") return Effect.void'
  },
  {
    wrong: "the error of an anonymous caller names a missing permission instead of a missing login",
    file: `${folder}/authorization.ts`,
    find: 'if (reason._tag !== "Unauthenticated" || !insufficient || !authority.named) return failure',
    replace: 'if (reason._tag !== "Unauthenticated" || !insufficient) return failure'
  },
  {
    wrong: "an Entra token is sent to any registry that looks like ACR",
    file: `${folder}/grants.ts`,
    find: "if (scheme.isAcr && Credentials.isLoginServerOf(registry.loginServer, loginServers))",
    replace: "if (scheme.isAcr)"
  },
  {
    wrong: "a refresh token is used after it expired",
    file: `${folder}/grants.ts`,
    find: "{ capacity, timeToLive: (exit) => (Exit.isSuccess(exit) ? exit.value.usableMillis : 0) }",
    replace: "{ capacity, timeToLive: (exit) => (Exit.isSuccess(exit) ? Number.POSITIVE_INFINITY : 0) }"
  },
  {
    wrong: "a failed request for a token fails all later operations",
    file: `${folder}/tokens.ts`,
    find: "timeToLive: (exit) => (Exit.isSuccess(exit) ? exit.value.usableMillis : 0)",
    replace: "timeToLive: (exit) => (Exit.isSuccess(exit) ? exit.value.usableMillis : Number.POSITIVE_INFINITY)"
  },
  {
    wrong: "a token that the registry refused is sent again",
    file: `${folder}/tokens.ts`,
    find: "      yield* forget(({ token }) => token === refused.token)\n",
    replace: ""
  },
  {
    wrong: "a token to pull is used to push",
    file: `${folder}/scope.ts`,
    find: "actions.every((action) => own.actions.includes(action))",
    replace: "actions.some((action) => own.actions.includes(action))"
  },
  {
    wrong: "of two scopes for one repository, one is lost",
    file: `${folder}/scope.ts`,
    find: "new Set([...(actions.get(resource) ?? []), ...named])",
    replace: "new Set(named)"
  },
  {
    wrong: "a password is sent to whatever token service the registry names",
    file: `${folder}/scheme.ts`,
    find: 'placeOf(realm, origin, trustedRealms)) === "login"',
    replace: 'placeOf(realm, origin, trustedRealms)) !== "none"'
  },
  {
    wrong: "a trusted token service on another host counts as ACR's own",
    file: `${folder}/scheme.ts`,
    find: 'isAcr: isOwn(realm, origin) && realm.pathname === "/oauth2/token"',
    replace: 'isAcr: realm.pathname === "/oauth2/token"'
  },
  {
    wrong: "a password is sent to the registry that a bare name was taken for",
    file: `${folder}/assumed.ts`,
    find: '({ _tag }) => _tag === "EntraToken",',
    replace: '({ _tag }) => _tag !== "Anonymous",'
  },
  {
    wrong: "a token expires on its way to the registry",
    file: `${folder}/lifetime.ts`,
    find: "return lifetime - Math.min(60_000, lifetime / 10)",
    replace: "return lifetime"
  },
  {
    wrong: "the lifetime of a token depends on the clock of this machine",
    file: `${folder}/jwt.ts`,
    find: "return end - Option.getOrElse(begin, () => nowMillis)",
    replace: "return end - nowMillis"
  },
  {
    wrong: "a token service writes headers of its own into requests",
    file: `${folder}/oauth.ts`,
    find: "Schema.String.check(Schema.isMaxLength(longestToken), Schema.isPattern(/^[!-~]+$/))",
    replace: "Schema.String.check(Schema.isMaxLength(longestToken))"
  }
]
