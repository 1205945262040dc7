/**
 * A module of its own without imports: the bare program starts with it, and must not start with Effect.
 */

/** Does something for each item, so many at a time. */
export const inParallel = async <A>(items: ReadonlyArray<A>, width: number, each: (item: A) => Promise<unknown>) => {
  const left = items.values()
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const item of left) await each(item)
    })
  )
}
