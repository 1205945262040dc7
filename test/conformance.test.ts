/**
 * OCI's conformance suite of distribution 1.1 against the emulator in its default mode: what does not pass is listed, with
 * the reason.
 */
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { deviations } from "./conformance/deviations.ts"
import { conformance, parseJUnit } from "./conformance/suite.ts"
import { isThere } from "./support/tools.ts"

const whereOf = (name: string) => deviations.find(({ test }) => name.endsWith(`/${test}`) || name === test)

/** What did not pass, and is not as the list says it. */
const unlisted = (results: Effect.Success<ReturnType<typeof conformance>>): ReadonlyArray<string> =>
  results.flatMap(({ name, status, why }) => {
    const listed = whereOf(name)
    if (listed !== undefined) {
      return listed.status === status && listed.says.test(why) ? [] : [`${name}: ${status} is not as listed: ${why}`]
    }
    return status === "passed" ? [] : [`${name}: ${status}: ${why}`]
  })

describe("OCI's conformance suite", () => {
  it.live.runIf(isThere("conformance"))("passes on the emulator in its default mode, but for what is listed", () =>
    Effect.gen(function* () {
      const { loginServer, logins, modes } = yield* AcrEmulator.AcrEmulator
      assert.strictEqual((yield* modes).blobs, "redirect")
      const results = yield* conformance({ loginServer, login: logins.adminUser })
      assert.deepStrictEqual(unlisted(results), [])
      for (const { test } of deviations) {
        assert.isTrue(
          results.some(({ name }) => whereOf(name)?.test === test),
          `no test is ${test}`
        )
      }
      // A suite that ends early, or tests less, is not what the list is about.
      assert.isAbove(results.filter(({ status }) => status === "passed").length, 600)
    }).pipe(Effect.provide(AcrEmulator.layer()))
  )

  it("has a report whose results are read with their reasons", () => {
    const report = `<testsuites><testsuite name="OCI Conformance Test">
      <testcase name="OCI Conformance Test/ping" classname="" time="0.1" status="passed"><system-err>&lt;/testcase&gt;</system-err></testcase>
      <testcase name="OCI Conformance Test/a/&#34;b&#34;" classname="" time="0.1" status="failure">
        <system-out>expected &lt;1&gt;&#xA;and more</system-out>
      </testcase>
    </testsuite></testsuites>`
    assert.deepStrictEqual(parseJUnit(report), [
      { name: "ping", status: "passed", why: "" },
      { name: 'a/"b"', status: "failure", why: "expected <1>\nand more" }
    ])
  })
})
