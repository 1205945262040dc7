/**
 * Sizes with units on a terminal, and numbers of bytes elsewhere.
 */
import * as ByteSize from "effect/ByteSize"
import type { View } from "./table.ts"

export const size = ({ isTerminal }: Pick<View, "isTerminal">, bytes: number): string =>
  isTerminal ? ByteSize.format(ByteSize.bytes(bytes), { system: "binary", precision: 1 }) : String(bytes)
