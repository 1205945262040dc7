/**
 * Numbers as people read them.
 */
import { ByteSize } from "effect"

/** `3.8 MiB` */
export const formatSize = (bytes: number): string =>
  ByteSize.format(ByteSize.bytes(bytes), { system: "binary", precision: 1 })

/** `1 image`, `2 images` */
export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`
