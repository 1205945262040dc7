/**
 * What an upload does after a fault: the table of docs/uploads.md.
 */
import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { faultOf, type Doing, type Fault, recoveryFrom, resumptionAt } from "../src/internal/transfer/recovery.ts"
import {
  Forbidden,
  InvalidRequest,
  InvalidResponse,
  type Reason,
  RegistryError,
  Unavailable
} from "../src/RegistryError.ts"

const error = (reason: Reason, response?: { readonly status: number; readonly code?: string }) =>
  new RegistryError({
    operation: "test",
    reason,
    ...(response === undefined
      ? {}
      : {
          response: {
            status: response.status,
            errors: response.code === undefined ? [] : [{ code: response.code, message: "" }]
          }
        })
  })

const unavailable = new Unavailable({ description: "" })
const invalid = new InvalidRequest({ description: "" })

describe("an error means", () => {
  const meanings: ReadonlyArray<readonly [string, RegistryError, Fault]> = [
    ["a reset", error(unavailable), "Lost"],
    ["408", error(unavailable, { status: 408 }), "Lost"],
    ["500", error(unavailable, { status: 500 }), "Lost"],
    ["502", error(unavailable, { status: 502 }), "Lost"],
    ["429", error(unavailable, { status: 429 }), "TurnedAway"],
    ["503", error(unavailable, { status: 503 }), "TurnedAway"],
    ["416", error(invalid, { status: 416 }), "OutOfStep"],
    ["413", error(invalid, { status: 413 }), "TooLarge"],
    ["404", error(invalid, { status: 404 }), "Unknown"],
    ["400 BLOB_UPLOAD_INVALID", error(invalid, { status: 400, code: "BLOB_UPLOAD_INVALID" }), "Unknown"],
    ["400 BLOB_UPLOAD_UNKNOWN", error(invalid, { status: 400, code: "BLOB_UPLOAD_UNKNOWN" }), "Unknown"],
    ["400 DIGEST_INVALID", error(invalid, { status: 400, code: "DIGEST_INVALID" }), "OtherContent"],
    ["403 of the registry", error(new Forbidden({ description: "" }), { status: 403, code: "DENIED" }), "Final"],
    ["403 of a firewall", error(new Forbidden({ description: "" }), { status: 403 }), "NotTaken"],
    [
      "a certificate that is not trusted",
      error(new Unavailable({ description: "", code: "CERT_HAS_EXPIRED" })),
      "Final"
    ],
    ["409", error(invalid, { status: 409 }), "NotTaken"],
    ["400", error(invalid, { status: 400 }), "NotTaken"],
    ["405", error(invalid, { status: 405 }), "NotTaken"],
    ["415", error(invalid, { status: 415 }), "NotTaken"],
    ["an invalid answer", error(new InvalidResponse({ description: "" })), "NotTaken"]
  ]
  it.each(meanings)("%s", (_, error, fault) => {
    assert.strictEqual(faultOf(error), fault)
  })
})

describe("the table of the documentation", () => {
  const text = readFileSync(new URL("../../../docs/uploads.md", import.meta.url), "utf8")
  const rows = Array.from(
    text.matchAll(/^\| `(\w+)`[^|]*\| `(\w+)` *\| `(\w+)` *\| `(\w+)` *\|$/gm),
    ([, ...cells]) => cells
  )

  it("has a row for each fault", () => {
    const faults: ReadonlyArray<Fault> = [
      "TurnedAway",
      "Lost",
      "OutOfStep",
      "Unknown",
      "TooLarge",
      "OtherContent",
      "NotTaken",
      "Final"
    ]
    assert.deepStrictEqual(
      rows.map(([fault]) => fault),
      [...faults]
    )
    const states: ReadonlyArray<Doing> = ["Sending", "SendingLast", "Committing"]
    for (const [index, fault] of faults.entries()) {
      assert.deepStrictEqual(
        rows[index]?.slice(1),
        states.map((doing) => recoveryFrom(doing, fault))
      )
    }
  })
})

describe("an upload resumes", () => {
  const anywhere = { sentBytes: 100, canReadFrom: (_offset: number) => true }
  const nowhere = { sentBytes: 100, canReadFrom: (_offset: number) => false }
  /** The chunk from 60 to 100 is still available. */
  const windowed = { sentBytes: 100, canReadFrom: (offset: number) => offset >= 60 && offset <= 100 }

  const cases: ReadonlyArray<readonly [string, number | undefined, typeof anywhere, string]> = [
    ["at the registry's offset, if it can be read from there", 40, anywhere, "Continue"],
    ["at the end", 100, anywhere, "Continue"],
    ["within the kept chunk", 80, windowed, "Continue"],
    ["not before the kept chunk", 40, windowed, "GiveUp"],
    ["from the beginning, if nothing is confirmed", 0, anywhere, "Restart"],
    ["from the beginning, if the session no longer exists", undefined, anywhere, "Restart"],
    ["not, if it cannot be read again", 40, nowhere, "GiveUp"],
    ["not, if nothing can be read again and the session no longer exists", undefined, nowhere, "GiveUp"],
    ["from the beginning, if the registry claims more bytes than there are", 101, anywhere, "Restart"],
    ["not, if it claims that and nothing can be read again", 101, nowhere, "GiveUp"]
  ]
  it.each(cases)("%s", (_, confirmed, content, resumption) => {
    assert.strictEqual(resumptionAt(confirmed, content), resumption)
  })
})
