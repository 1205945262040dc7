/**
 * What the word at the cursor of an unfinished command line may be, by its verb and the words before it.
 */
import type { ArgumentDescriptor, CommandDescriptor, FlagDescriptor } from "effect/cli/Completions"

/** The tags of an image layout. */
interface TagsOfLayout {
  readonly layout: string
}

/** What may be at the cursor. */
export type Wanted = "nothing" | "registries" | "repositories" | "artifacts" | TagsOfLayout

/** Arguments that name a registry or something in one. All others name files or new objects. */
const wantedBy = new Map<string, Wanted>([
  ["registry", "registries"],
  ["place", "repositories"],
  ["repository", "repositories"],
  ["artifact", "artifacts"],
  ["object", "artifacts"],
  ["subject", "artifacts"],
  ["from", "artifacts"],
  ["to", "artifacts"],
  ["source", "artifacts"],
  ["target", "artifacts"],
  ["one", "artifacts"],
  ["other", "artifacts"],
  ["first", "artifacts"],
  ["second", "artifacts"],
  ["reference", "artifacts"]
])

const formsOf = ({ aliases, name }: FlagDescriptor): ReadonlyArray<string> =>
  [name, ...aliases].map((form) => (form.length === 1 ? `-${form}` : `--${form}`))

/** Whether the next word is the value of this one. */
const takesNext = (flags: ReadonlyArray<FlagDescriptor>, word: string): boolean =>
  flags.some(
    (flag) => flag.type._tag !== "Boolean" && flag.optionalValue !== true && formsOf(flag).some((form) => form === word)
  )

/** Flags that look names up in a layout or in an archive. */
const placeFlag = /^--(?:(?<side>from|to)-)?(?<kind>layout|archive)(?:=(?<value>.*))?$/s

/** What may be at the cursor if flags name a layout or an archive. Archives have no candidates: one would have to be read whole. */
const wantedElsewhere = (words: ReadonlyArray<string>, argument: string): ReadonlyArray<Wanted> =>
  words.flatMap((word, index) => {
    const { kind, side, value = words[index + 1] ?? "" } = placeFlag.exec(word)?.groups ?? {}
    if (kind === undefined || (side !== undefined && side !== argument)) return []
    return [kind === "layout" ? { layout: value } : "nothing"]
  })

const wantedFor = (command: CommandDescriptor, argument: ArgumentDescriptor): Wanted => {
  // `untag` takes existing tags, and `tag` new ones.
  if (argument.name === "tag") return argument === command.arguments[0] ? "artifacts" : "nothing"
  return wantedBy.get(argument.name) ?? "nothing"
}

/** Finds what may be at the cursor after these words. */
export const wanted = (root: CommandDescriptor, words: ReadonlyArray<string>): Wanted => {
  let command = root
  let position = 0
  let isValue = false
  let isEnded = false
  for (const word of words) {
    if (isValue) {
      isValue = false
    } else if (!isEnded && word === "--") {
      isEnded = true
    } else if (!isEnded && word.length > 1 && word.startsWith("-")) {
      isValue = takesNext([...command.flags, ...root.flags], word)
    } else {
      const next = position === 0 ? command.subcommands.find(({ name }) => name === word) : undefined
      if (next === undefined) position++
      else command = next
    }
  }
  const last = command.arguments.at(-1)
  const argument = command.arguments[position] ?? (last?.variadic === true ? last : undefined)
  if (isValue || argument === undefined) return "nothing"
  const wanted = wantedFor(command, argument)
  const [elsewhere] = wantedElsewhere(words, argument.name)
  if (elsewhere === undefined) return wanted
  return wanted === "artifacts" ? elsewhere : "nothing"
}
