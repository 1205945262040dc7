/**
 * Decides how a registry wants to be asked, from the challenges of its 401.
 */
import * as Result from "effect/Result"
import { InvalidResponse, type Reason, Refused } from "../../RegistryError.ts"
import type { Challenge } from "./challenge.ts"
import { isWeb } from "../http/origin.ts"
import * as Scope from "./scope.ts"

/** What a registry wants to see before it answers. */
export type Scheme =
  | { readonly _tag: "Open" }
  | { readonly _tag: "Basic" }
  | {
      readonly _tag: "Bearer"
      /** Where tokens are had. */
      readonly realm: URL
      /** What the tokens are for. */
      readonly service: string
    }

/** A scheme, and the scopes that the challenge named for the request at hand. */
export interface Demand {
  readonly scheme: Scheme
  readonly scopes: ReadonlyArray<string>
  /** The registry knew the token, and it was not enough. */
  readonly insufficientScope: boolean
}

/** Registries known to keep their token service on another host: theirs, and that host. */
const knownRealms: { readonly [registry: string]: string } = {
  "https://registry-1.docker.io": "https://auth.docker.io",
  "https://index.docker.io": "https://auth.docker.io",
  "https://docker.io": "https://auth.docker.io",
  "https://registry.gitlab.com": "https://gitlab.com"
}

/**
 * Whether secrets may go to a realm: the registry's own origin, its known companion, or one that the user trusts.
 */
export const mayTrust = (realm: URL, origin: string, trustedRealms: ReadonlyArray<string>): boolean =>
  isWeb(realm) &&
  realm.username === "" &&
  realm.password === "" &&
  (realm.origin === origin || knownRealms[origin] === realm.origin || trustedRealms.includes(realm.origin))

const bearer = (
  challenge: Challenge,
  origin: string,
  trustedRealms: ReadonlyArray<string>
): Result.Result<Demand, Reason> => {
  const address = challenge.parameters.get("realm") ?? ""
  if (!URL.canParse(address)) {
    return Result.fail(new InvalidResponse({ description: "the challenge names no realm to get a token from" }))
  }
  const realm = new URL(address)
  return mayTrust(realm, origin, trustedRealms)
    ? Result.succeed({
        scheme: { _tag: "Bearer", realm, service: challenge.parameters.get("service") ?? "" },
        scopes: Scope.fromChallenge(challenge.parameters.get("scope") ?? ""),
        insufficientScope: challenge.parameters.get("error") === "insufficient_scope"
      })
    : Result.fail(
        new Refused({
          description: `the registry at ${origin} wants its tokens to be had from ${realm.origin}, which is not trusted`
        })
      )
}

/**
 * The demand of the first challenge for a token, or else that for a password.
 */
export const fromChallenges = (
  challenges: ReadonlyArray<Challenge>,
  origin: string,
  trustedRealms: ReadonlyArray<string>
): Result.Result<Demand, Reason> => {
  const asked = challenges.find(({ scheme }) => scheme === "bearer")
  if (asked !== undefined) return bearer(asked, origin, trustedRealms)
  return challenges.some(({ scheme }) => scheme === "basic")
    ? Result.succeed({ scheme: { _tag: "Basic" }, scopes: [], insufficientScope: false })
    : Result.fail(new InvalidResponse({ description: "the registry asks for a login of a kind that is not known" }))
}
