/**
 * The reasons of error responses: OCI distribution specification, "Error codes".
 */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { type Answer, classify, parseBody } from "../src/internal/http/failure.ts"
import { quoting } from "../src/internal/http/quote.ts"
import { ResponseError } from "../src/RegistryError.ts"
import { atOnce } from "./support/atOnce.ts"

const parseErrors = (text: string) => parseBody(text).errors

describe("errors of a body", () => {
  const bodies: ReadonlyArray<readonly [string, ReadonlyArray<ResponseError>]> = [
    ['{"errors":[]}', []],
    ['{"errors":null}', []],
    ["{}", []],
    ['{"errors":[{"code":"DENIED"}]}', [{ code: "DENIED", message: "" }]],
    ['{"errors":[{"code":"DENIED","message":null}]}', [{ code: "DENIED", message: "" }]],
    ['{"errors":[{"code":"","message":""}]}', []],
    ['{"errors":[{"code":"DENIED","message":"no","detail":null}]}', [{ code: "DENIED", message: "no", detail: null }]],
    [
      '{"errors":[{"code":"A","message":"a","detail":[{"Type":"repository","Name":"b"}]},{"code":"B","message":"b"}],"novel":1}',
      [
        { code: "A", message: "a", detail: [{ Type: "repository", Name: "b" }] },
        { code: "B", message: "b" }
      ]
    ],
    [' {"errors":[{"code":"A","message":"a","novel":1}]}\n', [{ code: "A", message: "a" }]],
    ['{"errors":[{"code":403,"message":"no"}]}', [{ code: "403", message: "no" }]],
    ['{"errors":[{"code":"A","message":1}]}', [{ code: "A", message: "" }]],
    // Artifactory
    ['{"errors":[{"status":404,"message":"Not Found"}]}', [{ code: "", message: "Not Found" }]],
    [
      '{"errors":[{"status":"404","title":"Gone","detail":"no tag"}]}',
      [{ code: "", message: "no tag", detail: "no tag" }]
    ],
    [
      '{"errors":["no","never"]}',
      [
        { code: "", message: "no" },
        { code: "", message: "never" }
      ]
    ],
    ['{"errors":"no"}', [{ code: "", message: "no" }]],
    // Gateways, GitLab, Docker Hub and its token service
    ['{"message":"no"}', [{ code: "", message: "no" }]],
    ['{"details":"incorrect username or password"}', [{ code: "", message: "incorrect username or password" }]],
    ['{"detail":"Object not found"}', [{ code: "", message: "Object not found" }]],
    ['{"message":"no","errors":null}', [{ code: "", message: "no" }]],
    // RFC 6749, section 5.2
    ['{"error":"invalid_grant"}', [{ code: "invalid_grant", message: "" }]],
    [
      '{"error":"invalid_grant","error_description":"the token has expired","error_uri":"https://a.example"}',
      [{ code: "invalid_grant", message: "the token has expired" }]
    ],
    // Spring
    ['{"status":403,"error":"Forbidden","message":"no","path":"/v2/"}', [{ code: "Forbidden", message: "no" }]],
    // Google, Azure Resource Manager
    ['{"error":{"code":403,"message":"no","status":"PERMISSION_DENIED"}}', [{ code: "403", message: "no" }]],
    ['{"error":{"code":"Forbidden","message":"no"}}', [{ code: "Forbidden", message: "no" }]],
    // RFC 9457
    ['{"type":"about:blank","title":"Forbidden","detail":"no"}', [{ code: "", message: "no" }]]
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
    '{"errors":[""]}',
    '{"errors":[null]}',
    '{"errors":[{}]}',
    '{"errors":[{"status":404}]}',
    '{"errors":[{"code":{},"message":[]}]}',
    '{"errors":[{"code":"A"}',
    '{"message":1}',
    '{"message":""}',
    '{"error":{}}',
    '{"detail":{"reason":"no"}}'
  ])("are not in %j", (body) => {
    assert.deepStrictEqual(parseErrors(body), [])
  })

  it.prop(
    "are read as they were written, with escapes for unprintable characters",
    [Schema.Array(ResponseError)],
    ([errors]) => {
      const { json } = quoting([])
      const read = parseErrors(JSON.stringify({ errors })).filter(({ code }) => code !== "")
      const telling = errors.filter(({ code }) => code !== "")
      // JSON has no negative zero.
      assert.deepStrictEqual<unknown>(JSON.parse(JSON.stringify(read)), JSON.parse(JSON.stringify(telling.map(json))))
    },
    { arbitrary: { seed: 1, runs: 100 } }
  )

  it("are read without malformed entries", () => {
    const odd = [null, "", [], {}, { code: {} }, { message: 1 }, { detail: {} }, 1, true]
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
  isForeign: false,
  isAcr: false,
  retryAfter: Option.none(),
  missing: "tag",
  method: "GET",
  putsTag: false,
  ...more
})

const unexplained = (status: number) => `the registry answered ${status} without an explanation`

describe("a status", () => {
  const table: ReadonlyArray<readonly [number, string, string, string]> = [
    [100, "InvalidResponse", "never", "unexpected status 100"],
    [204, "InvalidResponse", "never", "unexpected status 204"],
    [206, "InvalidResponse", "never", "unexpected status 206"],
    [301, "Refused", "never", "a redirect (301) is not followed"],
    [304, "Refused", "never", "a redirect (304) is not followed"],
    [307, "Refused", "never", "a redirect (307) is not followed"],
    [400, "InvalidRequest", "never", unexplained(400)],
    [401, "Unauthenticated", "never", `${unexplained(401)}: no login, or not a valid one`],
    [403, "Forbidden", "never", unexplained(403)],
    [404, "NotFound", "never", unexplained(404)],
    [405, "Unsupported", "never", unexplained(405)],
    [408, "Unavailable", "uncertain", unexplained(408)],
    [409, "InvalidRequest", "never", unexplained(409)],
    [412, "InvalidRequest", "never", unexplained(412)],
    [416, "InvalidRequest", "never", unexplained(416)],
    [425, "Unavailable", "unprocessed", unexplained(425)],
    [429, "Throttled", "unprocessed", unexplained(429)],
    [422, "InvalidRequest", "never", unexplained(422)],
    [423, "Locked", "never", unexplained(423)],
    [499, "InvalidRequest", "never", unexplained(499)],
    [500, "Unavailable", "uncertain", unexplained(500)],
    [501, "Unsupported", "never", unexplained(501)],
    [502, "Unavailable", "uncertain", unexplained(502)],
    [503, "Unavailable", "unprocessed", unexplained(503)],
    [504, "Unavailable", "uncertain", unexplained(504)],
    [505, "Unsupported", "never", unexplained(505)],
    [506, "Unavailable", "uncertain", unexplained(506)],
    [507, "Unavailable", "uncertain", unexplained(507)],
    [522, "Unavailable", "uncertain", unexplained(522)],
    [599, "Unavailable", "uncertain", unexplained(599)]
  ]
  it.each(table)("%d is %s, to be repeated: %s", (status, tag, repeat, message) => {
    const classified = classify(answer(status))
    assert.strictEqual(classified.reason._tag, tag)
    assert.strictEqual(classified.repeat, repeat)
    assert.strictEqual(classified.reason.message, message)
  })

  it("always has a reason and a rule", () => {
    for (let status = 100; status < 600; status++) {
      const { reason, repeat } = classify(answer(status))
      assert.strictEqual(reason._tag === "Throttled", status === 429)
      assert.strictEqual(repeat !== "never", reason.isRetryable)
      assert.strictEqual(
        reason.isRetryable,
        [408, 425, 429].includes(status) || (status >= 500 && reason._tag !== "Unsupported")
      )
    }
  })

  it.each([429, 503, 408, 500, 502, 504, 507])("%d has the time to wait, if the registry states it", (status) => {
    const retryAfter = Duration.seconds(17)
    const waiting = classify(answer(status, { retryAfter: Option.some(retryAfter) })).reason
    assert.deepStrictEqual<unknown>(Reflect.get(waiting, "retryAfter"), retryAfter)
    assert.isFalse("retryAfter" in classify(answer(status)).reason)
  })

  it("is explained by all errors, first to last", () => {
    const errors = [
      { code: "DENIED", message: "no" },
      { code: "UNKNOWN", message: "" },
      { code: "", message: "because" }
    ]
    assert.strictEqual(classify(answer(403, { errors })).reason.message, "DENIED: no; UNKNOWN; because")
  })

  it("names what a manifest lacks, as the registry states it", () => {
    const digest = `sha256:${"0123456789abcdef".repeat(4)}`
    const code = "MANIFEST_BLOB_UNKNOWN"
    const messageWith = (detail: ResponseError["detail"], message = "blob unknown to registry") =>
      classify(answer(400, { errors: [{ code, message, ...(detail === undefined ? {} : { detail }) }] })).reason.message
    for (const detail of [digest, { digest }]) {
      assert.strictEqual(messageWith(detail), `${code}: blob unknown to registry: ${digest}`)
    }
    assert.strictEqual(messageWith({ digest }, `no ${digest}`), `${code}: no ${digest}`)
    for (const detail of [undefined, null, "a layer", { digest: 1 }, [digest]]) {
      assert.strictEqual(messageWith(detail), `${code}: blob unknown to registry`)
    }
    const errors = [{ code: "BLOB_UNKNOWN", message: "no", detail: { digest } }]
    assert.strictEqual(classify(answer(404, { errors })).reason.message, "BLOB_UNKNOWN: no")
  })
})

/** The answer of a registry to a request that would change something. */
const refusal = (status: number, code: string, message: string, more: Partial<Answer> = {}): string => {
  const { reason, repeat } = classify(answer(status, { method: "PUT", errors: [{ code, message }], ...more }))
  assert.strictEqual(repeat, "never")
  return reason._tag === "Locked" ? `Locked by ${reason.by}` : reason._tag
}

describe("a change that is refused", () => {
  const acr =
    "The operation is disallowed on this registry, repository or image. View troubleshooting steps at https://aka.ms/acr/faq/#why-does-my-pull-or-push-request-fail-with-disallowed-operation"
  const ecr =
    "The image tag 'v1' already exists in the 'a' repository and cannot be overwritten because the repository is immutable."
  const hub =
    "requested access to the resource is denied - This tag is already assigned to an image in this repository and cannot be updated due to immutability settings. To push this image, use a different tag."
  const google = "cannot update tag v1. The repository has enabled tag immutability"
  const harbor = "Failed to process request due to 'a:v1' configured as immutable."
  const violation = "current image with 8 vulnerabilities cannot be pulled due to configured policy"
  const unsupported = "The operation is unsupported."

  const table: ReadonlyArray<readonly [string, string, number, string, string, Partial<Answer>]> = [
    ["a lock of ACR", "Locked by lock", 405, "REGISTRY_DISALLOWED_OPERATION", acr, {}],
    ["a lock of ACR, years ago", "Locked by lock", 405, "UNKNOWN", "The operation is disallowed.", {}],
    ["a lock of ACR, by another code", "Locked by lock", 405, "UNSUPPORTED", "The operation is disallowed.", {}],
    ["a lock of ACR, on reading", "Locked by lock", 405, "REGISTRY_DISALLOWED_OPERATION", acr, { method: "GET" }],
    ["another explanation of ACR", "Locked by lock", 405, "DENIED", "no", { isAcr: true }],
    ["WebDAV's lock", "Locked by lock", 423, "LOCKED", "no", {}],
    ["ECR", "Locked by immutability", 400, "TAG_INVALID", ecr, {}],
    ["ECR, more lately", "Locked by immutability", 400, "TAG_INVALID", ecr.replace("repository is", "tag is"), {}],
    ["Docker Hub", "Locked by immutability", 403, "DENIED", hub, {}],
    ["Google", "Locked by immutability", 400, "MANIFEST_INVALID", google, {}],
    ["Harbor", "Locked by immutability", 412, "PRECONDITION", harbor, {}],
    ["Harbor, deleting", "Locked by immutability", 412, "PRECONDITION", harbor, { method: "DELETE" }],
    ["Harbor, without a word", "Locked by immutability", 412, "PRECONDITION", "", {}],
    ["a code of its own", "Locked by immutability", 409, "TAG_IMMUTABLE", "", {}],
    ["Alibaba", "Locked by immutability", 409, "DENIED", "The tag already exists and cannot be overwritten.", {}],
    ["409 to a tag that is put", "Locked by immutability", 409, "CONFLICT", "", { putsTag: true }],
    ["412 to a tag that is put", "Locked by immutability", 412, "UNKNOWN", "", { putsTag: true }],
    ["409 to anything else", "InvalidRequest", 409, "CONFLICT", "", {}],
    ["an index that refers to it", "InvalidRequest", 409, "MANIFEST_REFERENCED", "in use", { method: "DELETE" }],
    ["412 to anything else", "InvalidRequest", 412, "VIOLATE_FOREIGN_KEY_CONSTRAINT", "no", {}],
    ["a policy of Harbor", "Forbidden", 412, "PROJECTPOLICYVIOLATION", violation, { method: "GET" }],
    ["a policy of Harbor, on a push", "Forbidden", 412, "PROJECTPOLICYVIOLATION", violation, { putsTag: true }],
    ["an invalid tag", "InvalidRequest", 400, "TAG_INVALID", "manifest tag did not match URI", { putsTag: true }],
    ["a read that speaks of it", "InvalidRequest", 400, "UNKNOWN", harbor, { method: "GET" }],
    ["a registry without deletes", "Unsupported", 405, "UNSUPPORTED", unsupported, { method: "DELETE" }],
    ["… of ACR", "Unsupported", 405, "UNSUPPORTED", unsupported, { isAcr: true }],
    ["… that says 400", "Unsupported", 400, "UNSUPPORTED", unsupported, { method: "DELETE" }],
    ["… that says 415", "Unsupported", 415, "UNSUPPORTED", unsupported, {}],
    ["… that says 404", "NotFound", 404, "UNSUPPORTED", unsupported, {}],
    ["another code", "Unsupported", 405, "UNKNOWN", "method not allowed", {}]
  ]
  it.each(table)("by %s is %s", (_, expected, status, code, message, more) => {
    assert.strictEqual(refusal(status, code, message, more), expected)
  })

  it("without an explanation is a lock on ACR, and Unsupported elsewhere", () => {
    for (const method of ["HEAD", "DELETE"] as const) {
      assert.deepInclude(classify(answer(405, { method, isAcr: true })).reason, { _tag: "Locked", by: "lock" })
      assert.strictEqual(classify(answer(405, { method })).reason._tag, "Unsupported")
    }
  })
})

const missingOf = (status: number, ...details: ReadonlyArray<Schema.Json>) => {
  const { reason } = classify(
    answer(status, { errors: details.map((detail) => ({ code: "DENIED", message: "no", detail })) })
  )
  return reason._tag === "Unauthenticated" || reason._tag === "Forbidden" ? reason.missing : reason._tag
}

describe("missing permissions", () => {
  const pull = { Type: "repository", Name: "alpine", Action: "pull" }

  it.each([401, 403])("are read from the details of a %d", (status) => {
    assert.deepStrictEqual(missingOf(status, [pull]), [{ type: "repository", name: "alpine", action: "pull" }])
    // distribution also writes a class, other registries lower case, or no list.
    const lower = { type: "registry", class: "", name: "catalog", action: "*" }
    assert.deepStrictEqual(missingOf(status, [{ ...pull, Class: "" }], lower, [pull]), [
      { type: "repository", name: "alpine", action: "pull" },
      { type: "registry", name: "catalog", action: "*" }
    ])
  })

  it("are none if the details are something else", () => {
    const others: ReadonlyArray<Schema.Json> = [
      null,
      "pull",
      1,
      {},
      [],
      [null],
      [{ Type: 1 }],
      { Name: "alpine" },
      [[pull]]
    ]
    for (const detail of others) assert.deepStrictEqual(missingOf(403, detail), [])
  })

  it("are limited in number", () => {
    const many = Array.from({ length: 500 }, (_, index) => ({ ...pull, Name: `app-${index}` }))
    assert.lengthOf(missingOf(403, many), 32)
  })
})

/** The resource that a 404 means. */
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
    ["MANIFEST_BLOB_UNKNOWN", "blob"],
    ["BLOB_UPLOAD_UNKNOWN", "upload"],
    ["BLOB_UPLOAD_INVALID", "upload"]
  ]
  it.each(["constructor", "__proto__", "toString", "hasOwnProperty"])("of %s means the requested resource", (code) => {
    const { reason } = classify({
      status: 404,
      errors: [{ code, message: "" }],
      isForeign: false,
      isAcr: false,
      retryAfter: Option.none(),
      missing: "tag",
      method: "GET",
      putsTag: false
    })
    assert.strictEqual(reason._tag === "NotFound" ? reason.resource : reason._tag, "tag")
  })

  it.each(codes)("of %s means the %s, whatever was requested", (code, resource) => {
    for (const asked of ["repository", "tag", "manifest", "blob", "upload"] as const) {
      assert.strictEqual(missing({ missing: asked, errors: [{ code, message: "" }] }), resource)
    }
  })

  it("of an unknown code means the requested resource", () => {
    for (const code of ["UNKNOWN", "", "name_unknown", "NAME_UNKNOWN "]) {
      assert.strictEqual(missing({ missing: "blob", errors: [{ code, message: "" }] }), "blob")
    }
  })

  it("of several codes means the first known one", () => {
    const errors = ["UNKNOWN", "TAG_UNKNOWN", "NAME_UNKNOWN"].map((code) => ({ code, message: "" }))
    assert.strictEqual(missing({ missing: "blob", errors }), "tag")
  })

  it("of a path that the registry does not know means the endpoint", () => {
    // go-containerregistry, pkg/registry/registry.go
    const errors = [{ code: "METHOD_UNKNOWN", message: "We don't understand your method + url" }]
    assert.strictEqual(missing({ missing: "repository", errors }), "endpoint")
  })

  it("without a body means the requested resource, and with a foreign body the endpoint", () => {
    assert.strictEqual(missing({ missing: "manifest", isForeign: false }), "manifest")
    assert.strictEqual(missing({ missing: "manifest", isForeign: true }), "endpoint")
  })

  const bodies: ReadonlyArray<readonly [string, boolean]> = [
    ["", false],
    ['{"errors":[{"code":"MANIFEST_UNKNOWN"}]}', false],
    ['{"errors":[{"status":404,"message":"Not Found"}]}', false],
    ['{"errors":[]}', true],
    ['{"message":"no Route matched with those values"}', true],
    ["404 page not found\n", true],
    ["<html></html>", true]
  ]
  it.each(bodies)("with the body %j is foreign: %j", (body, isForeign) => {
    assert.strictEqual(parseBody(body).isForeign, isForeign)
  })
})
