/**
 * The order in which a page shows what its module exports.
 */
import * as Arr from "effect/Array"
import type { Export } from "./exports.ts"
import type { Module } from "./read.ts"

/**
 * The categories under their titles, in the order in which a module is read: what it is for, what that takes and gives,
 * what is done with those. No title is the name of an export, so that the anchors of exports are their names.
 */
const titles = new Map([
  ["services", "Services"],
  ["layers", "Layers"],
  ["options", "Option types"],
  ["errors", "Errors"],
  ["reasons", "Reasons"],
  ["schemas", "Schemas"],
  ["models", "Models"],
  ["clouds", "Clouds"],
  ["constructors", "Constructors"],
  ["running", "Running"],
  ["combinators", "Combinators"],
  ["config", "Configuration"],
  ["parsing", "Parsing"],
  ["formatting", "Formatting"],
  ["decoding", "Decoding"],
  ["guards", "Guards"],
  ["getters", "Getters"],
  ["constants", "Constants"],
  ["keys", "Keys"],
  ["references", "References"]
])

export interface Group {
  readonly title: string
  readonly exports: ReadonlyArray<Export>
}

export const groupsOf = (module: Module): ReadonlyArray<Group> => {
  const groups = Arr.groupBy(module.exports, ({ comments: [comment] }) => comment.category ?? "")
  const unknown = Object.keys(groups).find((category) => !titles.has(category))
  if (unknown !== undefined) throw new Error(`${module.path}: "${unknown}" is not a category`)
  return [...titles].flatMap(([category, title]) => {
    const exports = groups[category]
    return exports === undefined ? [] : [{ title, exports }]
  })
}
