/**
 * Formats the graph of an artifact as a tree.
 */
import * as Annotations from "@effect-acr/client/Annotations"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import type * as Digest from "@effect-acr/client/Digest"
import * as Platform from "@effect-acr/client/Platform"
import * as ByteSize from "effect/ByteSize"
import * as Option from "effect/Option"
import { attestedDigest } from "./platforms.ts"
import { printable } from "./printable.ts"
import { statedType } from "./references.ts"
import type { Graph, GraphNode } from "./walk.ts"

const short = (digest: string): string => printable(digest.slice(digest.indexOf(":") + 1).slice(0, 12))

const sizeOf = ({ size }: Descriptor): string =>
  ByteSize.format(ByteSize.bytes(size), { system: "binary", precision: 1 })

const platformOf = (platform: Platform.Platform): ReadonlyArray<string> => {
  const version = platform["os.version"]
  return [printable(Platform.format(platform)), ...(version === undefined ? [] : [printable(version)])]
}

/** The role of a manifest in the index that names it. */
const roleOf = ({ annotations, platform }: Descriptor): ReadonlyArray<string> => {
  const attested = annotations?.[attestedDigest]
  if (attested !== undefined) return [`attestation of ${short(attested)}`]
  return platform === undefined ? [] : platformOf(platform)
}

const typeOf = (descriptor: Descriptor): string => printable(statedType(descriptor))

const blobLine = (blob: Descriptor): string => {
  const title = blob.annotations?.[Annotations.title]
  return [
    short(blob.digest),
    printable(blob.mediaType),
    sizeOf(blob),
    ...(title === undefined ? [] : [printable(title)])
  ].join("  ")
}

/** A manifest, and its place in the tree. */
interface Place {
  readonly descriptor: Descriptor
  readonly as: "root" | "child" | "referrer"
}

const partsOf = ({ as, descriptor }: Place, node: GraphNode | undefined): ReadonlyArray<string> => {
  const subject = node === undefined ? Option.none() : node.subject
  const about = Option.match(subject, { onNone: () => [], onSome: (digest) => [`about ${short(digest)}`] })
  switch (as) {
    case "root":
      return [descriptor.digest, typeOf(descriptor), sizeOf(descriptor), ...about]
    case "child":
      return [...roleOf(descriptor), short(descriptor.digest), typeOf(descriptor), sizeOf(descriptor), ...about]
    case "referrer":
      return ["referrer", short(descriptor.digest), typeOf(descriptor), sizeOf(descriptor)]
  }
}

/** The items under a manifest. */
type Item = { readonly _tag: "Blob"; readonly blob: Descriptor } | ({ readonly _tag: "Manifest" } & Place)

const itemsOf = ({ nodes }: Graph, { blobs, children, referrers }: GraphNode): ReadonlyArray<Item> => [
  ...blobs.map((blob): Item => ({ _tag: "Blob", blob })),
  ...children.map((descriptor): Item => ({ _tag: "Manifest", descriptor, as: "child" })),
  ...referrers.flatMap((digest): ReadonlyArray<Item> => {
    const node = nodes.get(digest)
    return node === undefined ? [] : [{ _tag: "Manifest", descriptor: node.descriptor, as: "referrer" }]
  })
]

/** An item to print, with the prefix of its line and of the lines under it. */
interface Waiting {
  readonly item: Item
  readonly lead: string
  readonly indent: string
}

const under = (items: ReadonlyArray<Item>, indent: string): ReadonlyArray<Waiting> =>
  items.map((item, index) =>
    index === items.length - 1
      ? { item, lead: `${indent}└── `, indent: `${indent}    ` }
      : { item, lead: `${indent}├── `, indent: `${indent}│   ` }
  )

/** Formats a graph as a tree. Not recursive, since chains of referrers may have any length. */
export const format = (graph: Graph): string => {
  const root = graph.nodes.get(graph.root)
  if (root === undefined) return graph.root
  const lines: Array<string> = []
  const shown = new Set<Digest.Digest>()
  const waiting: Array<Waiting> = [
    { item: { _tag: "Manifest", descriptor: root.descriptor, as: "root" }, lead: "", indent: "" }
  ]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { indent, item, lead } = next
    if (item._tag === "Blob") {
      lines.push(`${lead}${blobLine(item.blob)}`)
      continue
    }
    const { digest } = item.descriptor
    const node = graph.nodes.get(digest)
    const isShown = shown.has(digest)
    const parts = partsOf(item, node)
    lines.push(`${lead}${[...parts, ...(isShown ? ["(shown above)"] : [])].join("  ")}`)
    if (isShown || node === undefined) continue
    shown.add(digest)
    waiting.push(...under(itemsOf(graph, node), indent).toReversed())
  }
  return lines.join("\n")
}
