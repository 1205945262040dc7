/**
 * Looks values up in caches that live longer than their callers.
 */
import * as Cache from "effect/Cache"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"

/** Replaces the current span by its identity: its place in its trace, without the result that it gets when it ends. */
const withSpanIdentity = (context: Context.Context<never>): Context.Context<never> =>
  Option.match(Context.getOption(context, Tracer.ParentSpan), {
    onNone: () => context,
    onSome: (span) => Context.add(context, Tracer.ParentSpan, Tracer.externalSpan(span))
  })

/**
 * Looks a key up, in the trace of the caller. An entry of a cache keeps the context of its look-up: without this, a token would keep
 * the page or the blob that it was first requested for.
 */
export const get = <Key, A, E>(cache: Cache.Cache<Key, A, E>, key: Key): Effect.Effect<A, E> =>
  Effect.updateContext<A, E, never, never>(Cache.get(cache, key), withSpanIdentity)
