/**
 * ACR's token service, and the identity of a request.
 */
import { createPrivateKey, type KeyObject, randomBytes, randomUUID, sign, X509Certificate } from "node:crypto"
import * as Redacted from "effect/Redacted"
import type { Modes } from "../Modes.ts"
import type { ScopeMapRule } from "../ScopeMap.ts"
import { byResource, covers, has, type Identity, isWildcard, parseScopes, type Right } from "./access.ts"
import { type Answer, authenticationRequired, empty, error, json } from "./answer.ts"
import type { Certificate } from "./certificate.ts"

/** A user name with a password, and its identity. */
export interface Account {
  readonly username: string
  readonly password: Redacted.Redacted<string>
  readonly identity: Identity
}

interface Issued {
  readonly identity: Identity
  readonly rights: ReadonlyArray<Right>
  readonly expiresMillis: number
}

/**
 * Remembers a token, and forgets expired ones. All of one kind have the same lifetime, so those that expire first come
 * first.
 */
const remember = (tokens: Map<string, Issued>, token: string, issued: Issued, nowMillis: number): void => {
  for (const [old, { expiresMillis }] of tokens) {
    // The clock was set back since. The tokens behind must not wait for this one.
    if (expiresMillis > issued.expiresMillis) continue
    if (expiresMillis > nowMillis) break
    tokens.delete(old)
  }
  tokens.set(token, issued)
}

/** The user name with which a refresh token is the password. */
const tokenUser = "00000000-0000-0000-0000-000000000000"

const remaining = { "x-ms-ratelimit-remaining-calls-per-second": "166.65" }

/** The issuer in the tokens. */
const issuer = "Azure Container Registry"

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url")

const algorithms: { readonly [curveOrType: string]: { readonly alg: string; readonly hash: string | undefined } } = {
  prime256v1: { alg: "ES256", hash: "sha256" },
  secp384r1: { alg: "ES384", hash: "sha384" },
  secp521r1: { alg: "ES512", hash: "sha512" },
  ed25519: { alg: "EdDSA", hash: undefined }
}

/** The algorithm of a key: RFC 7518, section 3.1, and RFC 8037. */
const algorithmOf = ({ asymmetricKeyDetails, asymmetricKeyType }: KeyObject) =>
  algorithms[asymmetricKeyDetails?.namedCurve ?? asymmetricKeyType ?? ""] ?? { alg: "RS256", hash: "sha256" }

/** Makes signatures. With a certificate, others can verify the token; without one, only this registry can. */
const signer = (certificate: Certificate | undefined) => {
  if (certificate === undefined) {
    return { header: { alg: "RS256", typ: "JWT" }, sign: () => randomBytes(32) }
  }
  const key = createPrivateKey(certificate.key)
  const { alg, hash } = algorithmOf(key)
  return {
    header: { alg, typ: "JWT", x5c: [new X509Certificate(certificate.cert).raw.toString("base64")] },
    sign: (text: string) => sign(hash, Buffer.from(text), { key, dsaEncoding: "ieee-p1363" })
  }
}

/** Makes tokens that their bearers can read and that cannot be guessed. The claims have the order of ACR's. */
const writer = (service: string, subject: string, certificate: Certificate | undefined) => {
  const { header, sign } = signer(certificate)
  const registryId = randomBytes(16).toString("hex")
  return (claims: { readonly [name: string]: unknown }, nowMillis: number, lifetimeMillis: number): string => {
    const now = Math.floor(nowMillis / 1000)
    const common = {
      jti: randomUUID(),
      sub: subject,
      nbf: now,
      exp: now + Math.floor(lifetimeMillis / 1000),
      iat: now,
      iss: issuer,
      aud: service,
      version: "1.0",
      rid: registryId
    }
    const text = `${part(header)}.${part({ ...common, ...claims })}`
    return `${text}.${sign(text).toString("base64url")}`
  }
}

const decodeBasic = (value: string): readonly [username: string, password: string] => {
  const text = Buffer.from(value, "base64").toString("utf8")
  const colon = text.indexOf(":")
  return [text.slice(0, Math.max(0, colon)), text.slice(colon + 1)]
}

/** The caller of a request by its Authorization header. */
export type Authorized =
  /** No header. */
  | { readonly _tag: "Anonymous" }
  /** A login or a token that is unknown, or that has expired. */
  | { readonly _tag: "Unknown" }
  | {
      readonly _tag: "Known"
      /** The identity whose limits count the request. All anonymous callers share one, and so do all of Entra ID. */
      readonly identity: Identity
      readonly may: (right: Right) => boolean
      /** Whether the identity has the roles for manifests in quarantine. */
      readonly mayQuarantine: boolean
    }

/**
 * ACR's roles AcrQuarantineReader and AcrQuarantineWriter belong to the identity: the tokens of both have only the
 * scopes `pull` and `push` (Azure/acr, docs/preview/quarantine). Scope maps have no action for it.
 */
const mayQuarantine = ({ _tag }: Identity): boolean => _tag === "Owner"

const known = (identity: Identity, may: (right: Right) => boolean): Authorized => ({
  _tag: "Known",
  identity,
  may,
  mayQuarantine: mayQuarantine(identity)
})

/**
 * The token service of a registry.
 */
export const make = (options: {
  readonly service: string
  readonly modes: () => Pick<Modes, "anonymousPull" | "roleAssignmentMode">
  readonly acceptsEntraToken: (token: Redacted.Redacted<string>) => boolean
  readonly accounts: ReadonlyArray<Account>
  /** The certificate to sign tokens with. */
  readonly certificate: Certificate | undefined
  readonly accessTokenMillis: number
  readonly refreshTokenMillis: number
}) => {
  const application = randomUUID()
  const write = writer(options.service, application, options.certificate)
  const anonymous: Identity = { _tag: "Anonymous", name: "anonymous" }
  const entra: Identity = { _tag: "Owner", name: "Entra ID" }
  const accessTokens = new Map<string, Issued>()
  const refreshTokens = new Map<string, Issued>()

  /** Whether rights are granted by repository, and no wildcards. */
  const byRepository = (): boolean => options.modes().roleAssignmentMode === "rbac-abac"

  const may = (identity: Identity, right: Right): boolean => has(identity, right, options.modes().anonymousPull)

  const grant = (identity: Identity, scopes: ReadonlyArray<string>, nowMillis: number): Answer => {
    // A wildcard is granted to every caller: its rights are checked when it is used.
    const rights = parseScopes(scopes).filter((right) =>
      isWildcard(right) ? !byRepository() || right.type === "registry" : may(identity, right)
    )
    const claims = { grant_type: "access_token", access: byResource(rights) }
    const token = write(claims, nowMillis, options.accessTokenMillis)
    const expiresMillis = nowMillis + options.accessTokenMillis
    remember(accessTokens, token, { identity, rights, expiresMillis }, nowMillis)
    return { ...json(200, { access_token: token }, remaining), user: identity.name }
  }

  /**
   * A wrong login gets no token, and an anonymous caller gets one only with anonymous pull. Azure/AKS, issue 4459,
   * shows the status; azure-sdk-for-python, TROUBLESHOOTING.md of azure-containerregistry, the body. For a wrong
   * password it is assumed.
   */
  const grantOf = (identity: Identity | undefined, scopes: ReadonlyArray<string>, nowMillis: number): Answer =>
    identity === undefined || (identity === anonymous && !options.modes().anonymousPull)
      ? error(401, "UNAUTHORIZED", authenticationRequired)
      : grant(identity, scopes, nowMillis)

  const valid = (issued: Issued | undefined, nowMillis: number): issued is Issued =>
    issued !== undefined && issued.expiresMillis > nowMillis

  /** A login without a name and a password is anonymous, such as that of docker without `docker login`. */
  const login = (username: string, password: string, nowMillis: number): Identity | undefined => {
    if (username === "" && password === "") return anonymous
    if (username === tokenUser) {
      const issued = refreshTokens.get(password)
      return valid(issued, nowMillis) ? issued.identity : undefined
    }
    return options.accounts.find(
      (account) => account.username === username && Redacted.value(account.password) === password
    )?.identity
  }

  /** The token service refuses Entra tokens and refresh tokens without an explanation. */
  const refused = empty(401)
  const otherService = empty(400)

  return {
    /** `POST /oauth2/exchange` */
    exchange: (form: URLSearchParams, nowMillis: number): Answer => {
      if (
        form.get("grant_type") !== "access_token" ||
        form.get("service") !== options.service ||
        !options.acceptsEntraToken(Redacted.make(form.get("access_token") ?? ""))
      ) {
        return refused
      }
      const token = write(
        {
          grant_type: "refresh_token",
          appid: application,
          permissions: {
            Actions: ["read", "write", "delete", "deleted/read", "deleted/restore/action"],
            NotActions: null
          },
          roles: [],
          ...(byRepository() ? { aad_identity: randomUUID() } : {})
        },
        nowMillis,
        options.refreshTokenMillis
      )
      const expiresMillis = nowMillis + options.refreshTokenMillis
      remember(refreshTokens, token, { identity: entra, rights: [], expiresMillis }, nowMillis)
      return { ...json(200, { refresh_token: token }, remaining), user: entra.name }
    },

    /** `POST /oauth2/token` */
    token: (form: URLSearchParams, nowMillis: number): Answer => {
      const service = form.get("service")
      if (service === null) return refused
      if (service !== options.service) return otherService
      const scopes = form.getAll("scope")
      switch (form.get("grant_type")) {
        case "refresh_token": {
          const issued = refreshTokens.get(form.get("refresh_token") ?? "")
          return valid(issued, nowMillis) ? grant(issued.identity, scopes, nowMillis) : refused
        }
        case "password": {
          return grantOf(login(form.get("username") ?? "", form.get("password") ?? "", nowMillis), scopes, nowMillis)
        }
        default:
          return error(400, "UNSUPPORTED", "the grant type is not supported")
      }
    },

    /** `GET /oauth2/token` */
    tokenByLogin: (query: URLSearchParams, authorization: string | undefined, nowMillis: number): Answer => {
      if (query.get("service") !== options.service) return refused
      const identity =
        authorization === undefined
          ? anonymous
          : login(...decodeBasic(authorization.replace(/^basic /i, "")), nowMillis)
      return grantOf(identity, query.getAll("scope"), nowMillis)
    },

    /** Reads the Authorization header of a request for anything else. */
    authorize: (authorization: string | undefined, nowMillis: number): Authorized => {
      if (authorization === undefined) return { _tag: "Anonymous" }
      const space = authorization.indexOf(" ")
      const value = authorization.slice(space + 1)
      if (authorization.slice(0, space).toLowerCase() === "basic") {
        const identity = login(...decodeBasic(value), nowMillis)
        if (identity === anonymous) return { _tag: "Anonymous" }
        return identity === undefined ? { _tag: "Unknown" } : known(identity, (right) => may(identity, right))
      }
      const issued = accessTokens.get(value)
      return valid(issued, nowMillis)
        ? known(
            issued.identity,
            (right) => may(issued.identity, right) && issued.rights.some((granted) => covers(granted, right))
          )
        : { _tag: "Unknown" }
    },

    revokeAccessTokens: (): void => accessTokens.clear(),
    revokeRefreshTokens: (): void => refreshTokens.clear()
  }
}

export type Tokens = ReturnType<typeof make>

export const scopeMapAccount = (token: {
  readonly username: string
  readonly password: Redacted.Redacted<string>
  readonly scopeMap: ReadonlyArray<ScopeMapRule>
}): Account => ({
  username: token.username,
  password: token.password,
  identity: { _tag: "ScopeMap", name: token.username, rules: token.scopeMap }
})
