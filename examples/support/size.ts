/**
 * Sizes as people read them.
 */
import { ByteSize } from "effect"

/** `3.8 MiB` */
export const formatSize = (bytes: number): string =>
  ByteSize.format(ByteSize.bytes(bytes), { system: "binary", precision: 1 })
