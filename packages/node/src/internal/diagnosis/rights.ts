/**
 * The steps of a diagnosis that check the permissions of the login.
 */
import * as Operation from "@effect-acr/client/Operation"
import type * as RegistryContent from "@effect-acr/client/RegistryContent"
import * as TokenScope from "@effect-acr/client/TokenScope"
import type * as Transport from "@effect-acr/client/Transport"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import { failed, ok, type Outcome, refused, skipped } from "./step.ts"

const rightsAdvice = "the login lacks a permission: for a registry of Azure, a role such as AcrPull or AcrPush"

export const tokenStep = (
  { access }: Transport.Service,
  repository: string,
  actions: ReadonlyArray<TokenScope.Action>
): Effect.Effect<Outcome> =>
  Effect.match(access([TokenScope.repository(repository, ...actions)]), {
    onFailure: (error) => refused(error, rightsAdvice),
    onSuccess: (found) => {
      if (Option.isNone(found)) return skipped("the registry has no tokens that show their permissions")
      const granted = found.value.access.flatMap((entry) => (entry.name === repository ? entry.actions : []))
      const fact = `${repository}: ${granted.length === 0 ? "nothing" : granted.join(", ")}`
      const missing = granted.includes("*") ? [] : actions.filter((action) => !granted.includes(action))
      return missing.length === 0
        ? ok(fact)
        : failed(`the token does not allow ${missing.join(", ")}`, rightsAdvice, [fact])
    }
  })

const firstOf = (name: Option.Option<string>): Outcome =>
  Option.match(name, { onNone: () => ok("there are none"), onSome: (first) => ok(`the first is ${first}`) })

export const repositoriesStep = (
  content: RegistryContent.Service,
  repository: string | undefined
): Effect.Effect<Outcome> =>
  Effect.match(Stream.runHead(content.repositories({ pageSize: 1 })), {
    onFailure: (error) =>
      repository === undefined
        ? refused(error, `${rightsAdvice}; a login for single repositories may lack the permission to list all of them`)
        : skipped(`the login may not list repositories, which ${repository} does not need: ${error.reason.message}`),
    onSuccess: firstOf
  })

/** Lists tags, and keeps the first one for the pull. */
export const tagsStep = (
  content: RegistryContent.Service,
  repository: string,
  found: Ref.Ref<Option.Option<string>>
): Effect.Effect<Outcome> =>
  Effect.matchEffect(Stream.runHead(content.tags(repository, { pageSize: 1 })), {
    onFailure: (error) => Effect.succeed(refused(error, rightsAdvice)),
    onSuccess: (tag) => Effect.as(Ref.set(found, tag), firstOf(tag))
  })

export const pullStep = (
  content: RegistryContent.Service,
  repository: string,
  tag: Option.Option<string>
): Effect.Effect<Outcome> =>
  Option.match(tag, {
    onNone: () => Effect.succeed(skipped("there is no tag to pull")),
    onSome: (name) =>
      Effect.match(content.manifest(repository, name), {
        onFailure: (error) => refused(error, rightsAdvice),
        onSuccess: ({ descriptor }) => ok(`${name} is ${descriptor.digest}`)
      })
  })

const leftOpen = "an upload was opened, and expires by itself"

/** Opens an upload and cancels it. An upload at another origin, or that cannot be cancelled, is left to expire. */
export const pushStep = (transport: Transport.Service, repository: string): Effect.Effect<Outcome> => {
  const parts = {
    name: "Diagnosis.push",
    scopes: [TokenScope.repository(repository, "pull", "push")],
    subject: { repository }
  }
  const uploads = `/v2/${repository}/blobs/uploads/`
  const open = transport.execute(
    Operation.post(uploads, { ...parts, decode: ({ headers }) => Effect.succeed(headers["location"] ?? "") })
  )
  const cancel = (location: string) => {
    const url = URL.parse(location, transport.endpoint)
    if (url === null || url.origin !== transport.endpoint) return Effect.succeed(ok(leftOpen))
    const cancelled = transport.execute(
      Operation.del(`${url.pathname}${url.search}`, {
        ...parts,
        success: [200, 202, 204, 404],
        decode: () => Effect.void
      })
    )
    // Registries may require the right to delete for this, which pushing does not need.
    return Effect.match(cancelled, {
      onFailure: () => ok(leftOpen),
      onSuccess: () => ok("an upload was opened and cancelled")
    })
  }
  return Effect.match(Effect.flatMap(open, cancel), {
    onFailure: (error) => refused(error, rightsAdvice),
    onSuccess: identity
  })
}
