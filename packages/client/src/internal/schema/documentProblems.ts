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

type Path = ReadonlyArray<PropertyKey | StandardSchemaV1.PathSegment>

/** `referrers.pageSize`, `seeds[0]` */
const placeOf = (path: Path): string =>
  path
    .map((segment) => (typeof segment === "object" ? segment.key : segment))
    .map((key, index) => (typeof key === "number" ? `[${key}]` : index === 0 ? String(key) : `.${String(key)}`))
    .join("")

const problem = (path: Path, text: string): string => (path.length === 0 ? text : `${placeOf(path)}: ${text}`)

const unknownKey = (key: string, known: ReadonlyArray<string>): string => {
  const meant = nearest(key, known)
  if (meant !== undefined) return `there is no such key; ${meant} is the nearest`
  return known.length === 0 ? "there is no such key" : `there is no such key; known are ${known.join(", ")}`
}

const knownKeys = ({ ast }: SchemaIssue.UnexpectedKey): ReadonlyArray<string> =>
  ast._tag === "Objects" ? ast.propertySignatures.map(({ name }) => String(name)) : []

/** What is wrong with the keys of one object, and the keys that it may have. */
interface Keys {
  readonly unknown: ReadonlyArray<string>
  readonly missing: ReadonlyArray<string>
  readonly known: ReadonlyArray<string>
}

const keysOf = (issue: SchemaIssue.Issue): Keys => {
  if (issue._tag === "Encoding") return keysOf(issue.issue)
  const own = issue._tag === "Composite" ? issue.issues : []
  const named = own.flatMap((one) =>
    one._tag === "Pointer" && one.path.length === 1 ? [{ key: String(one.path[0]), leaf: one.issue }] : []
  )
  return {
    unknown: named.flatMap(({ key, leaf }) => (leaf._tag === "UnexpectedKey" ? [key] : [])),
    missing: named.flatMap(({ key, leaf }) => (leaf._tag === "MissingKey" ? [key] : [])),
    known: named.flatMap(({ leaf }) => (leaf._tag === "UnexpectedKey" ? knownKeys(leaf) : []))
  }
}

/** How far a member of a union is from what the person wrote, the most telling number first. */
const distances = ({ known, missing, unknown }: Keys): readonly [number, number, number] => {
  const foreign = unknown.filter((key) => nearest(key, known) === undefined)
  return [foreign.length, unknown.length, missing.length]
}

const unique = (texts: ReadonlyArray<string>): ReadonlyArray<string> => Array.from(new Set(texts))

/** The keys of another member beside those of this one. None if the person's object has any other problem with its keys. */
const foreignKeys = ({ missing, unknown }: Keys, members: ReadonlyArray<Keys>): ReadonlyArray<string> =>
  missing.length === 0 && unknown.every((key) => members.some(({ known }) => known.includes(key))) ? unknown : []

/**
 * The problems of a union. The member with the keys of the person's object is the one that is meant: the problems of the others
 * would hide its own. If several are equally close, the person may not know any, and gets the keys of all.
 */
const ofUnion = (issues: ReadonlyArray<SchemaIssue.Issue>, path: Path): ReadonlyArray<string> => {
  const members = issues.map((issue) => ({ issue, keys: keysOf(issue), far: distances(keysOf(issue)).join(" ") }))
  const [closest] = members.toSorted(({ far: one }, { far: other }) =>
    one.localeCompare(other, "en", { numeric: true })
  )
  const all = members.map(({ keys }) => keys)
  const foreign = closest === undefined ? [] : foreignKeys(closest.keys, all)
  if (foreign.length > 0) {
    const own = unique(all.flatMap(({ unknown }) => unknown)).filter((key) => !foreign.includes(key))
    return foreign.map((key) => problem([...path, key], `this key cannot be combined with ${own.join(", ")}`))
  }
  const alike = members.filter(({ far }) => far === closest?.far)
  const [{ missing, unknown } = { missing: [], unknown: [] }] = alike.map(({ keys }) => keys)
  if (alike.length === 1 || missing.length + unknown.length === 0) {
    return alike.flatMap(({ issue }) => problemsOf(issue, path))
  }
  if (unknown.length === 0) {
    const oneOf = unique(alike.flatMap(({ keys }) => keys.missing))
    return [problem(path, `one of these keys is missing: ${oneOf.join(", ")}`)]
  }
  const known = unique(alike.flatMap(({ keys }) => keys.known))
  return unknown.map((key) => problem([...path, key], unknownKey(key, known)))
}

const leafIssues = SchemaIssue.makeFormatterStandardSchemaV1()

const problemsOf = (issue: SchemaIssue.Issue, path: Path): ReadonlyArray<string> => {
  switch (issue._tag) {
    case "Encoding":
      return problemsOf(issue.issue, path)
    case "Pointer":
      return problemsOf(issue.issue, [...path, ...issue.path])
    case "Composite":
      return issue.issues.flatMap((one) => problemsOf(one, path))
    case "UnexpectedKey":
      return [problem(path, unknownKey(String(path.at(-1)), knownKeys(issue)))]
    case "MissingKey":
      return [problem(path, "is missing")]
    case "AnyOf":
      if (issue.issues.length > 0) return ofUnion(issue.issues, path)
  }
  return leafIssues(issue).issues.map(({ message, path: inner = [] }) => problem([...path, ...inner], message))
}

/** The problems, each once: the members of a union may have the same one. */
export const format = ({ issue }: Schema.SchemaError): string => unique(problemsOf(issue, [])).join("; ")
