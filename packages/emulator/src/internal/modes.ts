/**
 * The modes and the limits of an emulator: those at the start, and their changes.
 */
import * as ByteSize from "effect/ByteSize"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { type Limits, Modes, type ModesChange, type Options } from "../Modes.ts"
import type { Identity } from "./access.ts"
import * as Throttle from "./throttle.ts"

const bytesOf = (size: ByteSize.Input | undefined): number | null =>
  size === undefined ? null : ByteSize.toNumberUnsafe(ByteSize.fromInputUnsafe(size))

/** Refuses invalid numbers and times, as the schema does with those of a request. */
const decode = Schema.decodeUnknownSync(Schema.toType(Modes))

const modesAtStart = (options: Options): Modes => {
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

const limitsAtStart = ({ rateLimits = {}, tier }: Options): Limits => ({ tier: tier ?? null, rateLimits })

/** Counts requests against the limits. */
const throttlesOf = ({ rateLimits, tier }: Limits) => {
  const limits = tier === null ? undefined : Throttle.tiers[tier]
  return {
    ofAll: Throttle.make({ ...limits?.registry, ...rateLimits }),
    ofOne: Throttle.makeFor<Identity>(limits?.identity ?? {})
  }
}

/** The modes and limits of one emulator. Without a storage, blobs are served. */
export const make = (options: Options, hasStorage: boolean) => {
  const possible = (modes: Modes): Modes => (hasStorage ? modes : { ...modes, blobs: "direct" })

  let modes = possible(modesAtStart(options))
  let limits = limitsAtStart(options)
  let throttles = throttlesOf(limits)

  const setLimits = (given: Limits): void => {
    limits = given
    throttles = throttlesOf(given)
  }

  return {
    modes: (): Modes => modes,
    setModes: ({ referrers, ...change }: ModesChange): void => {
      modes = possible({ ...modes, ...change, referrers: { ...modes.referrers, ...referrers } })
    },
    limits: (): Limits => limits,
    setLimits,
    /** Restores the modes and limits of the start. */
    reset: (): void => {
      modes = possible(modesAtStart(options))
      setLimits(limitsAtStart(options))
    },
    /** Counts the requests of all callers. */
    throttle: (...request: Parameters<Throttle.Throttle>): ReturnType<Throttle.Throttle> => throttles.ofAll(...request),
    /** Counts those of one identity. */
    throttleOf: (identity: Identity): Throttle.Throttle => throttles.ofOne(identity)
  }
}
