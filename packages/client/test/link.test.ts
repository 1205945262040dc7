/**
 * `Link`: RFC 8288, section 3.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { nextPage } from "../src/internal/http/link.ts"
import { atOnce } from "./support/atOnce.ts"

describe("the link to the next page", () => {
  const targets: ReadonlyArray<readonly [string, string]> = [
    // ACR's own, of three paths.
    ['</acr/v1/_catalog?last=hello-world&n=2&orderby=>; rel="next"', "/acr/v1/_catalog?last=hello-world&n=2&orderby="],
    [
      '</acr/v1/samples%2fhello-world/_tags?last=v1&n=1&orderby=timedesc>; rel="next"',
      "/acr/v1/samples%2fhello-world/_tags?last=v1&n=1&orderby=timedesc"
    ],
    [
      '</v2/a/referrers/sha256:ab?artifactType=b%2Bc&n=3>; rel="next"',
      "/v2/a/referrers/sha256:ab?artifactType=b%2Bc&n=3"
    ],
    ['<https://r.example/v2/_catalog?n=1>; rel="next"', "https://r.example/v2/_catalog?n=1"],
    ['<//r.example/v2/_catalog>; rel="next"', "//r.example/v2/_catalog"],
    ['<?last=a>; rel="next"', "?last=a"],
    ['<../_catalog?last=a>; rel="next"', "../_catalog?last=a"],
    // Spellings of one thing.
    ["</a>;rel=next", "/a"],
    ["</a> ; rel = next ; title=b", "/a"],
    ['</a>; REL="Next"', "/a"],
    ['</a>; rel="last next"', "/a"],
    ['</a>; rel="next last"', "/a"],
    ['</a>; rel="first  next\tlast"', "/a"],
    ['</a>; title="b; c, d"; rel="next"; type="text/html"', "/a"],
    ["</a>;;; rel=next", "/a"],
    // Among others.
    ['</a>; rel="prev", </b>; rel="next", </c>; rel="last"', "/b"],
    ['</a>; rel="prev",</b>;rel=next,</c>;rel=last', "/b"],
    ['</a>, </b>; rel="next"', "/b"],
    ['</a>; rel="next", </b>; rel="next"', "/a"],
    ['garbage, </a>; rel="next"', "/a"],
    // Without angle brackets, as old versions of Nexus send it.
    ['/v2/_catalog?last=a&n=2; rel="next"', "/v2/_catalog?last=a&n=2"],
    ["https://r.example/v2/_catalog?n=1;rel=next", "https://r.example/v2/_catalog?n=1"]
  ]
  it.each([
    '</a>; title="<b>; rel=next"',
    '</a>; title="; rel=next"; rel=prev',
    "</a>; rel=next-archive",
    '</a>; rel="prev"; rel="next"'
  ])("is not in %s", (header) => {
    assert.isTrue(Option.isNone(nextPage(header)))
  })

  it.each(targets)("of %s", (header, target) => {
    assert.deepStrictEqual(nextPage(header), Option.some(target))
  })

  it.each([
    "",
    " ",
    "</a>",
    "</a>;",
    "</a>; rel",
    "</a>; rel=",
    '</a>; rel=""',
    '</a>; rel="prev"',
    '</a>; rel="nextpage"',
    '</a>; rel="unext"',
    '</a>; rel="https://example.com/next"',
    "</a>; rel=nextpage",
    "</a>; rel=prev next",
    '</a>; rev="next"',
    '</a>; xrel="next"',
    '</a>; title="next"',
    '</a>; rel="next',
    '</a> rel="next"',
    '</a; rel="next"',
    '/a>; rel="next"',
    'rel="next"',
    "next",
    "<>"
  ])("is not in %j", (header) => {
    assert.deepStrictEqual(nextPage(header), Option.none())
  })

  it("is not searched beyond eight kilobytes", () => {
    const link = '</a>; rel="next"'
    const padding = " ".repeat(8192 - link.length)
    assert.deepStrictEqual(nextPage(padding + link), Option.some("/a"))
    assert.deepStrictEqual(nextPage(`${padding} ${link}`), Option.none())
    // A truncated target is dropped: half an address is another address.
    assert.deepStrictEqual(nextPage(`</${"a".repeat(10_000)}>; rel="next"`), Option.none())
  })

  it.prop(
    "is found among others, as it was written",
    [
      Schema.String.check(Schema.isPattern(/^[!-;=?-~]{0,100}$/)),
      Schema.Array(Schema.String.check(Schema.isPattern(/^[!-;=?-~]{0,50}$/)))
    ],
    ([target, others]) => {
      const header = [...others.map((other) => `<${other}>; rel="prev"`), `<${target}>; rel="next"`].join(", ")
      assert.deepStrictEqual(nextPage(header), Option.some(target))
    },
    { arbitrary: { seed: 1, runs: 200 } }
  )

  it.each([
    "<",
    ">",
    "<>",
    "<a>",
    ";",
    " ",
    "-",
    "_",
    "a/",
    '"',
    "<a>;rel=",
    '<a>; rel="prev',
    '<a>; rel="prev", ',
    '; rel="x ',
    ";rel=",
    "; rel",
    "<a>;\trel\t",
    '<a>;rel="nex '
  ])("is not in a megabyte of %j, which is seen at once", (piece) => {
    for (const length of [100_000, 1_000_000]) {
      const long = piece.repeat(length / piece.length)
      for (const header of [long, `<a>${long}`, `<a>; rel="${long}`, `<a>;${" ".repeat(100)}${long}`]) {
        assert.deepStrictEqual(
          atOnce(() => nextPage(header)),
          Option.none()
        )
      }
    }
  })
})
