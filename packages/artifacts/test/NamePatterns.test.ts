/**
 * Names selected by globs.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as NamePatterns from "../src/NamePatterns.ts"

const problemOf = (options: NamePatterns.NamePatternsOptions) =>
  Result.match(NamePatterns.compile(options), { onFailure: (problem) => problem, onSuccess: () => undefined })

describe("a glob that is refused", () => {
  it("begins with a second exclamation mark, as it would exclude nothing", () => {
    assert.include(problemOf({ exclude: ["!v1"] }), 'the glob "!v1" cannot be meant')
    assert.include(problemOf({ include: ["!!v1"] }), 'the glob "!v1" cannot be meant')
    assert.isUndefined(problemOf({ include: ["!v1"] }))
  })

  it("is a regular expression, for which these options have no other form", () => {
    assert.strictEqual(
      problemOf({ include: ["^v1$"] }),
      'the glob "^v1$" cannot be meant: it has characters that no name has'
    )
  })
})
