/**
 * Inventories of many manifests, of several shapes: what makes careless code slow.
 */
import type { Inventory, Manifest, Tag } from "@effect-acr/artifacts/RetentionInventory"
import * as Digest from "@effect-acr/client/Digest"
import * as Referrer from "@effect-acr/client/Referrer"
import * as DateTime from "effect/DateTime"

/** When the inventories were read. */
export const readAt = DateTime.makeUnsafe("2026-06-30T12:00:00Z")

/** A digest for a number. Numbers are apart everywhere in the hash, as digests are. */
const digestOf = (number: number): Digest.Digest =>
  Digest.Digest.make(`sha256:${(number * 2654435761).toString(16).padStart(16, "0").repeat(4)}`)

/** A time so many minutes before the inventory, and two days. */
const minutesAgo = (minutes: number) => DateTime.subtract(readAt, { days: 2, minutes })

const manifest = (number: number, others: Partial<Manifest> = {}): Manifest => ({
  digest: digestOf(number),
  kind: "image",
  sizeBytes: 1000,
  createdOn: minutesAgo(number),
  updatedOn: minutesAgo(number),
  isLocked: false,
  children: [],
  ...others
})

const tag = (name: string, number: number): Tag => ({
  name,
  digest: digestOf(number),
  updatedOn: minutesAgo(number),
  isLocked: false
})

type Content = Pick<Inventory, "tags" | "manifests">

const numbers = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, number) => number)

/** Releases of five manifests: an index, its two images, a referrer, and a signature with a tag. */
const releases = (count: number): Content => {
  const each = numbers(Math.floor(count / 5)).map((release): Content => {
    const [index, amd64, arm64, referrer, signature] = [0, 1, 2, 3, 4].map((part) => release * 5 + part)
    if (
      index === undefined ||
      amd64 === undefined ||
      arm64 === undefined ||
      referrer === undefined ||
      signature === undefined
    ) {
      return { tags: [], manifests: [] }
    }
    return {
      tags: [tag(`v${release}`, index), tag(`${Referrer.tag(digestOf(index))}.sig`, signature)],
      manifests: [
        manifest(index, { kind: "index", children: [digestOf(amd64), digestOf(arm64)] }),
        manifest(amd64),
        manifest(arm64),
        manifest(referrer, { kind: "referrer", subject: digestOf(index) }),
        manifest(signature, { kind: "artifact" })
      ]
    }
  })
  return { tags: each.flatMap(({ tags }) => tags), manifests: each.flatMap(({ manifests }) => manifests) }
}

/** The shapes, each of so many manifests or tags. */
export const shapes = {
  releases,
  "a tag for each image": (count: number): Content => ({
    tags: numbers(count).map((number) => tag(`v${number}`, number)),
    manifests: numbers(count).map((number) => manifest(number))
  }),
  "signatures of nothing": (count: number): Content => ({
    tags: numbers(count).map((number) => tag(`${Referrer.tag(digestOf(count + number))}.sig`, number)),
    manifests: numbers(count).map((number) => manifest(number, { kind: "artifact" }))
  }),
  "an index of everything": (count: number): Content => ({
    tags: [tag("v0", 0)],
    manifests: [
      manifest(0, { kind: "index", children: numbers(count - 1).map((number) => digestOf(number + 1)) }),
      ...numbers(count - 1).map((number) => manifest(number + 1))
    ]
  }),
  "a chain of referrers": (count: number): Content => ({
    tags: [tag("v0", 0)],
    manifests: numbers(count).map((number) =>
      manifest(number, number === 0 ? {} : { kind: "referrer", subject: digestOf(number - 1) })
    )
  }),
  "a chain of indexes": (count: number): Content => ({
    tags: [tag("v0", 0)],
    manifests: numbers(count).map((number) =>
      manifest(number, { kind: "index", children: number + 1 < count ? [digestOf(number + 1)] : [] })
    )
  }),
  "referrers of one image": (count: number): Content => ({
    tags: [tag("v0", 0)],
    manifests: numbers(count).map((number) =>
      manifest(number, number === 0 ? {} : { kind: "referrer", subject: digestOf(0) })
    )
  }),
  "tags of one image": (count: number): Content => ({
    tags: numbers(count).map((number) => tag(`v${number}`, 0)),
    manifests: [manifest(0)]
  })
} as const satisfies { readonly [name: string]: (count: number) => Content }

export type Shape = keyof typeof shapes

/** An inventory of a shape. */
export const inventoryOf = (shape: Shape, count: number): Inventory => {
  const { manifests, tags } = shapes[shape](count)
  return {
    registry: "registry.example",
    repository: "app",
    at: readAt,
    coverage: "everything",
    isLocked: false,
    tags: tags.toSorted((one, other) => (one.name < other.name ? -1 : 1)),
    manifests: manifests.toSorted((one, other) => (one.digest < other.digest ? -1 : 1)),
    warnings: []
  }
}
