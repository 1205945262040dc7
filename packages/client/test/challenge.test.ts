/**
 * `WWW-Authenticate`: RFC 9110, sections 11.2 to 11.6.1, and what registries send.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Challenge from "../src/internal/http/challenge.ts"
import { atOnce } from "./support/atOnce.ts"

const read = (header: string) =>
  Challenge.parse(header).map(({ parameters, scheme }) => [scheme, Object.fromEntries(parameters)])

const quote = (text: string) => `"${text.replace(/["\\]/g, String.raw`\$&`)}"`

/** A challenge as a careful server writes it. */
const write = (scheme: string, parameters: { readonly [name: string]: string }): string =>
  `${scheme} ${Object.entries(parameters)
    .map(([name, value]) => `${name}=${quote(value)}`)
    .join(",")}`

describe("challenges", () => {
  const registries: ReadonlyArray<readonly [string, string, { readonly [name: string]: string }]> = [
    [
      "ACR",
      'Bearer realm="https://myregistry.azurecr.io/oauth2/token",service="myregistry.azurecr.io",' +
        'scope="repository:samples/hello-world:pull,push"',
      {
        realm: "https://myregistry.azurecr.io/oauth2/token",
        service: "myregistry.azurecr.io",
        scope: "repository:samples/hello-world:pull,push"
      }
    ],
    [
      "ACR, to a token with insufficient scope",
      'Bearer realm="https://r.azurecr.io/oauth2/token",service="r.azurecr.io",' +
        'scope="registry:catalog:*",error="insufficient_scope"',
      {
        realm: "https://r.azurecr.io/oauth2/token",
        service: "r.azurecr.io",
        scope: "registry:catalog:*",
        error: "insufficient_scope"
      }
    ],
    [
      "Docker Hub",
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull"',
      { realm: "https://auth.docker.io/token", service: "registry.docker.io", scope: "repository:a/b:pull" }
    ],
    [
      "Harbor",
      'Bearer realm="https://h/service/token",service="harbor-registry",scope="repository:a:pull repository:b:pull,push"',
      {
        realm: "https://h/service/token",
        service: "harbor-registry",
        scope: "repository:a:pull repository:b:pull,push"
      }
    ]
  ]
  it.each(registries)("of %s", (_, header, parameters) => {
    assert.deepStrictEqual(read(header), [["bearer", parameters]])
  })

  const cases: ReadonlyArray<readonly [string, string, ReadonlyArray<readonly [string, object]>]> = [
    ["a scheme alone", "Negotiate", [["negotiate", {}]]],
    [
      "schemes alone",
      "Negotiate, NTLM,Basic",
      [
        ["negotiate", {}],
        ["ntlm", {}],
        ["basic", {}]
      ]
    ],
    [
      "several joined headers",
      [write("Basic", { realm: "a" }), write("Bearer", { realm: "b", scope: "c:d:e,f" })].join(", "),
      [
        ["basic", { realm: "a" }],
        ["bearer", { realm: "b", scope: "c:d:e,f" }]
      ]
    ],
    [
      "several of one scheme",
      'Bearer realm="a", Bearer realm="b"',
      [
        ["bearer", { realm: "a" }],
        ["bearer", { realm: "b" }]
      ]
    ],
    [
      "no quotes",
      "Bearer realm=https://r/token?a=b,service=r",
      [["bearer", { realm: "https://r/token?a=b", service: "r" }]]
    ],
    ["no commas", 'Bearer realm="a" service="b"', [["bearer", { realm: "a", service: "b" }]]],
    ["no value", "Bearer realm=,service=", [["bearer", { realm: "", service: "" }]]],
    ["an empty value", 'Bearer realm="",service=""', [["bearer", { realm: "", service: "" }]]],
    ["tabs and lines", 'Bearer\trealm\t=\t"a"\r\n\t,\r\n service = b', [["bearer", { realm: "a", service: "b" }]]],
    ["names in upper case", 'BEARER REALM="A",Service="B"', [["bearer", { realm: "A", service: "B" }]]],
    ["commas before and after", ',,Bearer realm="a",, ,service="b",,', [["bearer", { realm: "a", service: "b" }]]],
    ["an escaped quote", String.raw`Bearer realm="a\"b",service="c"`, [["bearer", { realm: 'a"b', service: "c" }]]],
    [
      "an escaped backslash at the end",
      String.raw`Bearer realm="a\\",service="c"`,
      [["bearer", { realm: "a\\", service: "c" }]]
    ],
    ["an escape that needs none", String.raw`Bearer realm="\a\,"`, [["bearer", { realm: "a," }]]],
    [
      "a challenge inside quotes",
      'Basic realm="Bearer realm=\\"https://evil.example\\", x=y"',
      [["basic", { realm: 'Bearer realm="https://evil.example", x=y' }]]
    ],
    ["a parameter twice, in two cases", 'Bearer realm="first",REALM="second"', [["bearer", { realm: "first" }]]],
    ["parameters without a scheme", 'realm="a",service="b"', []],
    [
      "parameters called like a part of every object",
      'a constructor="b",__proto__="c"',
      [
        [
          "a",
          Object.fromEntries([
            ["constructor", "b"],
            ["__proto__", "c"]
          ])
        ]
      ]
    ],
    ["other tongues", 'Bearer realm="bücher"', [["bearer", { realm: "bücher" }]]],
    ["HTML", "<html>", [["html", {}]]],
    ["spaces", " \t\r\n ", []],
    ["separators", "()<>@;:\\/[]?={}", []]
  ]
  it.each(cases)("with %s", (_, header, challenges) => {
    assert.deepStrictEqual<ReadonlyArray<unknown>>(read(header), challenges)
  })

  it("are not read beyond eight kilobytes", () => {
    const first = write("Bearer", { realm: "a" })
    assert.deepStrictEqual(read(`${first},${" ".repeat(8192)}Basic realm="b"`), [["bearer", { realm: "a" }]])
    // A truncated value is dropped: half an address may be the address of another server.
    assert.deepStrictEqual(read(write("Bearer", { realm: `https://${"a".repeat(10_000)}` }))[0], [
      "bearer",
      { realm: "" }
    ])
  })

  it.prop(
    "are read as they were written",
    [
      Schema.Array(
        Schema.Struct({
          scheme: Schema.String.check(Schema.isPattern(/^[a-z][a-z0-9-]{0,9}$/)),
          parameters: Schema.Struct({ realm: Schema.String, scope: Schema.String, "x-y_z.1": Schema.String })
        })
      )
    ],
    ([challenges]) => {
      const header = challenges.map(({ parameters, scheme }) => write(scheme, parameters)).join(", ")
      assert.deepStrictEqual<ReadonlyArray<unknown>>(
        read(header),
        challenges.map(({ parameters, scheme }) => [scheme, { ...parameters }])
      )
    },
    { arbitrary: { seed: 1, runs: 200 } }
  )

  it.prop(
    "have names in lower case, and values that were in the text, whatever the text",
    [Schema.Array(Schema.Literals(["Bearer", "a", "=", '"', "\\", ",", " ", "\t", "/", "é", "\0", "realm="]))],
    ([pieces]) => {
      for (const { parameters, scheme } of Challenge.parse(pieces.join(""))) {
        for (const name of [scheme, ...parameters.keys()]) {
          assert.match(name, /^[!#$%&'*+.^_`|~0-9a-z-]+$/)
        }
      }
    },
    { arbitrary: { seed: 1, runs: 2000 } }
  )

  it.each(['"', '\\"', '"\\', 'a="', 'a="\\"', "a=", "= ", "Bearer ", "-", "_", "a/", 'Bearer realm="\\"', 'a="b",'])(
    "of a megabyte of %j are read at once, and no more than eight kilobytes of them",
    (piece) => {
      for (const length of [100_000, 1_000_000]) {
        const header = piece.repeat(length / piece.length)
        const challenges = atOnce(() => read(header))
        assert.deepStrictEqual(challenges, read(header.slice(0, 8192)))
        assert.isAtMost(challenges.length, 8192)
      }
    }
  )
})
