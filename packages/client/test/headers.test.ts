/**
 * The headers that steer the client, as registries and proxies really write them.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Challenge from "../src/internal/challenge.ts"
import { nextPage } from "../src/internal/link.ts"
import * as Scope from "../src/internal/scope.ts"
import { atOnce } from "./support/atOnce.ts"

const parse = (header: string) =>
  Challenge.parse(header).map(({ parameters, scheme }) => ({ scheme, ...Object.fromEntries(parameters) }))

const quote = (text: string) => `"${text.replace(/["\\]/g, String.raw`\$&`)}"`

describe("WWW-Authenticate", () => {
  const read: ReadonlyArray<readonly [string, string, ReadonlyArray<object>]> = [
    [
      "of ACR",
      'Bearer realm="https://r.azurecr.io/oauth2/token",service="r.azurecr.io",scope="repository:a:metadata_read"',
      [
        {
          scheme: "bearer",
          realm: "https://r.azurecr.io/oauth2/token",
          service: "r.azurecr.io",
          scope: "repository:a:metadata_read"
        }
      ]
    ],
    [
      "with commas and spaces in its scopes",
      'Bearer realm="x", scope="repository:a:pull,push repository:b/c:pull", error="insufficient_scope"',
      [
        {
          scheme: "bearer",
          realm: "x",
          scope: "repository:a:pull,push repository:b/c:pull",
          error: "insufficient_scope"
        }
      ]
    ],
    [
      "with several challenges",
      'Basic realm="a, b", Bearer realm="c",service="d",Negotiate, Digest qop="auth", nonce=abc',
      [
        { scheme: "basic", realm: "a, b" },
        { scheme: "bearer", realm: "c", service: "d" },
        { scheme: "negotiate" },
        { scheme: "digest", qop: "auth", nonce: "abc" }
      ]
    ],
    [
      "without quotes",
      "bearer realm=https://r/token,service=r",
      [{ scheme: "bearer", realm: "https://r/token", service: "r" }]
    ],
    [
      "with spaces everywhere",
      '  ,, BEARER   Realm = "x" ,  Service\t=\t"y"  ,',
      [{ scheme: "bearer", realm: "x", service: "y" }]
    ],
    ["with escaped quotes", String.raw`Bearer realm="a\"b\\c"`, [{ scheme: "bearer", realm: String.raw`a"b\c` }]],
    ["with a parameter twice", 'Bearer realm="first",realm="second"', [{ scheme: "bearer", realm: "first" }]],
    ["with a quote that does not end", 'Bearer realm="x', [{ scheme: "bearer", realm: "" }, { scheme: "x" }]],
    ["of nothing", "", []],
    ["of garbage", '=,;"()', []]
  ]
  it.each(read)("%s", (_, header, challenges) => {
    assert.deepStrictEqual(parse(header), challenges)
  })

  it.each(['"', "Bearer ", 'a="', "\\", ",", "Bearer realm=", 'Bearer realm="\\', "= "])(
    "of 100 kB of %j is read at once",
    (piece) => {
      assert.isArray(atOnce(() => Challenge.parse(piece.repeat(Math.ceil(100_000 / piece.length)))))
    }
  )

  it.prop(
    "of any text does not throw",
    [Schema.String],
    ([text]) => {
      assert.isArray(Challenge.parse(text))
    },
    { arbitrary: { runs: 1000 } }
  )

  it.prop("holds any value, quoted", [Schema.String, Schema.String], ([realm, scope]) => {
    const header = `Basic realm=${quote(scope)}, Bearer realm=${quote(realm)}, scope=${quote(scope)}`
    assert.deepStrictEqual<object>(parse(header), [
      { scheme: "basic", realm: scope },
      { scheme: "bearer", realm, scope }
    ])
  })
})

describe("Link", () => {
  const links: ReadonlyArray<readonly [string, string | undefined]> = [
    ['</acr/v1/_catalog?last=b&n=2>; rel="next"', "/acr/v1/_catalog?last=b&n=2"],
    ["</v2/_catalog?last=b>; rel=next", "/v2/_catalog?last=b"],
    ['</a>;rel = "NEXT"', "/a"],
    ['</a>; title="x, y; z"; rel="next"', "/a"],
    ['</a>; rel="prev", </b>; rel="next"', "/b"],
    ['</a>; rel="start next"', "/a"],
    ['</a,b;c?d=e,f>; rel="next"', "/a,b;c?d=e,f"],
    ['<>; rel="next"', ""],
    ['</a>; rel="prev"', undefined],
    ['</a>; rel="nextish"', undefined],
    ["</a>", undefined],
    ['/a; rel="next"', undefined],
    ["", undefined],
    ["<", undefined]
  ]
  it.each(links)("%s", (header, target) => {
    assert.strictEqual(Option.getOrUndefined(nextPage(header)), target)
  })

  it.each(["<", ">", "<a>;", '<a>; rel="', ";", " ", '<a>; rel="x ', "rel=", '<a>; rel="prev",'])(
    "of 100 kB of %j is read at once",
    (piece) => {
      assert.isTrue(Option.isNone(atOnce(() => nextPage(piece.repeat(Math.ceil(100_000 / piece.length))))))
    }
  )
})

describe("scopes", () => {
  it("have one spelling", () => {
    const spellings = [
      ["repository:a:pull,push"],
      ["repository:a:push,pull"],
      ["repository:a:push", "repository:a:pull"],
      ["repository:a:push,pull,push"]
    ]
    for (const spelling of spellings) assert.deepStrictEqual(Scope.normalise(spelling), ["repository:a:pull,push"])
    assert.deepStrictEqual(Scope.normalise(["repository:b:pull", "registry:catalog:*", "repository:a:pull"]), [
      "registry:catalog:*",
      "repository:a:pull",
      "repository:b:pull"
    ])
  })

  it("keep ports in names apart from actions", () => {
    assert.deepStrictEqual(Scope.normalise(["repository:localhost:5000/a:pull"]), ["repository:localhost:5000/a:pull"])
  })

  it("of a challenge are separated by any space", () => {
    assert.deepStrictEqual(Scope.fromChallenge(" a:b:c  d:e:f\t"), ["a:b:c", "d:e:f"])
  })
})
