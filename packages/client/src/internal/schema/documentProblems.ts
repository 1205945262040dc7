/**
 * What is wrong with a document that a person wrote, in words for that person. Its keys are quoted, unlike those of responses.
 */
import type * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type { StandardSchemaV1 } from "effect/StandardSchema"

/** How many characters have to be added, removed or replaced to make one text of the other (Levenshtein). */
const distance = (one: string, other: string): number => {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (const [at, character] of Array.from(one).entries()) {
    const next = [at + 1]
    for (const [index, candidate] of Array.from(other).entries()) {
      const replaced = (row[index] ?? 0) + (character === candidate ? 0 : 1)
      next.push(Math.min(replaced, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1))
    }
    row = next
  }
  return row[other.length] ?? 0
}

/** Names that differ by more are other words. */
const mostDistance = 2

/** The known key that an unknown one most likely means, if one is close. */
const nearest = (key: string, known: ReadonlyArray<string>): string | undefined => {
  const [first] = known
    .map((name) => ({ name, far: distance(key.toLowerCase(), name.toLowerCase()) }))
    .filter(({ far }) => far <= mostDistance)
    .toSorted((one, other) => one.far - other.far)
  return first?.name
}

const unknownKey = (key: PropertyKey | undefined, { ast }: SchemaIssue.UnexpectedKey): string => {
  const known = ast._tag === "Objects" ? ast.propertySignatures.map(({ name }) => String(name)) : []
  const meant = nearest(String(key), known)
  if (meant !== undefined) return `there is no such key; ${meant} is the nearest`
  return known.length === 0 ? "there is no such key" : `there is no such key; known are ${known.join(", ")}`
}

/** Notes the last key of the path of each unknown key, which its issue lacks. */
const noteKeys = (issue: SchemaIssue.Issue, keys: Map<SchemaIssue.Issue, PropertyKey>, key?: PropertyKey): void => {
  switch (issue._tag) {
    case "Pointer":
      return noteKeys(issue.issue, keys, issue.path.at(-1))
    case "Composite":
    case "AnyOf":
      return issue.issues.forEach((one) => noteKeys(one, keys, key))
    case "Filter":
    case "Encoding":
      return noteKeys(issue.issue, keys, key)
    default:
      if (key !== undefined) keys.set(issue, key)
  }
}

/** `referrers.pageSize`, `seeds[0]` */
const placeOf = (path: ReadonlyArray<PropertyKey | StandardSchemaV1.PathSegment>): string =>
  path
    .map((segment) => (typeof segment === "object" ? segment.key : segment))
    .map((key, index) => (typeof key === "number" ? `[${key}]` : index === 0 ? String(key) : `.${String(key)}`))
    .join("")

/** The problems, each once: the members of a union may have the same one. */
export const format = ({ issue }: Schema.SchemaError): string => {
  const keys = new Map<SchemaIssue.Issue, PropertyKey>()
  noteKeys(issue, keys)
  const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1({
    leafHook: (leaf) => {
      if (leaf._tag === "UnexpectedKey") return unknownKey(keys.get(leaf), leaf)
      return leaf._tag === "MissingKey" ? "is missing" : SchemaIssue.defaultLeafHook(leaf)
    }
  })
  const problems = issuesOf(issue).issues.map(({ message, path = [] }) =>
    path.length === 0 ? message : `${placeOf(path)}: ${message}`
  )
  return Array.from(new Set(problems)).join("; ")
}
