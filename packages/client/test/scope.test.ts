/**
 * Scopes: distribution's token specification, and what ACR adds to it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Scope from "../src/internal/auth/scope.ts"
import * as TokenScope from "../src/TokenScope.ts"
import { atOnce } from "./support/atOnce.ts"

const Action = Schema.Literals(["pull", "push", "delete", "metadata_read", "metadata_write", "*"])
const Resource = Schema.Literals(["repository:a", "repository:a/b", "repository:localhost:5000/a", "registry:catalog"])
const Rights = Schema.Array(Schema.Tuple([Resource, Action]))
const seeded = { arbitrary: { seed: 1, runs: 200 } }

/** Every right in a separate scope. */
const apart = (scopes: ReadonlyArray<string>): ReadonlyArray<string> =>
  scopes.flatMap((scope) => {
    const colon = scope.lastIndexOf(":")
    return scope
      .slice(colon + 1)
      .split(",")
      .map((action) => `${scope.slice(0, colon)}:${action}`)
  })

describe("a scope", () => {
  it("is written as the registry's own challenges write it", () => {
    assert.strictEqual(TokenScope.catalog, "registry:catalog:*")
    assert.strictEqual(TokenScope.repository("samples/hello-world", "pull"), "repository:samples/hello-world:pull")
    assert.strictEqual(TokenScope.repository("a", "pull", "push"), "repository:a:pull,push")
    assert.strictEqual(TokenScope.repository("a", "metadata_read"), "repository:a:metadata_read")
  })
})

describe("normalized scopes", () => {
  const spellings: ReadonlyArray<readonly [ReadonlyArray<string>, ReadonlyArray<string>]> = [
    [[], []],
    [["repository:a:pull"], ["repository:a:pull"]],
    [
      ["repository:a:push", "repository:b:pull", "repository:a:pull"],
      ["repository:a:pull,push", "repository:b:pull"]
    ],
    [["repository:a:pull,pull", "repository:a:pull"], ["repository:a:pull"]],
    [
      ["a:b:", "a:c", "a"],
      ["a", "a:b:", "a:c"]
    ],
    [["repository:a:*", "repository:a:pull"], ["repository:a:*,pull"]],
    [
      ["repository(plugin):a:pull", "repository:a:pull"],
      ["repository(plugin):a:pull", "repository:a:pull"]
    ],
    // Neither is a resource of the other.
    [
      ["repository:a:pull", "repository:a/b:push"],
      ["repository:a/b:push", "repository:a:pull"]
    ]
  ]
  it("pass on other forms unchanged", () => {
    assert.deepStrictEqual(Scope.normalise(["foo"]), ["foo"])
    assert.deepStrictEqual(Scope.normalise(["a:b:c,,d"]), ["a:b:c,d"])
  })

  it.each(spellings)("%j", (scopes, normal) => {
    assert.deepStrictEqual(Scope.normalise(scopes), normal)
  })

  it.prop(
    "are the same rights, one scope for each resource, and normalization is idempotent",
    [Rights],
    ([rights]) => {
      const scopes = rights.map(([resource, action]) => `${resource}:${action}`)
      const normal = Scope.normalise(scopes)
      assert.deepStrictEqual(apart(normal).toSorted(), Array.from(new Set(scopes)).toSorted())
      assert.strictEqual(normal.length, new Set(rights.map(([resource]) => resource)).size)
      assert.deepStrictEqual(Scope.normalise(normal), normal)
    },
    seeded
  )

  it.prop(
    "do not depend on order or on repetition",
    [Rights],
    ([rights]) => {
      const scopes = rights.map(([resource, action]) => `${resource}:${action}`)
      const normal = Scope.normalise(scopes)
      assert.deepStrictEqual(Scope.normalise(scopes.toReversed()), normal)
      assert.deepStrictEqual(Scope.normalise([...scopes, ...scopes]), normal)
    },
    seeded
  )

  it.each(["repository:a:pull,", "repository:a:pull repository:a/b:push ", ":", ",", "a/", "-", "_"])(
    "are found at once in a megabyte of %j",
    (piece) => {
      for (const length of [100_000, 1_000_000]) {
        const long = piece.repeat(length / piece.length)
        assert.strictEqual(atOnce(() => Scope.normalise([long])).length, 1)
        assert.isAtMost(atOnce(() => Scope.normalise(Scope.fromChallenge(long))).length, 2)
      }
    }
  )
})

describe("scopes of a challenge", () => {
  const challenges: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
    ["", []],
    ["   ", []],
    ["repository:a:pull", ["repository:a:pull"]],
    ["repository:a:pull,push repository:b:pull", ["repository:a:pull,push", "repository:b:pull"]],
    [" repository:a:pull \t\r\n registry:catalog:*  ", ["repository:a:pull", "registry:catalog:*"]]
  ]
  it.each(challenges)("%j", (scope, scopes) => {
    assert.deepStrictEqual(Scope.fromChallenge(scope), scopes)
  })

  it.prop(
    "are split as they were joined",
    [Rights],
    ([rights]) => {
      const scopes = rights.map(([resource, action]) => `${resource}:${action}`)
      assert.deepStrictEqual(Scope.fromChallenge(scopes.join(" ")), scopes)
    },
    seeded
  )
})

describe("a cached token", () => {
  const cases: ReadonlyArray<readonly [string, string, boolean]> = [
    ["repository:a:pull", "repository:a:pull", true],
    ["repository:a:pull,push", "repository:a:pull", true],
    ["repository:a:pull", "repository:a:pull,push", false],
    ["repository:a:pull", "repository:b:pull", false],
    ["repository:a:pull repository:b:pull", "repository:b:pull", true],
    ["repository:a:pull repository:b:pull", "repository:a:pull repository:b:pull", true],
    ["repository:a:*", "repository:a:delete", true],
    ["repository:*:pull", "repository:a/b:pull", true],
    ["repository:*:*", "repository:a:delete,pull", true],
    ["repository:*:pull", "repository:a:push", false],
    ["repository:*:*", "registry:catalog:*", false],
    ["registry:catalog:*", "registry:catalog:*", true],
    ["registry:catalog:*", "repository:catalog:*", false],
    ["repository:a:pull", "repository:*:pull", false]
  ]
  it.each(cases)("for %s is one for %s: %s", (held, wanted, expected) => {
    assert.strictEqual(Scope.covers(Scope.fromChallenge(held), Scope.fromChallenge(wanted)), expected)
  })
})
