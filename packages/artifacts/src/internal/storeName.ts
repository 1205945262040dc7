/**
 * The name of a store in messages.
 */
import type { Origin } from "../ContentStore.ts"

export const nameOf = ({ place, repository }: Origin): string => (repository === "" ? place : `${place}/${repository}`)

/** The message for a tag or a digest that a store lacks. The error itself names the tag or the digest. */
export const lacksIt = (origin: Origin): string => `${nameOf(origin)} has no such tag or digest`
