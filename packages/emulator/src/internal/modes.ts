/**
 * The modes and the limits of an emulator: as it starts, and as they change.
 */
import * as ByteSize from "effect/ByteSize"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { type Limits, Modes, type ModesChange, type Options } from "../Modes.ts"

const bytesOf = (size: ByteSize.Input | undefined): number | null =>
  size === undefined ? null : ByteSize.toNumberUnsafe(ByteSize.fromInputUnsafe(size))

/** Refuses numbers and times that make no sense, as the schema does with those of a request. */
const decode = Schema.decodeUnknownSync(Schema.toType(Modes))

/** The modes to start with. */
export const atStart = (options: Options): Modes => {
  const { api = true, cascade = true, filter = true, pageSize, subjectHeader = true } = options.referrers ?? {}
  return decode({
    anonymousPull: options.anonymousPull ?? false,
    roleAssignmentMode: options.roleAssignmentMode ?? "rbac",
    blobs: options.blobs ?? "redirect",
    maxRequestBodySize: bytesOf(options.maxRequestBodySize),
    chunkMinLength: bytesOf(options.chunkMinLength),
    referrers: { api, cascade, filter, pageSize: pageSize ?? null, subjectHeader },
    softDelete:
      options.softDelete === undefined
        ? null
        : { retention: Duration.fromInputUnsafe(options.softDelete.retention ?? "7 days") },
    conditionalPut: options.conditionalPut ?? false
  })
}

/** The limits to start with. */
export const limitsAtStart = ({ rateLimits = {}, tier }: Options): Limits => ({ tier: tier ?? null, rateLimits })

/** The modes after a change. */
export const changed = (modes: Modes, { referrers, ...change }: ModesChange): Modes => ({
  ...modes,
  ...change,
  referrers: { ...modes.referrers, ...referrers }
})
