/**
 * A custom operation returns what its `decode` returns.
 */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import { expectTypeOf } from "vitest"
import * as Operation from "../src/Operation.ts"
import type { RegistryError } from "../src/RegistryError.ts"
import { Tag } from "../src/Tag.ts"
import * as Transport from "../src/Transport.ts"

declare const transport: Transport.Service

const policy = {
  name: "Example.policy",
  method: "GET",
  path: Operation.path`/acr/v1/${"library/alpine"}/_policy`,
  scopes: [],
  bucket: "read",
  missing: "endpoint",
  success: [200],
  repeat: "always",
  decode: Operation.json(Schema.Struct({ days: Schema.Int }))
} as const

expectTypeOf(transport.execute(policy)).toEqualTypeOf<Effect.Effect<{ readonly days: number }, RegistryError>>()
expectTypeOf(transport.open(policy)).toEqualTypeOf<
  Effect.Effect<{ readonly days: number }, RegistryError, Scope.Scope>
>()
expectTypeOf(transport.list({ ...policy, decode: Operation.page(Operation.json(Schema.Array(Tag))) })).toEqualTypeOf<
  Stream.Stream<Tag, RegistryError>
>()

export const refused = [
  // @ts-expect-error a list has pages
  transport.list(policy),
  // @ts-expect-error the registry has no such counter
  transport.execute({ ...policy, bucket: "pulls" }),
  // @ts-expect-error limits exist only for the kinds that the registry counts
  Transport.layer({ endpoint: "myregistry", rateLimits: { pulls: 10 } })
]
