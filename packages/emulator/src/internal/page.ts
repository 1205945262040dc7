/**
 * Pagination of lists: the page that a query requests, and the link to the next one.
 */
import { type Answer, error } from "./answer.ts"

/** The part of a list that a query requests. */
export interface Part {
  readonly n: number
  readonly last: string | undefined
  readonly orderby: string
}

const defaultPageSize = 100
const maxPageSize = 1000

/** The part, or the refusal of a number below zero. A text that is not an integer is ignored. */
export const partOf = (query: URLSearchParams): Part | Answer => {
  const given = query.get("n") ?? ""
  const n = /^-?\d+$/.test(given) ? Number(given) : defaultPageSize
  if (n < 0) return error(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested", { n })
  return {
    n: Math.min(n, maxPageSize),
    last: query.get("last") ?? undefined,
    orderby: query.get("orderby") ?? ""
  }
}

/** The order of the items of a list. */
export interface Order<A> {
  /** The value in a link for the item after which the next page begins. */
  readonly cursorOf: (item: A) => string
  /**
   * Whether an item comes after the value of a link, in a list with this order. If it does, so do all items behind it.
   */
  readonly isBehind: (last: string, all: ReadonlyArray<A>) => (item: A, index: number) => boolean
}

/** The order of names or digests. */
export const byKey = <A>(keyOf: (item: A) => string): Order<A> => ({
  cursorOf: keyOf,
  isBehind: (last) => (item) => keyOf(item) > last
})

interface Timed {
  readonly lastUpdateTime: string
}

/** Ticks of .NET: units of 100 ns since the year 1. */
const ticksOf = ({ lastUpdateTime }: Timed): bigint =>
  BigInt(Date.parse(lastUpdateTime)) * 10_000n + BigInt(lastUpdateTime.slice(-5, -1)) + 621_355_968_000_000_000n

/**
 * The order of times, ascending or descending; items of the same time by name or digest. A link has `<ticks>&<key>`, so
 * a page begins at the right place even if the item before it was deleted. Nothing comes before a `last` without a
 * time, unless it is the key of an item: it is unknown how ACR reads it.
 */
export const byTime = <A extends Timed>(keyOf: (item: A) => string, newestFirst: boolean): Order<A> => ({
  cursorOf: (item) => `${ticksOf(item)}&${keyOf(item)}`,
  isBehind: (last, all) => {
    const [, ticks, key = ""] = /^(\d+)&(.*)$/.exec(last) ?? []
    if (ticks === undefined) {
      const found = all.findIndex((item) => keyOf(item) === last)
      return (_, index) => index > found
    }
    const time = BigInt(ticks)
    return (item) => {
      const own = ticksOf(item)
      return own === time ? keyOf(item) > key : newestFirst ? own < time : own > time
    }
  }
})

/** The index of the first item after the value of a link. A binary search, because a list may be long. */
const firstBehind = <A>(items: ReadonlyArray<A>, isBehind: (item: A, index: number) => boolean): number => {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const item = items[middle]
    if (item !== undefined && isBehind(item, middle)) high = middle
    else low = middle + 1
  }
  return low
}

/** Cuts a page out of sorted items, and writes the link to the next one. */
export const page = <A>(
  path: string,
  items: ReadonlyArray<A>,
  order: Order<A>,
  { last, n, orderby }: Part
): { readonly items: ReadonlyArray<A>; readonly headers: Answer["headers"] } => {
  const from = last === undefined ? 0 : firstBehind(items, order.isBehind(last, items))
  const cut = items.slice(from, from + n)
  const final = cut.at(-1)
  return {
    items: cut,
    headers:
      final === undefined || items.length - from <= n
        ? {}
        : {
            Link: `<${path}?last=${encodeURIComponent(order.cursorOf(final))}&n=${n}&orderby=${encodeURIComponent(orderby)}>; rel="next"`
          }
  }
}
