"""All operations of Azure's client for Python against one registry. It prints what each of them returned, as JSON.

Environment: REGISTRY_ENDPOINT, ENTRA_TOKEN, and REQUESTS_CA_BUNDLE for the certificate to trust.
"""

import hashlib
import io
import json
import os
import time

from azure.containerregistry import (
    ArtifactManifestOrder,
    ArtifactTagOrder,
    ContainerRegistryClient,
)
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError

REPOSITORY = "clients/python"
LARGE_SIZE = 9 * 1024 * 1024 + 1
MISSING = "sha256:" + "0" * 64
IMAGE = "application/vnd.oci.image.manifest.v1+json"

results = {}


class Token:
    """A credential whose token is known already."""

    def __init__(self, token):
        self.token = token

    def get_token(self, *_scopes, **_options):
        return AccessToken(self.token, int(time.time()) + 3600)


def client_of(credential):
    return ContainerRegistryClient(os.environ["REGISTRY_ENDPOINT"], credential, retry_total=0)


def code_of(response):
    """Reads the code of the body, which the client leaves to its caller."""
    try:
        if hasattr(response, "read"):
            response.read()
        return json.loads(response.text())["errors"][0]["code"]
    except (ValueError, KeyError, IndexError, TypeError):
        return ""


def status_of(operation, *arguments):
    """The status and the code with which the registry refused: `405 UNSUPPORTED`."""
    try:
        operation(*arguments)
        return "no error"
    except HttpResponseError as error:
        return f"{error.status_code} {code_of(error.response)}".strip()


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def upload(client, content):
    return list(client.upload_blob(REPOSITORY, io.BytesIO(content)))


def download(client, digest):
    return b"".join(client.download_blob(REPOSITORY, digest))


def manifest_of(config, layer, note):
    def descriptor(media_type, content):
        return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}

    return {
        "schemaVersion": 2,
        "mediaType": IMAGE,
        "config": descriptor("application/vnd.oci.image.config.v1+json", config),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
        "annotations": {"note": note},
    }


def blob_operations(client, config, layer):
    results["upload"] = [upload(client, config)[0], upload(client, layer)[0]]
    large = bytes(index % 251 for index in range(LARGE_SIZE))
    digest, size = upload(client, large)
    results["upload in chunks"] = digest
    results["size of the upload"] = size
    results["download in chunks"] = digest_of(download(client, digest))
    client.delete_blob(REPOSITORY, digest)
    results["download of a deleted blob"] = status_of(client.download_blob, REPOSITORY, digest)
    results["deletion of a missing blob"] = status_of(client.delete_blob, REPOSITORY, MISSING)


def manifest_operations(client, first, second):
    results["put manifests"] = [
        client.set_manifest(REPOSITORY, first, tag="v1"),
        client.set_manifest(REPOSITORY, first, tag="v2"),
        client.set_manifest(REPOSITORY, second),
        client.set_manifest(REPOSITORY, second, tag="v3"),
    ]
    by_tag = client.get_manifest(REPOSITORY, "v1")
    by_digest = client.get_manifest(REPOSITORY, by_tag.digest)
    results["get manifest by tag"] = by_tag.manifest == first and by_tag.media_type == IMAGE
    results["get manifest by digest"] = by_digest.manifest == first
    results["a missing manifest"] = status_of(client.get_manifest, REPOSITORY, "none")
    results["a manifest of a missing repository"] = status_of(client.get_manifest, "none", "none")


def pages(items, name_of):
    return [[name_of(item) for item in page] for page in items.by_page()]


def lists(client):
    def name_of(tag):
        return tag.name

    def line_of(manifest):
        return " ".join([manifest.digest, *manifest.tags])

    results["repositories"] = pages(client.list_repository_names(), str)
    results["repositories by two"] = pages(client.list_repository_names(results_per_page=2), str)
    results["tags by two"] = pages(client.list_tag_properties(REPOSITORY, results_per_page=2), name_of)
    for name, order in {
        "tags, newest first": ArtifactTagOrder.LAST_UPDATED_ON_DESCENDING,
        "tags, oldest first": ArtifactTagOrder.LAST_UPDATED_ON_ASCENDING,
    }.items():
        tags = client.list_tag_properties(REPOSITORY, order_by=order, results_per_page=1)
        results[name] = pages(tags, name_of)
    for name, order in {
        "manifests, newest first": ArtifactManifestOrder.LAST_UPDATED_ON_DESCENDING,
        "manifests, oldest first": ArtifactManifestOrder.LAST_UPDATED_ON_ASCENDING,
    }.items():
        manifests = client.list_manifest_properties(REPOSITORY, order_by=order, results_per_page=1)
        results[name] = pages(manifests, line_of)
    results["tags of a missing repository"] = status_of(lambda: list(client.list_tag_properties("none")))


def properties(client, digest):
    repository = client.get_repository_properties(REPOSITORY)
    results["repository"] = {
        "name": repository.name,
        "manifests": repository.manifest_count,
        "tags": repository.tag_count,
        "canDelete": repository.can_delete,
    }
    manifest = client.get_manifest_properties(REPOSITORY, digest)
    results["manifest"] = {
        "digest": manifest.digest,
        "size": manifest.size_in_bytes,
        "tags": manifest.tags,
        "canDelete": manifest.can_delete,
    }
    results["manifest by tag"] = client.get_manifest_properties(REPOSITORY, "v2").digest
    tag = client.get_tag_properties(REPOSITORY, "v1")
    results["tag"] = {"name": tag.name, "digest": tag.digest, "canDelete": tag.can_delete}
    results["properties of a missing repository"] = status_of(client.get_repository_properties, "none")
    results["properties of a missing manifest"] = status_of(client.get_manifest_properties, REPOSITORY, MISSING)
    results["properties of a missing tag"] = status_of(client.get_tag_properties, REPOSITORY, "none")


def locks(client, digest):
    def lock(can_delete):
        return [
            client.update_tag_properties(REPOSITORY, "v1", can_delete=can_delete).can_delete,
            client.update_manifest_properties(REPOSITORY, digest, can_delete=can_delete).can_delete,
            client.update_repository_properties(REPOSITORY, can_delete=can_delete).can_delete,
        ]

    results["lock"] = lock(False)
    results["deletion of what is locked"] = [
        status_of(client.delete_tag, REPOSITORY, "v1"),
        status_of(client.delete_manifest, REPOSITORY, digest),
        status_of(client.delete_repository, REPOSITORY),
    ]
    results["unlock"] = lock(True)


def deletions(client, first, second_digest):
    client.delete_tag(REPOSITORY, "v2")
    results["a deleted tag"] = status_of(client.get_tag_properties, REPOSITORY, "v2")
    client.delete_manifest(REPOSITORY, "v3")
    results["a deleted manifest"] = status_of(client.get_manifest, REPOSITORY, second_digest)
    results["what is left"] = client.get_manifest(REPOSITORY, "v1").manifest == first
    results["deletion of what is missing"] = [
        status_of(client.delete_tag, REPOSITORY, "none"),
        status_of(client.delete_manifest, REPOSITORY, MISSING),
        status_of(client.delete_repository, "none"),
    ]
    client.delete_repository(REPOSITORY)
    results["a deleted repository"] = status_of(client.get_repository_properties, REPOSITORY)


def main():
    client = client_of(Token(os.environ["ENTRA_TOKEN"]))
    config, layer = b"{}", b"a layer"
    first, second = manifest_of(config, layer, "first"), manifest_of(config, layer, "second")
    # The client sends manifests in this form.
    first_digest, second_digest = (digest_of(json.dumps(manifest).encode()) for manifest in (first, second))
    results["digests"] = [first_digest, second_digest]
    blob_operations(client, config, layer)
    manifest_operations(client, first, second)
    lists(client)
    properties(client, first_digest)
    locks(client, first_digest)
    deletions(client, first, second_digest)
    results["without a login"] = status_of(client_of(None).get_repository_properties, "alpine")
    results["with another token"] = status_of(client_of(Token("not the token")).get_repository_properties, "alpine")
    print(json.dumps(results))


main()
