/**
 * Several contents together.
 */
import type { Descriptor } from "@effect-acr/client"

/** Each content once, however often it is referred to. */
export const distinct = (contents: ReadonlyArray<Descriptor.Descriptor>): ReadonlyArray<Descriptor.Descriptor> => [
  ...new Map(contents.map((content) => [content.digest, content])).values()
]

/** In bytes. */
export const sizeOf = (contents: ReadonlyArray<Pick<Descriptor.Descriptor, "size">>): number =>
  contents.reduce((sum, { size }) => sum + size, 0)
