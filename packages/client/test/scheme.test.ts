/**
 * The authentication scheme of a registry, and the token services that the client trusts.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Challenge from "../src/internal/http/challenge.ts"
import { type Demand, fromChallenges, mayTrust } from "../src/internal/auth/scheme.ts"
import type { Reason } from "../src/RegistryError.ts"
import { atOnce } from "./support/atOnce.ts"

const registry = "https://myregistry.azurecr.io"

const demand = (
  header: string,
  origin: string = registry,
  trustedRealms: ReadonlyArray<string> = []
): Result.Result<Demand, Reason> => fromChallenges(Challenge.parse(header), origin, trustedRealms)

/** The demand in one line, or the error. */
const summary = (result: Result.Result<Demand, Reason>): string =>
  Result.match(result, {
    onSuccess: ({ insufficientScope, scheme, scopes }) =>
      [
        scheme._tag,
        ...(scheme._tag === "Bearer" ? [scheme.origin + scheme.path, scheme.service] : []),
        ...scopes,
        ...(insufficientScope ? ["insufficient"] : [])
      ].join(" | "),
    onFailure: ({ _tag, message }) => `${_tag}: ${message}`
  })

const noRealm = "InvalidResponse: the challenge names no realm to get a token from"
const noLogin = "InvalidResponse: the registry requires an unknown kind of login"
const elsewhere = (origin: string) =>
  `Refused: the registry at ${registry} names the token service ${origin}, which is not trusted`
const noAddress = `Refused: the registry at ${registry} names a token service whose address is neither http nor https`

describe("a demand", () => {
  const demands: ReadonlyArray<readonly [string, string]> = [
    [
      `Bearer realm="${registry}/oauth2/token",service="myregistry.azurecr.io",scope="repository:a:pull,push registry:catalog:*"`,
      `Bearer | ${registry}/oauth2/token | myregistry.azurecr.io | repository:a:pull,push | registry:catalog:*`
    ],
    [
      `Bearer realm="${registry}/t",service="s",scope="a:b:c",error="insufficient_scope"`,
      `Bearer | ${registry}/t | s | a:b:c | insufficient`
    ],
    [`Bearer realm="${registry}/t",service="s",error="invalid_token"`, `Bearer | ${registry}/t | s`],
    [`Bearer realm="${registry}/t"`, `Bearer | ${registry}/t | `],
    [`bearer realm=${registry}/t,service=s`, `Bearer | ${registry}/t | s`],
    [`Bearer realm="${registry.toUpperCase()}:443/T?x=y"`, `Bearer | ${registry}/T?x=y | `],
    [`Bearer realm="${registry}/a/../t"`, `Bearer | ${registry}/t | `],
    ['Basic realm="r"', "Basic"],
    ["Basic", "Basic"],
    [`Basic realm="r", Bearer realm="${registry}/t",service="s"`, `Bearer | ${registry}/t | s`],
    ['Negotiate, Digest qop="auth", basic realm="r"', "Basic"]
  ]
  it.each(demands)("%s", (header, expected) => {
    assert.strictEqual(summary(demand(header)), expected)
  })

  const refusals: ReadonlyArray<readonly [string, string]> = [
    ["", noLogin],
    ["garbage", noLogin],
    ['Negotiate, Digest qop="auth"', noLogin],
    ["Bearer", noRealm],
    ['Bearer realm=""', noRealm],
    ['Bearer realm="/oauth2/token"', noRealm],
    ['Bearer realm="myregistry.azurecr.io/oauth2/token"', noRealm],
    ['Bearer realm="https://"', noRealm],
    ['Bearer realm="https://[::1"', noRealm],
    ['Bearer service="s",scope="a:b:c"', noRealm],
    ['Bearer realm="https://evil.example/token"', elsewhere("https://evil.example")],
    ['Bearer realm="https://xn--psswort-5wa.example/t"', elsewhere("https://xn--psswort-5wa.example")],
    ['Bearer realm="https://p\u00e4sswort.example/t"', elsewhere("https://<not in ASCII>")],
    ['Bearer realm="http://myregistry.azurecr.io/t"', elsewhere("http://myregistry.azurecr.io")],
    [`Bearer realm="${registry}:8443/t"`, elsewhere(`${registry}:8443`)],
    [`Bearer realm="${registry}@evil.example/t"`, elsewhere("https://evil.example")],
    [`Bearer realm="${registry}.evil.example/t"`, elsewhere("https://myregistry.azurecr.io.evil.example")],
    [`Bearer realm="https://evil.example/${registry}"`, elsewhere("https://evil.example")],
    [`Bearer realm="https://evil.example\\\\@myregistry.azurecr.io/"`, elsewhere("https://evil.example")],
    ['Bearer realm="javascript:alert(1)"', noAddress],
    ['Bearer realm="data:text/plain,x"', noAddress],
    ['Bearer realm="file:///etc/passwd"', noAddress],
    ['Bearer realm="Password-of-the-user:x"', noAddress]
  ]
  it.each(refusals)("that cannot be met: %s", (header, expected) => {
    assert.strictEqual(summary(demand(header)), expected)
  })

  it("may name a realm elsewhere if the user allows it", () => {
    const header = 'Bearer realm="https://auth.example:8443/token",service="s"'
    assert.strictEqual(summary(demand(header)), elsewhere("https://auth.example:8443"))
    assert.strictEqual(
      summary(demand(header, registry, ["https://other.example", "https://auth.example:8443"])),
      "Bearer | https://auth.example:8443/token | s"
    )
    assert.strictEqual(
      summary(demand(header, registry, ["https://auth.example"])),
      elsewhere("https://auth.example:8443")
    )
  })

  it("quotes no part of the realm's user name or query in a refusal", () => {
    const header = 'Bearer realm="https://me:secret@evil.example/secret?secret"'
    assert.strictEqual(summary(demand(header)), elsewhere("https://evil.example"))
  })

  it.each(["a/", "-", "_", "repository:a:pull ", '\\"', "https://"])(
    "of a megabyte of %j is judged at once",
    (piece) => {
      for (const length of [100_000, 1_000_000]) {
        const long = piece.repeat(length / piece.length)
        assert.strictEqual(summary(atOnce(() => demand(`Bearer realm="${long}"`))), noRealm)
        assert.strictEqual(
          summary(atOnce(() => demand(`Bearer realm="${registry}/t",service="s",scope="${long}"`))),
          // A value beyond the limit has no end, so it is dropped.
          `Bearer | ${registry}/t | s`
        )
      }
    }
  )
})

describe("trust", () => {
  const cases: ReadonlyArray<readonly [string, string, ReadonlyArray<string>, boolean]> = [
    [registry, `${registry}/oauth2/token`, [], true],
    [registry, `${registry}:443/`, [], true],
    [registry, `blob:${registry}/oauth2/token`, [], false],
    ["http://localhost:5000", "http://localhost:5000/token", [], true],
    ["http://localhost:5000", "http://localhost:5001/token", [], false],
    ["http://localhost:5000", "http://127.0.0.1:5000/token", [], false],
    ["https://registry-1.docker.io", "https://auth.docker.io/token", [], true],
    ["https://registry.gitlab.com", "https://gitlab.com/jwt/auth", [], true],
    ["https://registry-1.docker.io", "http://auth.docker.io/token", [], false],
    ["https://registry-1.docker.io", "https://gitlab.com/jwt/auth", [], false],
    ["https://auth.docker.io", "https://registry-1.docker.io/token", [], false],
    [registry, "https://auth.docker.io/token", [], false],
    [registry, "https://other.azurecr.io/oauth2/token", [], false],
    [registry, "https://other.azurecr.io/oauth2/token", ["https://other.azurecr.io"], true],
    [registry, "http://other.azurecr.io/oauth2/token", ["https://other.azurecr.io"], false],
    [registry, "https://me@myregistry.azurecr.io/", [], false],
    [registry, "https://:secret@myregistry.azurecr.io/", [], false],
    [registry, "https://me@auth.example/", ["https://auth.example"], false]
  ]
  it.each(cases)("of %s in %s, beside %j: %s", (origin, realm, trusted, expected) => {
    assert.strictEqual(mayTrust(new URL(realm), origin, trusted), expected)
  })
})
