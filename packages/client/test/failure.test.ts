/**
 * What an answer other than success means: OCI distribution specification, "Error codes".
 */
import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { type Answer, classify, parseErrors } from "../src/internal/http/failure.ts"
import { quoting } from "../src/internal/http/quote.ts"
import { ResponseError } from "../src/RegistryError.ts"
import { atOnce } from "./support/atOnce.ts"

describe("errors of a body", () => {
  const bodies: ReadonlyArray<readonly [string, ReadonlyArray<ResponseError>]> = [
    ['{"errors":[]}', []],
    ['{"errors":null}', []],
    ["{}", []],
    ['{"errors":[{"code":"DENIED"}]}', [{ code: "DENIED", message: "" }]],
    ['{"errors":[{"code":"DENIED","message":null}]}', [{ code: "DENIED", message: "" }]],
    ['{"errors":[{"code":"","message":""}]}', [{ code: "", message: "" }]],
    ['{"errors":[{"code":"DENIED","message":"no","detail":null}]}', [{ code: "DENIED", message: "no", detail: null }]],
    [
      '{"errors":[{"code":"A","message":"a","detail":[{"Type":"repository","Name":"b"}]},{"code":"B","message":"b"}],"novel":1}',
      [
        { code: "A", message: "a", detail: [{ Type: "repository", Name: "b" }] },
        { code: "B", message: "b" }
      ]
    ],
    [' {"errors":[{"code":"A","message":"a","novel":1}]}\n', [{ code: "A", message: "a" }]]
  ]
  it.each(bodies)("%s", (body, errors) => {
    assert.deepStrictEqual(parseErrors(body), errors)
  })

  it.each([
    "",
    " ",
    "null",
    "[]",
    "1",
    '"DENIED"',
    "<html></html>",
    "upstream connect error or disconnect/reset before headers",
    '{"errors":{}}',
    '{"errors":"DENIED"}',
    '{"errors":["DENIED"]}',
    '{"errors":[null]}',
    '{"errors":[{"message":"no code"}]}',
    '{"errors":[{"code":1}]}',
    '{"errors":[{"code":"A","message":1}]}',
    '{"errors":[{"code":"A"}',
    '{"error":"invalid_grant"}'
  ])("are not in %j", (body) => {
    assert.deepStrictEqual(parseErrors(body), [])
  })

  it.prop(
    "are read as they were written, with escapes for characters that do not print",
    [Schema.Array(ResponseError)],
    ([errors]) => {
      const { json } = quoting([])
      const read = parseErrors(JSON.stringify({ errors }))
      // JSON has no negative zero.
      assert.deepStrictEqual<unknown>(JSON.parse(JSON.stringify(read)), JSON.parse(JSON.stringify(errors.map(json))))
    },
    { arbitrary: { seed: 1, runs: 100 } }
  )

  it("are read without malformed entries", () => {
    const odd = [null, "A", [], {}, { code: 1 }, { message: "no code" }, { code: "A", message: {} }]
    const errors = [...odd, { code: "B", message: "b" }, ...odd]
    assert.deepStrictEqual(parseErrors(JSON.stringify({ errors })), [{ code: "B", message: "b" }])
  })

  const texts: ReadonlyArray<readonly [string, (length: number) => string]> = [
    ["brackets", (length) => "[".repeat(length)],
    ["objects in objects", (length) => '{"errors":'.repeat(length / 10)],
    ["quotes", (length) => '"'.repeat(length)],
    ["backslashes", (length) => `"${"\\".repeat(length)}`],
    ["slashes", (length) => "a/".repeat(length / 2)],
    ["dashes", (length) => "-".repeat(length)],
    ["underscores", (length) => "_".repeat(length)],
    ["HTML", (length) => "<p>".repeat(length / 3)],
    ["null for errors", (length) => JSON.stringify({ errors: Array(length / 10).fill(null) })]
  ]
  it.each(texts)("are not in a megabyte of %s, which is seen at once", (_, text) => {
    for (const length of [100_000, 1_000_000]) {
      assert.deepStrictEqual(
        atOnce(() => parseErrors(text(length))),
        []
      )
    }
  })

  it("are limited in number, length and depth", () => {
    const message = "a/".repeat(2000)
    const detail = `{"a":1,"b":${"[".repeat(1000)}${"]".repeat(1000)}}`
    const one = `{"code":"A${message}","message":"${message}","detail":${detail}}`
    const errors = atOnce(() => parseErrors(`{"errors":[${Array(200).fill(one).join(",")}]}`))
    assert.strictEqual(errors.length, 128)
    const [error] = errors
    assert.match(error?.code ?? "", /^Aa\/.{125}…$/)
    assert.match(error?.message ?? "", /^a\/.{2046}…$/)
    assert.match(JSON.stringify(error?.detail), /^\{"a":1,"b":\[+"…"\]+\}$/)
    const { reason } = classify(answer(403, { errors }))
    assert.match(reason.message, /^A.{4095}…$/)
  })

  it("are read although other fields are nested deeply", () => {
    const deep = `${"[".repeat(30_000)}${"]".repeat(30_000)}`
    const read = parseErrors(`{"novel":${deep},"errors":[{"code":"A","novel":${deep}},${deep},{"code":"B"}]}`)
    assert.deepStrictEqual(read, [
      { code: "A", message: "" },
      { code: "B", message: "" }
    ])
  })
})

const answer = (status: number, more: Partial<Answer> = {}): Answer => ({
  status,
  errors: [],
  hasBody: false,
  retryAfterMillis: Option.none(),
  missing: "tag",
  ...more
})

const unexplained = (status: number) => `the registry answered ${status} without an explanation`

describe("a status", () => {
  const table: ReadonlyArray<readonly [number, string, string, string]> = [
    [100, "InvalidResponse", "never", "status 100 is not expected here"],
    [204, "InvalidResponse", "never", "status 204 is not expected here"],
    [206, "InvalidResponse", "never", "status 206 is not expected here"],
    [301, "Refused", "never", "a redirect (301) is not followed"],
    [304, "Refused", "never", "a redirect (304) is not followed"],
    [307, "Refused", "never", "a redirect (307) is not followed"],
    [400, "InvalidRequest", "never", unexplained(400)],
    [401, "Unauthenticated", "never", `${unexplained(401)}: no login, or not a valid one`],
    [403, "Forbidden", "never", unexplained(403)],
    [404, "NotFound", "never", unexplained(404)],
    [405, "Locked", "never", unexplained(405)],
    [408, "Unavailable", "uncertain", unexplained(408)],
    [409, "InvalidRequest", "never", unexplained(409)],
    [412, "InvalidRequest", "never", unexplained(412)],
    [416, "InvalidRequest", "never", unexplained(416)],
    [429, "Throttled", "unprocessed", unexplained(429)],
    [499, "InvalidRequest", "never", unexplained(499)],
    [500, "Unavailable", "uncertain", unexplained(500)],
    [501, "Unavailable", "never", unexplained(501)],
    [502, "Unavailable", "uncertain", unexplained(502)],
    [503, "Unavailable", "unprocessed", unexplained(503)],
    [504, "Unavailable", "uncertain", unexplained(504)],
    [505, "Unavailable", "never", unexplained(505)],
    [599, "Unavailable", "never", unexplained(599)]
  ]
  it.each(table)("%d is %s, to be repeated: %s", (status, tag, repeat, message) => {
    const classified = classify(answer(status))
    assert.strictEqual(classified.reason._tag, tag)
    assert.strictEqual(classified.repeat, repeat)
    assert.strictEqual(classified.reason.message, message)
  })

  it("has a reason and a rule, whatever it is", () => {
    for (let status = 100; status < 600; status++) {
      const { reason, repeat } = classify(answer(status))
      assert.strictEqual(reason._tag === "Throttled", status === 429)
      assert.strictEqual(repeat !== "never", [408, 429, 500, 502, 503, 504].includes(status))
    }
  })

  it.each([429, 503, 408, 500, 502, 504])("%d tells how long to wait, if the registry does", (status) => {
    const waiting = classify(answer(status, { retryAfterMillis: Option.some(17_000) })).reason
    assert.strictEqual(Reflect.get(waiting, "retryAfterMillis"), 17_000)
    assert.isFalse("retryAfterMillis" in classify(answer(status)).reason)
  })

  it("is explained by all errors, first to last", () => {
    const errors = [
      { code: "DENIED", message: "no" },
      { code: "UNKNOWN", message: "" },
      { code: "", message: "because" }
    ]
    assert.strictEqual(classify(answer(403, { errors })).reason.message, "DENIED: no; UNKNOWN; : because")
  })
})

/** What a 404 calls missing. */
const missing = (more: Partial<Answer>): string => {
  const { reason } = classify(answer(404, more))
  return reason._tag === "NotFound" ? reason.resource : reason._tag
}

describe("a 404", () => {
  const codes: ReadonlyArray<readonly [string, string]> = [
    ["NAME_UNKNOWN", "repository"],
    ["TAG_UNKNOWN", "tag"],
    ["MANIFEST_UNKNOWN", "manifest"],
    ["BLOB_UNKNOWN", "blob"],
    ["BLOB_UPLOAD_UNKNOWN", "upload"],
    ["BLOB_UPLOAD_INVALID", "upload"]
  ]
  it.each(["constructor", "__proto__", "toString", "hasOwnProperty"])("of %s means what was asked for", (code) => {
    const { reason } = classify({
      status: 404,
      errors: [{ code, message: "" }],
      hasBody: true,
      retryAfterMillis: Option.none(),
      missing: "tag"
    })
    assert.strictEqual(reason._tag === "NotFound" ? reason.resource : reason._tag, "tag")
  })

  it.each(codes)("of %s means the %s, whatever was asked for", (code, resource) => {
    for (const asked of ["repository", "tag", "manifest", "blob", "upload"] as const) {
      assert.strictEqual(missing({ missing: asked, hasBody: true, errors: [{ code, message: "" }] }), resource)
    }
  })

  it("of an unknown code means what was asked for", () => {
    for (const code of ["UNKNOWN", "", "name_unknown", "NAME_UNKNOWN "]) {
      assert.strictEqual(missing({ missing: "blob", hasBody: true, errors: [{ code, message: "" }] }), "blob")
    }
  })

  it("of several codes means the first that is known", () => {
    const errors = ["UNKNOWN", "TAG_UNKNOWN", "NAME_UNKNOWN"].map((code) => ({ code, message: "" }))
    assert.strictEqual(missing({ missing: "blob", hasBody: true, errors }), "tag")
  })

  it("without a body means what was asked for, and in another language the endpoint", () => {
    assert.strictEqual(missing({ missing: "manifest", hasBody: false }), "manifest")
    assert.strictEqual(missing({ missing: "manifest", hasBody: true }), "endpoint")
  })
})
