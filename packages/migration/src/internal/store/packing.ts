/**
 * Packs artifacts into batches. Pure.
 */

/** Consecutive artifacts of a repository, at most as many as fit into a batch. */
export interface Part {
  readonly repository: number
  readonly count: number
  readonly first: number
  readonly last: number
}

/**
 * Packs parts into batches, large repositories first. A repository starts a new batch unless all of it fits into the rest of the
 * last one. All parts of a repository except the last are as large as a batch.
 */
export const pack = (parts: ReadonlyArray<Part>, size: number): ReadonlyArray<ReadonlyArray<Part>> => {
  const byRepository = new Map<number, { readonly own: Array<Part>; total: number }>()
  for (const part of parts) {
    const found = byRepository.get(part.repository) ?? { own: [], total: 0 }
    byRepository.set(part.repository, found)
    found.own.push(part)
    found.total += part.count
  }
  const repositories = Array.from(byRepository.values()).toSorted((one, other) => other.total - one.total)
  const batches: Array<Array<Part>> = []
  let room = 0
  for (const { own, total } of repositories) {
    if (total <= room) {
      batches.at(-1)?.push(...own)
      room -= total
    } else {
      batches.push(...own.map((part) => [part]))
      room = size - (own.at(-1)?.count ?? 0)
    }
  }
  return batches
}
