/**
 * How long a registry asks to wait.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Headers from "effect/http/Headers"
import { retryAfterMillis } from "../src/internal/http/retryAfter.ts"

const now = Date.parse("2026-11-27T10:00:00Z")
const year = 365 * 24 * 3600 * 1000

const rows: ReadonlyArray<readonly [Headers.Input, number | undefined]> = [
  [{}, undefined],
  [{ "retry-after": "7" }, 7000],
  [{ "retry-after": " 7 " }, 7000],
  [{ "retry-after": "0" }, 0],
  [{ "retry-after": "1.5" }, 1500],
  [{ "retry-after": "0.0004" }, 1],
  [{ "retry-after": "9".repeat(400) }, year],
  [{ "retry-after": "99999999999.5" }, year],
  [{ "retry-after": "Fri, 27 Nov 2026 10:00:30 GMT" }, 30_000],
  [{ "retry-after": "Fri, 27 Nov 2026 09:00:00 GMT" }, 0],
  [{ "retry-after": "Fri, 27 Nov 9999 09:00:00 GMT" }, year],
  [{ "retry-after": "soon" }, undefined],
  [{ "retry-after": "" }, undefined],
  [{ "retry-after": "-1" }, undefined],
  [{ "retry-after": "1e9" }, undefined],
  [{ "retry-after": "7, 8" }, undefined],
  [{ "retry-after-ms": "250" }, 250],
  [{ "x-ms-retry-after-ms": "250.4" }, 251],
  [{ "x-ms-retry-after-ms": "250", "retry-after": "1" }, 250],
  [{ "retry-after-ms": "soon", "retry-after": "1" }, 1000],
  [{ "retry-after-ms": "9".repeat(400) }, year]
]

describe("the wait that a registry asks for", () => {
  it.each(rows)("%j is %s milliseconds", (headers, expected) => {
    assert.strictEqual(Option.getOrUndefined(retryAfterMillis(Headers.fromInput(headers), now)), expected)
  })
})
