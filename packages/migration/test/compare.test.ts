/**
 * What a comparison of both sides decides.
 */
import * as Digest from "@effect-acr/client/Digest"
import { assert, describe, it } from "@effect/vitest"
import { compare, type Comparison, extraTags } from "../src/internal/compare.ts"
import type { Known } from "../src/internal/store/store.ts"

const digestOf = (digit: string) => Digest.Digest.make(`sha256:${digit.repeat(64)}`)

const one = digestOf("1")

const two = digestOf("2")

const knownAs = (known: Partial<Known>): ReadonlyMap<Digest.Digest, Known> =>
  new Map([
    [
      one,
      {
        state: "planned",
        isTransient: false,
        isOrphan: false,
        isDamaged: false,
        root: undefined,
        tags: ["1.0"],
        ...known
      }
    ]
  ])

/** The state of the artifact `one` with the tag `1.0`, which the target lacks unless a change says otherwise. */
const stateOf = (change: Partial<Comparison>) =>
  compare({
    source: { manifests: new Map([[one, { tags: ["1.0"] }]]) },
    target: { tags: new Map(), manifests: new Set() },
    known: new Map(),
    rules: {},
    isFirst: false,
    isLast: false,
    isPlan: false,
    isLater: true,
    possibleReferrers: undefined,
    lookedFor: undefined,
    ...change
  }).find(({ digest }) => digest === one)?.state

const there = { tags: new Map([["1.0", one]]), manifests: new Set([one]) }

describe("a comparison", () => {
  it("plans what the target lacks, and tells who brought what it has", () => {
    assert.strictEqual(stateOf({}), "planned")
    assert.strictEqual(stateOf({ target: there }), "present")
    assert.strictEqual(stateOf({ target: there, known: knownAs({ state: "copied" }) }), "verified")
    assert.strictEqual(stateOf({ known: knownAs({ state: "verified" }) }), "planned")
  })

  it("plans a tag that names something else, unless that is kept", () => {
    const other = { tags: new Map([["1.0", two]]), manifests: new Set([one, two]) }
    assert.strictEqual(stateOf({ target: other }), "planned")
    const keep = { target: other, rules: { onTag: "keep" } } as const
    assert.strictEqual(stateOf(keep), "planned")
    assert.strictEqual(stateOf({ ...keep, known: knownAs({ state: "present" }) }), "present")
  })

  it("tries again what failed: in the first pass of a call, or if the reason may pass", () => {
    const failed = knownAs({ state: "failed" })
    assert.strictEqual(stateOf({ known: failed }), "failed")
    assert.strictEqual(stateOf({ known: failed, isFirst: true }), "planned")
    assert.strictEqual(stateOf({ known: knownAs({ state: "failed", isTransient: true }) }), "planned")
    assert.strictEqual(stateOf({ known: knownAs({ state: "failed", tags: ["0.9"] }) }), "planned")
  })

  it("keeps why something failed in the pass that copies no more, and plans what the target has lost", () => {
    const failed = knownAs({ state: "failed", isTransient: true })
    assert.strictEqual(stateOf({ known: failed, isLast: true }), "failed")
    assert.strictEqual(stateOf({ known: knownAs({ state: "vanished" }), isLast: true }), "failed")
    assert.strictEqual(stateOf({ known: knownAs({ state: "copied" }), isLast: true }), "planned")
    assert.strictEqual(stateOf({ isLast: true }), "planned")
  })

  it("looks for referrers where the source lists other possible ones than before, which no list of the target shows", () => {
    const target = { tags: new Map([["1.0", undefined]]) }
    const known = knownAs({ state: "copied" })
    const others = { target, known, possibleReferrers: "others", lookedFor: "some" }
    assert.strictEqual(stateOf(others), "planned")
    assert.strictEqual(stateOf({ ...others, lookedFor: "others" }), "copied")
    assert.strictEqual(stateOf({ ...others, possibleReferrers: undefined }), "copied")
    assert.strictEqual(stateOf({ ...others, isPlan: true }), "copied")
    const failed = knownAs({ state: "failed", isTransient: true })
    assert.strictEqual(stateOf({ ...others, known: failed, isLast: true }), "failed")
  })

  it("looks for referrers once in each call where the source lists only tags", () => {
    const source = { manifests: new Map([[one, { tags: ["1.0"] }]]), isOfTags: true }
    const known = knownAs({ state: "copied" })
    assert.strictEqual(stateOf({ source, target: there, known, isFirst: true }), "planned")
    assert.strictEqual(stateOf({ source, target: there, known }), "verified")
    assert.strictEqual(stateOf({ source, target: there }), "planned")
    const without = { source, target: there, known, isFirst: true, rules: { referrers: false } }
    assert.strictEqual(stateOf(without), "verified")
    assert.strictEqual(stateOf({ ...without, rules: { referrers: false, cosignTags: true } }), "planned")
  })

  it("trusts what it copied where the target lists no digests", () => {
    const target = { tags: new Map([["1.0", undefined]]) }
    assert.strictEqual(stateOf({ target }), "planned")
    assert.strictEqual(stateOf({ target, known: knownAs({ state: "copied" }) }), "copied")
    assert.strictEqual(stateOf({ target, known: knownAs({ state: "copied", tags: [] }) }), "planned")
  })

  it("looks for manifests without a tag once the tagged ones were copied", () => {
    const source = { manifests: new Map([[one, { tags: [] }]]) }
    const tagged = { manifests: new Map([...source.manifests, [two, { tags: ["1.1"] }]]) }
    assert.isUndefined(stateOf({ source: tagged, isLater: false }))
    assert.strictEqual(stateOf({ source: tagged }), "planned")
    assert.strictEqual(stateOf({ source, isLater: false }), "planned")
    assert.strictEqual(stateOf({ source }), "planned")
    assert.isUndefined(stateOf({ source, rules: { referrers: false } }))
    assert.strictEqual(stateOf({ source, rules: { referrers: false, untagged: true } }), "planned")
    const unlisted = { source, target: { tags: new Map() } }
    assert.isUndefined(stateOf(unlisted))
    assert.strictEqual(stateOf({ ...unlisted, rules: { untagged: true } }), "planned")
    assert.isUndefined(stateOf({ ...unlisted, rules: { untagged: true }, isPlan: true }))
    const known = knownAs({ state: "copied", tags: [] })
    assert.strictEqual(stateOf({ ...unlisted, rules: { untagged: true }, known }), "copied")
    const skipped = knownAs({ state: "skipped", tags: [] })
    assert.strictEqual(stateOf({ source, known: skipped, isFirst: true }), "skipped")
    assert.strictEqual(stateOf({ source, known: skipped, target: there }), "present")
    // Its subject may be among those that were copied meanwhile.
    const orphan = knownAs({ state: "skipped", isOrphan: true, tags: [] })
    const copied: Known = {
      state: "copied",
      isTransient: false,
      isOrphan: false,
      isDamaged: false,
      root: undefined,
      tags: []
    }
    assert.strictEqual(stateOf({ source, known: orphan }), "skipped")
    assert.strictEqual(stateOf({ source, known: new Map([...orphan, [two, copied]]) }), "planned")
    assert.strictEqual(stateOf({ source, known: new Map([...skipped, [two, copied]]) }), "skipped")
  })

  it("tells the tags that only the target has, without those of lists of referrers", () => {
    const source = { manifests: new Map([[one, { tags: ["1.0"] }]]) }
    const tags = new Map(["0.9", "1.0", "nightly", one.replace(":", "-")].map((tag) => [tag, two]))
    assert.deepEqual(
      extraTags({ source, target: { tags } }, () => true),
      ["0.9", "nightly"]
    )
    assert.deepEqual(
      extraTags({ source, target: { tags } }, (tag) => tag !== "nightly"),
      ["0.9"]
    )
  })

  it("knows what vanished", () => {
    const source = { manifests: new Map() }
    assert.strictEqual(stateOf({ source, known: knownAs({}) }), "vanished")
    assert.strictEqual(stateOf({ source, known: knownAs({ state: "verified" }) }), "verified")
  })
})
