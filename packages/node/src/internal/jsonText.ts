/**
 * Changes members of a JSON text, and leaves every other character as it is.
 *
 * Parsing a file and writing it again would round numbers above 2^53, drop members that are there twice, and change the
 * format. The texts are valid JSON: the caller has parsed them.
 */

/** A member of an object, as it stands in the text: from behind the comma before it to the comma after it. */
interface Member {
  readonly key: string
  /** What stands before the value: white space, the key and the colon. */
  readonly head: string
  /** The value, with the white space behind it. */
  readonly value: string
}

/** An object as it stands in a text. */
interface ObjectText {
  /** What stands before the first member, up to and with the opening brace. */
  readonly open: string
  readonly members: ReadonlyArray<Member>
  /** What stands behind the last member, from the closing brace or the white space before it. */
  readonly close: string
}

/** Where a string ends that begins at an index, its closing quote included. */
const endOfString = (text: string, start: number): number => {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1
  return at + 1
}

/** The parts between the commas of an object's body, at its own level. */
const split = (body: string): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let depth = 0
  let start = 0
  let at = 0
  while (at < body.length) {
    const character = body[at]
    if (character === '"') {
      at = endOfString(body, at)
      continue
    }
    if (character === "{" || character === "[") depth++
    if (character === "}" || character === "]") depth--
    if (character === "," && depth === 0) {
      parts.push(body.slice(start, at))
      start = at + 1
    }
    at++
  }
  return [...parts, body.slice(start)]
}

const memberOf = (part: string): Member => {
  const quote = part.indexOf('"')
  const end = endOfString(part, quote)
  const colon = part.indexOf(":", end)
  const value = colon + 1 + (/^\s*/.exec(part.slice(colon + 1))?.[0].length ?? 0)
  return { key: String(JSON.parse(part.slice(quote, end))), head: part.slice(0, value), value: part.slice(value) }
}

const objectOf = (text: string): ObjectText => {
  const start = text.indexOf("{") + 1
  const body = text.slice(start, text.lastIndexOf("}"))
  const kept = body.trimEnd().length
  const end = start + kept
  return {
    open: text.slice(0, start),
    members: kept === 0 ? [] : split(body.slice(0, kept)).map(memberOf),
    close: text.slice(end)
  }
}

const textOf = ({ close, members, open }: ObjectText): string =>
  `${open}${members.map(({ head, value }) => `${head}${value}`).join(",")}${close}`

/**
 * The white space at the beginning of a line in which the members of an object stand. Undefined if they are on one
 * line.
 */
const indentOf = ({ members }: ObjectText): string | undefined => {
  const space = /^\s*/.exec(members[0]?.head ?? "")?.[0] ?? ""
  return members.length > 0 && !space.includes("\n") ? undefined : space
}

/** Writes a value whose lines begin as those of the members that it stands beside. docker indents by tabs. */
const written = (value: unknown, indent: string | undefined): string =>
  indent === undefined ? JSON.stringify(value) : JSON.stringify(value, null, "\t").replaceAll("\n", indent)

/** The change of an object in a text. `depth` is how many objects it is in. */
type Change = (text: string, depth: number) => string

/** Removes the members whose keys are chosen. */
export const remove =
  (isChosen: (key: string) => boolean): Change =>
  (text) => {
    const object = objectOf(text)
    const members = object.members.filter(({ key }) => !isChosen(key))
    if (members.length > 0) return textOf({ ...object, members })
    return `${object.open}${object.close.trimStart()}`
  }

/** Sets a member to a value. It keeps its place, or else becomes the last one. */
export const put =
  (key: string, value: unknown): Change =>
  (text, depth) => {
    const object = objectOf(text)
    if (object.members.length === 0) {
      const indent = `\n${"\t".repeat(depth + 1)}`
      const head = `${indent}${JSON.stringify(key)}: `
      const members = [{ key, head, value: written(value, indent) }]
      return textOf({ ...object, members, close: `${indent.slice(0, -1)}${object.close.trimStart()}` })
    }
    const indent = indentOf(object)
    if (object.members.some((member) => member.key === key)) {
      const members = object.members.map((member) =>
        member.key === key ? { ...member, value: written(value, indent) } : member
      )
      return textOf({ ...object, members })
    }
    const head = `${indent ?? ""}${JSON.stringify(key)}:${indent === undefined ? "" : " "}`
    return textOf({ ...object, members: [...object.members, { key, head, value: written(value, indent) }] })
  }

const isObject = ({ value }: Member): boolean => value.startsWith("{")

/**
 * Changes the object that is the value of a member. A member that is not there is made, and one that is no object
 * replaced.
 */
export const within =
  (key: string, change: Change): Change =>
  (text, depth) => {
    const object = objectOf(text)
    if (!object.members.some((member) => member.key === key && isObject(member))) {
      return within(key, change)(put(key, {})(text, depth), depth)
    }
    const members = object.members.map((member) =>
      member.key === key && isObject(member) ? { ...member, value: change(member.value, depth + 1) } : member
    )
    return textOf({ ...object, members })
  }
