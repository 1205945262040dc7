/**
 * The floors as a picture: each part with its modules, and beside it a line down to the parts that it imports.
 */
import type { Part } from "./floors.ts"
import { imports, modules } from "./imports.ts"
import { parts, placeOf } from "./rules.ts"

/** What a part imports from, from the ground up. */
export const usedBy = (part: Part): ReadonlyArray<Part> => {
  const used = new Set(imports.filter(({ from }) => placeOf(from)?.part === part).map(({ to }) => placeOf(to)?.part))
  return parts.map((place) => place.part).filter((other) => other !== part && used.has(other))
}

const publicName = /\/src\/(?!index$|bin$)([^/]+)$/

/** What a part is made of, as a reader looks for it: public modules by name, the others by folder. */
const contents = ({ holds }: Part): ReadonlyArray<string> =>
  holds.flatMap((held) => {
    const inside = modules.filter((module) => held.endsWith("/src") && module.startsWith(`${held}/`))
    return inside.length === 0
      ? [held.replace("client/src/", "")]
      : [...inside.flatMap((module) => publicName.exec(module)?.[1] ?? []), "internal"]
  })

const column = 22
const left = 16
const right = 660
const width = right + column * (parts.length + 1)
const lineHeight = 17
const letters = 92

/** Words in lines that are not too long. */
const wrap = (words: ReadonlyArray<string>): ReadonlyArray<string> =>
  words.reduce<ReadonlyArray<string>>((lines, word) => {
    const last = lines.at(-1)
    return last === undefined || last.length + word.length + 2 > letters
      ? [...lines, word]
      : [...lines.slice(0, -1), `${last}, ${word}`]
  }, [])

interface Box {
  readonly part: Part
  readonly floor: number
  readonly top: number
  readonly height: number
}

/** The parts from the top down, one box each. */
const boxes = (): ReadonlyArray<Box> => {
  let top = 16
  return parts.toReversed().map(({ floor, part }) => {
    const height = (wrap(contents(part)).length + 1) * lineHeight + 14
    const box = { part, floor, top, height }
    top += height + 8
    return box
  })
}

const middle = ({ height, top }: Box): number => top + height / 2

const colour = (part: Part): string => (part.name.startsWith("@") ? "#fff8e6" : "#eef5ff")

const drawn = ({ floor, height, part, top }: Box): ReadonlyArray<string> => [
  `<rect x="${left}" y="${top}" width="${right - left}" height="${height}" rx="4" fill="${colour(part)}" stroke="#bbb"/>`,
  `<text x="${left + 10}" y="${top + 20}"><tspan fill="#777">${floor}</tspan> <tspan font-weight="bold">${part.name}</tspan> <tspan fill="#555">${part.about}</tspan></text>`,
  ...wrap(contents(part)).map(
    (line, index) => `<text x="${left + 10}" y="${top + 20 + (index + 1) * lineHeight}" fill="#0969da">${line}</text>`
  )
]

/** From a part down to what it imports. */
const wire = (box: Box, index: number, all: ReadonlyArray<Box>) => {
  const used = new Set(usedBy(box.part))
  const ends = all.filter(({ part }) => used.has(part)).map(middle)
  const x = right + column * (index + 1)
  return {
    guides: ends.map((y) => `<line x1="${right}" x2="${x}" y1="${y}" y2="${y}" stroke="#ddd"/>`),
    line:
      ends.length === 0
        ? []
        : [`<path d="M${right} ${middle(box)}H${x}V${Math.max(...ends)}" fill="none" stroke="#999"/>`],
    dots: ends.map((y) => `<circle cx="${x}" cy="${y}" r="4" fill="#0969da"/>`)
  }
}

export const picture = (): string => {
  const all = boxes()
  const wires = all.map((box, index) => wire(box, index, all))
  const height = Math.max(...all.map((box) => box.top + box.height)) + 16
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...all.flatMap(drawn),
    ...wires.flatMap(({ guides }) => guides),
    ...wires.flatMap(({ line }) => line),
    ...wires.flatMap(({ dots }) => dots),
    "</svg>",
    ""
  ].join("\n")
}
