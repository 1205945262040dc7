/**
 * Reads the authentication scheme of a registry from the challenges of its 401.
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Base64Url from "effect/encoding/Base64Url"
import { InvalidResponse, type Reason, Refused } from "../../RegistryError.ts"
import { authorityOf, type Place } from "../http/authority.ts"
import type { Challenge } from "../http/challenge.ts"
import { globalOrigin } from "../acr/hosts.ts"
import { isWeb } from "../http/origin.ts"
import * as Scope from "./scope.ts"

/** The registry requires nothing. */
interface Open {
  readonly _tag: "Open"
  /** Whether it has nothing more to show to a login, as far as is known. */
  readonly hidesNothing?: true
}

/** The registry requires a user name and a password. */
export interface Basic {
  readonly _tag: "Basic"
}

/** The registry requires a token. */
export interface Bearer {
  readonly _tag: "Bearer"
  /** The token service: its origin, and the path and query of requests. */
  readonly origin: string
  readonly path: string
  /** The service that the tokens are for. */
  readonly service: string
  /** Whether it is ACR's own token service, which accepts more than passwords. */
  readonly isAcr: boolean
}

/** The authentication scheme of a registry. */
export type Scheme = Open | Basic | Bearer

/** A scheme, and the scopes that the challenge names for the current request. */
export interface Demand {
  readonly scheme: Scheme
  readonly scopes: ReadonlyArray<string>
  /** The registry accepted the token, but its scope is insufficient. */
  readonly insufficientScope: boolean
  /** The claims that the Entra token must have in addition, as JSON. */
  readonly claims: Option.Option<string>
}

/** Registries whose token service is known to be on another host, and that host. */
const knownRealms: { readonly [registry: string]: string } = {
  "https://registry-1.docker.io": "https://auth.docker.io",
  "https://registry.gitlab.com": "https://gitlab.com"
}

/** The origins of the registry itself: its own, and, for a regional endpoint of ACR, that of the whole registry. */
const isOwn = (realm: URL, origin: string): boolean => realm.origin === origin || realm.origin === globalOrigin(origin)

const placeOf = (realm: URL, origin: string, trustedRealms: ReadonlyArray<string>): Place => {
  if (isOwn(realm, origin)) return "registry"
  return knownRealms[origin] === realm.origin || trustedRealms.includes(realm.origin) ? "trusted" : "elsewhere"
}

/**
 * Whether secrets may go to a realm: the registry's own origin, its known companion, or one that the user trusts.
 */
export const mayTrust = (realm: URL, origin: string, trustedRealms: ReadonlyArray<string>): boolean =>
  isWeb(realm) &&
  realm.username === "" &&
  realm.password === "" &&
  // Challenges are read only from answers of the registry.
  authorityOf("realm", "registry", placeOf(realm, origin, trustedRealms)) === "login"

const isJson = (text: string): boolean => Option.isSome(decodeJson(text))
const decodeJson = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Json))

/**
 * The claims that a claims challenge requires of an Entra token, as JSON.
 *
 * Microsoft identity platform, "Claims challenges": `error="insufficient_claims"` and base64 of either alphabet.
 */
export const claimsOf = (challenges: ReadonlyArray<Challenge>): Option.Option<string> =>
  Option.fromUndefinedOr(
    challenges
      .find(({ parameters, scheme }) => scheme === "bearer" && parameters.get("error") === "insufficient_claims")
      ?.parameters.get("claims")
  ).pipe(
    Option.flatMap((claims) => Result.getSuccess(Base64Url.decodeString(toUrlAlphabet(claims)))),
    Option.filter(isJson)
  )

const toUrlAlphabet = (base64: string): string =>
  base64
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/={1,2}$/, "")

/** The origin of a realm that is refused. A secret in a host of other letters becomes Punycode, in which it is not recognised. */
const shownOf = (realm: URL, address: string): string =>
  realm.host.includes("xn--") && !address.toLowerCase().includes(realm.host)
    ? `${realm.protocol}//<not in ASCII>`
    : realm.origin

const bearer = (
  challenge: Challenge,
  origin: string,
  trustedRealms: ReadonlyArray<string>
): Result.Result<Pick<Demand, "scheme" | "scopes" | "insufficientScope">, Reason> => {
  const address = challenge.parameters.get("realm") ?? ""
  if (!URL.canParse(address)) {
    return Result.fail(new InvalidResponse({ description: "the challenge names no realm to get a token from" }))
  }
  const realm = new URL(address)
  return mayTrust(realm, origin, trustedRealms)
    ? Result.succeed({
        scheme: {
          _tag: "Bearer",
          origin: realm.origin,
          path: realm.pathname + realm.search,
          service: challenge.parameters.get("service") ?? "",
          isAcr: isOwn(realm, origin) && realm.pathname === "/oauth2/token"
        },
        scopes: Scope.fromChallenge(challenge.parameters.get("scope") ?? ""),
        insufficientScope: challenge.parameters.get("error") === "insufficient_scope"
      })
    : Result.fail(
        new Refused({
          description: isWeb(realm)
            ? `the registry at ${origin} names the token service ${shownOf(realm, address)}, which is not trusted`
            : `the registry at ${origin} names a token service whose address is neither http nor https`
        })
      )
}

/**
 * The demand of the first challenge for a token, or else of that for a password. A claims challenge need not repeat the
 * token service.
 */
export const fromChallenges = (
  challenges: ReadonlyArray<Challenge>,
  origin: string,
  trustedRealms: ReadonlyArray<string>,
  known?: Scheme
): Result.Result<Demand, Reason> => {
  const claims = claimsOf(challenges)
  const bearers = challenges.filter(({ scheme }) => scheme === "bearer")
  const asked = bearers.find(({ parameters }) => (parameters.get("realm") ?? "") !== "") ?? bearers[0]
  if (asked !== undefined) {
    return Option.isSome(claims) && known !== undefined && (asked.parameters.get("realm") ?? "") === ""
      ? Result.succeed({ scheme: known, scopes: [], insufficientScope: false, claims })
      : Result.map(bearer(asked, origin, trustedRealms), (demand) => ({ ...demand, claims }))
  }
  return challenges.some(({ scheme }) => scheme === "basic")
    ? Result.succeed({ scheme: { _tag: "Basic" }, scopes: [], insufficientScope: false, claims })
    : Result.fail(new InvalidResponse({ description: "the registry requires an unknown kind of login" }))
}
