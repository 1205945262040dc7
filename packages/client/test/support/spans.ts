/**
 * The spans that an effect makes.
 */
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"

/** Runs an effect, however it ends, and returns its spans in the order of their beginnings. */
export const spansOf = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<ReadonlyArray<Tracer.NativeSpan>, never, R> =>
  Effect.suspend(() => {
    const spans: Array<Tracer.NativeSpan> = []
    const tracer = Tracer.make({
      span(options) {
        const span = new Tracer.NativeSpan(options)
        spans.push(span)
        return span
      }
    })
    return Effect.as(Effect.provideService(Effect.exit(effect), Tracer.Tracer, tracer), spans)
  })
