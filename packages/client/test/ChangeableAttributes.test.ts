/**
 * Locks, under the library's names and under the API's.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as ChangeableAttributes from "../src/ChangeableAttributes.ts"
import * as Properties from "../src/internal/api/properties.ts"

const open = { canDelete: true, canWrite: true, canList: true, canRead: true }

/** The attributes that are read from a record with these. */
const readAttributes = (
  changeableAttributes: {
    readonly deleteEnabled?: boolean
    readonly writeEnabled?: boolean
    readonly listEnabled?: boolean
    readonly readEnabled?: boolean
  } | null
) => {
  const {
    createdOn: _,
    lastUpdatedOn: __,
    ...attributes
  } = Properties.common({
    createdTime: "1970-01-01T00:00:00Z",
    lastUpdateTime: "1970-01-01T00:00:00Z",
    changeableAttributes
  })
  return attributes
}

describe("changeable attributes", () => {
  it("default to allowed", () => {
    assert.deepStrictEqual(ChangeableAttributes.ChangeableAttributes.make({}), open)
    assert.deepStrictEqual(readAttributes({}), open)
    assert.deepStrictEqual(readAttributes(null), open)
  })

  const pairs: ReadonlyArray<readonly [ChangeableAttributes.Update, object]> = [
    [{ canDelete: false }, { deleteEnabled: false }],
    [{ canWrite: false }, { writeEnabled: false }],
    [{ canList: false }, { listEnabled: false }],
    [{ canRead: false }, { readEnabled: false }]
  ]
  it.each(pairs)("%o are %o on the wire, and no other", (update, wire) => {
    assert.deepStrictEqual<object>(Properties.updateToWire(update), wire)
    assert.deepStrictEqual<object>(readAttributes(wire), { ...open, ...update })
    assert.deepStrictEqual<object>(ChangeableAttributes.ChangeableAttributes.make(update), { ...open, ...update })
  })

  it("that stay unchanged are not sent", () => {
    assert.deepStrictEqual(Properties.updateToWire({}), {})
  })

  it.prop(
    "read back as they were written",
    [ChangeableAttributes.ChangeableAttributes],
    ([attributes]) => {
      assert.deepStrictEqual(readAttributes(Properties.updateToWire(attributes)), attributes)
    },
    { arbitrary: { seed: 1, runs: 50 } }
  )

  it("allow a deletion if deleting and overwriting are allowed", () => {
    const cases = [true, false].flatMap((canDelete) => [true, false].map((canWrite) => ({ canDelete, canWrite })))
    assert.deepStrictEqual(cases.filter(ChangeableAttributes.isDeletable), [{ canDelete: true, canWrite: true }])
  })

  it("are booleans, not words or numbers", () => {
    const isAttributes = Schema.is(ChangeableAttributes.ChangeableAttributes)
    assert.isTrue(isAttributes(open))
    for (const canRead of ["true", 1, null, undefined]) assert.isFalse(isAttributes({ ...open, canRead }))
  })
})
