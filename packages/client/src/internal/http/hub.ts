/**
 * Docker Hub, whose registry is at another host than the name that people write, and whose short names stand for official
 * images: `docker.io/alpine` is `library/alpine` of `registry-1.docker.io`. Docker's reference package, "familiar names".
 */
import { RepositoryName } from "../../RepositoryName.ts"

const registry = "registry-1.docker.io"
const names: ReadonlySet<string> = new Set(["docker.io", "index.docker.io"])

/** The host of the registry, for a name of Docker Hub; any other host as it is. */
export const toHubRegistry = (host: string): string => (names.has(host) ? registry : host)

/** The repository that a name stands for at a registry. */
export const repositoryAt = (endpoint: string, name: RepositoryName): RepositoryName =>
  endpoint === `https://${registry}` && !name.includes("/") ? RepositoryName.make(`library/${name}`) : name
