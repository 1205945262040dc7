/**
 * Lists in pages: the part that a query asks for, and the link to the next one.
 */
import { type Answer, error } from "./answer.ts"

/** Which part of a list a query asks for. */
export interface Part {
  readonly n: number
  readonly last: string | undefined
  readonly orderby: string
}

const defaultPageSize = 100
const maxPageSize = 1000

/** The part, or the refusal of a number below zero. A text that is no whole number counts as none. */
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

/** Where items stand in the order of a list. */
export interface Order<A> {
  /** What a link says of the item after which the next page begins. */
  readonly cursorOf: (item: A) => string
  /**
   * Whether an item comes after what a link says, in a list that has this order. All items behind one that does do so too.
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
 * The order of times, either way; items of the same time by name or digest. A link says `<ticks>&<key>`, so a page begins
 * at the right place also if the item before it is gone. Before a `last` without a time there is nothing, unless it is the
 * key of an item: which one ACR takes it for is not known.
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

/** The index of the first item that comes after what a link says, by halving: a list may be long. */
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
