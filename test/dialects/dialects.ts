/**
 * Registries, as far as their deviations are known from public reports and their own documentation.
 */
import type { Dialect, Login } from "./dialect.ts"

/** A token service as the specification has it, at a path of the registry or elsewhere. */
const tokens = (realm: string, answer: (token: string) => object = (token) => ({ token })): Login => ({
  _tag: "Token",
  realm,
  answer
})

export const dialects: ReadonlyArray<Dialect> = [
  {
    name: "Azure Container Registry (RBAC)",
    host: "myregistry.azurecr.io",
    repository: "samples/hello",
    login: tokens("https://myregistry.azurecr.io/oauth2/token", (access_token) => ({ access_token })),
    listAction: "metadata_read",
    link: (address) => `<${address}>; rel="next"`,
    storage: "myregistry.blob.core.windows.net",
    deviations: [
      {
        what: "requires `metadata_read` to list tags, and says so only in its challenge",
        source: "https://github.com/Azure/acr/issues/423"
      }
    ]
  },
  {
    name: "Azure Container Registry (ABAC)",
    host: "abacregistry.azurecr.io",
    repository: "samples/hello",
    login: tokens("https://abacregistry.azurecr.io/oauth2/token", (access_token) => ({ access_token })),
    listAction: "metadata_read",
    link: (address) => `<${address}>; rel="next"`,
    mountRefusedWith: 401,
    deviations: [
      {
        what: "grants permissions by repository: a blob cannot be mounted from a repository that the login may not read",
        source:
          "https://learn.microsoft.com/en-gb/azure/container-registry/container-registry-rbac-abac-repository-permissions"
      }
    ]
  },
  {
    name: "Amazon ECR",
    host: "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    repository: "samples/hello",
    login: { _tag: "Password" },
    statuses: { patch: 201 },
    mountRefusedWith: 405,
    deviations: [{ what: "answers PATCH with 201", source: "https://github.com/jdx/mise/pull/11376" }]
  },
  {
    name: "GitHub Container Registry",
    host: "ghcr.io",
    repository: "contoso/hello",
    login: {
      _tag: "Token",
      realm: "https://ghcr.io/token",
      answer: (token) => ({ token }),
      placeholder: "repository:user/image:pull"
    },
    maxChunkBytes: 4 * 1024 * 1024,
    deleteRefusedWith: 405,
    deviations: [
      {
        what: "refuses a chunk of more than 4 MiB with 416",
        source: "https://github.com/oras-project/rust-oci-client/issues/35"
      }
    ]
  },
  {
    name: "Harbor",
    host: "harbor.example.com",
    repository: "library/hello",
    login: tokens("https://harbor.example.com/service/token", (token) => ({
      token,
      access_token: "",
      expires_in: 1800,
      issued_at: ""
    })),
    link: (address) => `<${address}>; rel="next"`,
    deviations: [
      {
        what: "leaves `access_token` empty beside `token`",
        source: "https://github.com/bazel-contrib/rules_oci/pull/856"
      }
    ]
  },
  {
    name: "Google Container Registry",
    host: "gcr.io",
    repository: "contoso/hello",
    login: tokens("https://gcr.io/v2/token"),
    tellsBlobSize: false,
    deviations: [
      {
        what: "answers HEAD of a blob without a length",
        source: "https://github.com/distribution/distribution/issues/4895"
      }
    ]
  },
  {
    name: "Artifactory",
    host: "docker.artifactory.example.com",
    repository: "hello",
    login: tokens("https://docker.artifactory.example.com/artifactory/api/docker/docker/v2/token"),
    strangersGet: 404,
    deviations: [
      {
        what: "can be configured to answer anonymous callers with 404 instead of 401",
        source: "https://www.jfrog.com/confluence/display/RTF5X/Configuring+Security"
      },
      {
        what: "has its token service under another path",
        source: "https://github.com/containerd/containerd/issues/6339"
      }
    ]
  },
  {
    name: "Quay",
    host: "quay.io",
    repository: "contoso/hello",
    login: tokens("https://quay.io/v2/auth"),
    statuses: { putManifest: 202 },
    link: (address) => `<${address}>; rel="next"`,
    deviations: [{ what: "answers PUT of a manifest with 202", source: "https://github.com/containers/image/pull/382" }]
  },
  {
    name: "Nexus",
    host: "nexus.example.com",
    repository: "hello",
    login: { _tag: "Password" },
    deviations: [
      {
        what: "sends no `Link` from a group of repositories",
        source: "https://github.com/sonatype/nexus-public/issues/117"
      }
    ]
  },
  {
    name: "GitLab",
    host: "registry.gitlab.com",
    repository: "contoso/hello",
    login: tokens("https://gitlab.com/jwt/auth"),
    statuses: { delete: 200 },
    link: (address) => `<${address}>; rel="next"`,
    deviations: [
      { what: "answers deletes with another status", source: "https://github.com/werf/werf/pull/2603" },
      {
        what: "has its token service on another host",
        source: "https://docs.gitlab.com/administration/packages/container_registry/"
      }
    ]
  },
  {
    name: "Docker Hub",
    host: "registry-1.docker.io",
    repository: "hello",
    login: tokens("https://auth.docker.io/token", (token) => ({ token, access_token: token, expires_in: 300 })),
    storage: "production.cloudflare.docker.com",
    deleteRefusedWith: 405,
    link: (address) => `<${address}>; rel="next"`,
    deviations: [
      {
        what: "has its token service on another host, and short names in `library/`",
        source: "https://github.com/distribution/distribution/issues/1203"
      }
    ]
  },
  {
    name: "registry.k8s.io",
    host: "registry.k8s.io",
    repository: "pause",
    login: { _tag: "Open" },
    mirror: "europe-west4-docker.pkg.dev",
    isReadOnly: true,
    deviations: [
      {
        what: "redirects manifests and lists of tags to mirrors, and drops the query",
        source: "https://github.com/kubernetes/registry.k8s.io/issues/326"
      }
    ]
  },
  {
    name: "Pulp",
    host: "pulp.example.com",
    repository: "hello",
    login: { _tag: "Password" },
    statuses: { patch: 204 },
    deviations: [{ what: "answers PATCH with 204", source: "https://github.com/pulp/pulp_container/issues/2199" }]
  },
  {
    name: "distribution, deletes disabled",
    host: "registry.example.com",
    repository: "hello",
    login: { _tag: "Open" },
    deleteRefusedWith: 405,
    link: (address) => `<${address}>; rel="next"`,
    deviations: [
      {
        what: "refuses deletes with 405 and `UNSUPPORTED`, unless they are enabled",
        source: "https://github.com/regclient/regclient/issues/819"
      }
    ]
  }
]
