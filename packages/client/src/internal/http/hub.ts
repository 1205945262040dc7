/**
 * Docker Hub, whose registry has another host than its usual name, and whose short names mean official images:
 * `docker.io/alpine` is `library/alpine` of `registry-1.docker.io`. Docker's reference package, "familiar names".
 */
import { RepositoryName } from "../../RepositoryName.ts"

const registry = "registry-1.docker.io"
const names: ReadonlySet<string> = new Set(["docker.io", "index.docker.io"])

/** The host of the registry for a name of Docker Hub; any other host unchanged. */
export const toHubRegistry = (host: string): string => (names.has(host) ? registry : host)

/** The full name of a repository in a registry. */
export const repositoryAt = (endpoint: string, name: RepositoryName): RepositoryName =>
  endpoint === `https://${registry}` && !name.includes("/") ? RepositoryName.make(`library/${name}`) : name
