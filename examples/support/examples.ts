/**
 * All examples, in the order in which they are best read.
 */
import { deleteImages } from "../delete-images.ts"
import { helloWorld } from "../hello-world.ts"
import { listTagsAnonymously } from "../list-tags-anonymously.ts"
import { setArtifactProperties } from "../set-artifact-properties.ts"

export const examples = [
  { name: "hello-world", title: "List the repositories of a registry", program: helloWorld, as: "identity" },
  {
    name: "list-tags-anonymously",
    title: "List the tags of a repository, without a login",
    program: listTagsAnonymously,
    as: "nobody"
  },
  {
    name: "set-artifact-properties",
    title: "Lock a tag, and unlock it again",
    program: setArtifactProperties,
    as: "identity"
  },
  {
    name: "delete-images",
    title: "Delete all images but the newest three of each repository",
    program: deleteImages,
    as: "identity"
  }
] as const
