/**
 * Repositories as stores.
 */
import { Repository } from "@effect-acr/artifacts"
import { Reference, type RegistryContent } from "@effect-acr/client"
import { Effect } from "effect"

/** A repository of a registry that a layer provides. Where references name the registries, `Repository.open` does it. */
export const repositoryOf = (content: RegistryContent.Service, repository: string) =>
  Effect.map(Effect.fromResult(Reference.parse(`${content.loginServer}/${repository}`)), (reference) =>
    Repository.make(content, reference)
  )

/** How the repository calls one of its images: `myregistry.azurecr.io/library/alpine:3.20`. */
export const nameIn = ({ origin }: Repository.Repository, tag: string): string =>
  `${origin.place}/${origin.repository}:${tag}`
