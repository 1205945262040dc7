// All operations of Azure's client for Go against one registry. It prints what each of them returned, as JSON.
//
// Environment: REGISTRY_ENDPOINT, ENTRA_TOKEN, and SSL_CERT_FILE for the certificate to trust.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	acr "github.com/Azure/azure-sdk-for-go/sdk/containers/azcontainerregistry"
)

const (
	repository = "clients/go"
	chunkSize  = 4 * 1024 * 1024
	largeSize  = 9*1024*1024 + 1
	missing    = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
)

var ctx = context.Background()

// token is a credential whose token is known already.
type token string

func (t token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(t), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// results is what is printed, in the order in which it was found out.
var results = map[string]any{}

func note(name string, value any) { results[name] = value }

func must[A any](value A, err error) A {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

// codeOf reads the code of the body, which the client leaves to its caller.
func codeOf(refused *azcore.ResponseError) string {
	var body struct{ Errors []struct{ Code string } }
	payload, err := runtime.Payload(refused.RawResponse)
	if err != nil || json.Unmarshal(payload, &body) != nil || len(body.Errors) == 0 {
		return ""
	}
	return body.Errors[0].Code
}

// statusOf is the status and the code with which the registry refused: `405 UNSUPPORTED`.
func statusOf[A any](_ A, err error) string {
	var refused *azcore.ResponseError
	switch {
	case err == nil:
		return "no error"
	case errors.As(err, &refused):
		return strings.TrimSpace(fmt.Sprintf("%d %s", refused.StatusCode, codeOf(refused)))
	default:
		return err.Error()
	}
}

func digestOf(content []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(content)) }

func read(body io.ReadCloser) []byte {
	defer body.Close()
	return must(io.ReadAll(body))
}

// pages lists the names of each page.
func pages[A any](pager *runtime.Pager[A], namesOf func(A) []string) [][]string {
	all := [][]string{}
	for pager.More() {
		page := must(pager.NextPage(ctx))
		all = append(all, namesOf(page))
	}
	return all
}

func texts[A ~string](values []*A) []string {
	all := []string{}
	for _, value := range values {
		all = append(all, string(*value))
	}
	return all
}

// upload pushes a blob in chunks, and returns its digest.
func upload(blobs *acr.BlobClient, name string, content []byte) string {
	location := must(blobs.StartUpload(ctx, name, nil)).Location
	calculator := acr.NewBlobDigestCalculator()
	for start := 0; start == 0 || start < len(content); start += chunkSize {
		end := min(start+chunkSize, len(content))
		chunk := must(blobs.UploadChunk(ctx, *location, bytes.NewReader(content[start:end]), calculator,
			&acr.BlobClientUploadChunkOptions{RangeStart: to.Ptr(int32(start)), RangeEnd: to.Ptr(int32(end - 1))}))
		location = chunk.Location
	}
	return *must(blobs.CompleteUpload(ctx, *location, calculator, nil)).DockerContentDigest
}

func manifestOf(config, layer []byte, note string) []byte {
	descriptor := func(mediaType string, content []byte) map[string]any {
		return map[string]any{"mediaType": mediaType, "digest": digestOf(content), "size": len(content)}
	}
	return must(json.Marshal(map[string]any{
		"schemaVersion": 2,
		"mediaType":     acr.ContentTypeApplicationVndOciImageManifestV1JSON,
		"config":        descriptor("application/vnd.oci.image.config.v1+json", config),
		"layers":        []any{descriptor("application/vnd.oci.image.layer.v1.tar", layer)},
		"annotations":   map[string]string{"note": note},
	}))
}

func blobOperations(blobs *acr.BlobClient, config, layer []byte) {
	note("upload", []string{upload(blobs, repository, config), upload(blobs, repository, layer)})

	large := make([]byte, largeSize)
	for index := range large {
		large[index] = byte(index % 251)
	}
	digest := upload(blobs, repository, large)
	note("upload in chunks", digest)
	note("check blob", *must(blobs.CheckBlobExists(ctx, repository, digest, nil)).ContentLength)
	note("check chunk", *must(blobs.CheckChunkExists(ctx, repository, digest, "bytes=0-299", nil)).ContentLength)
	note("download", digestOf(read(must(blobs.GetBlob(ctx, repository, digest, nil)).BlobData)))

	joined := []byte{}
	for start := 0; start < largeSize; start += chunkSize {
		chunk := must(blobs.GetChunk(ctx, repository, digest, fmt.Sprintf("bytes=%d-%d", start, start+chunkSize-1), nil))
		joined = append(joined, read(chunk.ChunkData)...)
	}
	note("download in chunks", digestOf(joined))
	last := must(blobs.GetChunk(ctx, repository, digest, fmt.Sprintf("bytes=%d-", largeSize-1), nil))
	note("last byte", *last.ContentRange)
	must(0, last.ChunkData.Close())

	mounted := must(blobs.MountBlob(ctx, repository+"/mounted", repository, digest, nil))
	note("mount", *mounted.DockerContentDigest)
	note("mounted", *must(blobs.CheckBlobExists(ctx, repository+"/mounted", digest, nil)).ContentLength)

	started := must(blobs.StartUpload(ctx, repository, nil))
	note("upload status", *must(blobs.GetUploadStatus(ctx, *started.Location, nil)).Range)
	must(blobs.CancelUpload(ctx, *started.Location, nil))
	note("status of a cancelled upload", statusOf(blobs.GetUploadStatus(ctx, *started.Location, nil)))

	must(blobs.DeleteBlob(ctx, repository, digest, nil))
	note("download of a deleted blob", statusOf(blobs.GetBlob(ctx, repository, digest, nil)))
	note("deletion of a missing blob", statusOf(blobs.DeleteBlob(ctx, repository, missing, nil)))
}

func putManifest(client *acr.Client, reference string, content []byte) string {
	pushed := must(client.UploadManifest(ctx, repository, reference, acr.ContentTypeApplicationVndOciImageManifestV1JSON,
		streaming.NopCloser(bytes.NewReader(content)), nil))
	return *pushed.DockerContentDigest
}

func getManifest(client *acr.Client, reference string) []byte {
	accept := to.Ptr(string(acr.ContentTypeApplicationVndOciImageManifestV1JSON))
	got := must(client.GetManifest(ctx, repository, reference, &acr.ClientGetManifestOptions{Accept: accept}))
	return read(got.ManifestData)
}

func manifestOperations(client *acr.Client, first, second []byte) {
	note("put manifests", []string{
		putManifest(client, "v1", first),
		putManifest(client, "v2", first),
		putManifest(client, digestOf(second), second),
		putManifest(client, "v3", second),
	})
	note("get manifest by tag", bytes.Equal(getManifest(client, "v1"), first))
	note("get manifest by digest", bytes.Equal(getManifest(client, digestOf(second)), second))
	note("a missing manifest", statusOf(client.GetManifest(ctx, repository, "none", nil)))
	note("a manifest of a missing repository", statusOf(client.GetManifest(ctx, "none", "none", nil)))
}

func lists(client *acr.Client) {
	repositories := func(page acr.ClientListRepositoriesResponse) []string { return texts(page.Names) }
	note("repositories", pages(client.NewListRepositoriesPager(nil), repositories))
	note("repositories by two", pages(client.NewListRepositoriesPager(&acr.ClientListRepositoriesOptions{MaxNum: to.Ptr(int32(2))}), repositories))

	tags := func(page acr.ClientListTagsResponse) []string {
		names := []string{}
		for _, tag := range page.Tags {
			names = append(names, *tag.Name)
		}
		return names
	}
	note("tags by two", pages(client.NewListTagsPager(repository, &acr.ClientListTagsOptions{MaxNum: to.Ptr(int32(2))}), tags))
	for name, order := range map[string]acr.ArtifactTagOrderBy{
		"tags, newest first": acr.ArtifactTagOrderByLastUpdatedOnDescending,
		"tags, oldest first": acr.ArtifactTagOrderByLastUpdatedOnAscending,
	} {
		note(name, pages(client.NewListTagsPager(repository, &acr.ClientListTagsOptions{MaxNum: to.Ptr(int32(1)), OrderBy: to.Ptr(order)}), tags))
	}

	manifests := func(page acr.ClientListManifestsResponse) []string {
		lines := []string{}
		for _, manifest := range page.Manifests.Attributes {
			lines = append(lines, strings.Join(append([]string{*manifest.Digest}, texts(manifest.Tags)...), " "))
		}
		return lines
	}
	for name, order := range map[string]acr.ArtifactManifestOrderBy{
		"manifests, newest first": acr.ArtifactManifestOrderByLastUpdatedOnDescending,
		"manifests, oldest first": acr.ArtifactManifestOrderByLastUpdatedOnAscending,
	} {
		note(name, pages(client.NewListManifestsPager(repository, &acr.ClientListManifestsOptions{MaxNum: to.Ptr(int32(1)), OrderBy: to.Ptr(order)}), manifests))
	}
	_, err := client.NewListTagsPager("none", nil).NextPage(ctx)
	note("tags of a missing repository", statusOf(0, err))
}

func properties(client *acr.Client, digest string) {
	repositoryProperties := must(client.GetRepositoryProperties(ctx, repository, nil))
	note("repository", map[string]any{
		"name":      *repositoryProperties.Name,
		"manifests": *repositoryProperties.ManifestCount,
		"tags":      *repositoryProperties.TagCount,
		"canDelete": *repositoryProperties.ChangeableAttributes.CanDelete,
	})
	manifest := must(client.GetManifestProperties(ctx, repository, digest, nil))
	note("manifest", map[string]any{
		"digest":    *manifest.Manifest.Digest,
		"mediaType": *manifest.Manifest.MediaType,
		"config":    *manifest.Manifest.ConfigMediaType,
		"size":      *manifest.Manifest.Size,
		"tags":      texts(manifest.Manifest.Tags),
		"canDelete": *manifest.Manifest.ChangeableAttributes.CanDelete,
	})
	tag := must(client.GetTagProperties(ctx, repository, "v1", nil))
	note("tag", map[string]any{
		"name":      *tag.Tag.Name,
		"digest":    *tag.Tag.Digest,
		"canDelete": *tag.Tag.ChangeableAttributes.CanDelete,
	})
	note("properties of a missing repository", statusOf(client.GetRepositoryProperties(ctx, "none", nil)))
	note("properties of a missing manifest", statusOf(client.GetManifestProperties(ctx, repository, missing, nil)))
	note("properties of a missing tag", statusOf(client.GetTagProperties(ctx, repository, "none", nil)))
}

func locks(client *acr.Client, digest string) {
	lock := func(canDelete bool) []bool {
		tag := must(client.UpdateTagProperties(ctx, repository, "v1", &acr.ClientUpdateTagPropertiesOptions{
			Value: &acr.TagWriteableProperties{CanDelete: to.Ptr(canDelete)}}))
		manifest := must(client.UpdateManifestProperties(ctx, repository, digest, &acr.ClientUpdateManifestPropertiesOptions{
			Value: &acr.ManifestWriteableProperties{CanDelete: to.Ptr(canDelete)}}))
		own := must(client.UpdateRepositoryProperties(ctx, repository, &acr.ClientUpdateRepositoryPropertiesOptions{
			Value: &acr.RepositoryWriteableProperties{CanDelete: to.Ptr(canDelete)}}))
		return []bool{
			*tag.Tag.ChangeableAttributes.CanDelete,
			*manifest.Manifest.ChangeableAttributes.CanDelete,
			*own.ChangeableAttributes.CanDelete,
		}
	}
	note("lock", lock(false))
	note("deletion of what is locked", []string{
		statusOf(client.DeleteTag(ctx, repository, "v1", nil)),
		statusOf(client.DeleteManifest(ctx, repository, digest, nil)),
		statusOf(client.DeleteRepository(ctx, repository, nil)),
	})
	note("unlock", lock(true))
}

func deletions(client *acr.Client, first, second []byte) {
	must(client.DeleteTag(ctx, repository, "v2", nil))
	note("a deleted tag", statusOf(client.GetTagProperties(ctx, repository, "v2", nil)))
	must(client.DeleteManifest(ctx, repository, digestOf(second), nil))
	note("a deleted manifest", statusOf(client.GetManifest(ctx, repository, digestOf(second), nil)))
	note("what is left", bytes.Equal(getManifest(client, "v1"), first))
	note("deletion of what is missing", []string{
		statusOf(client.DeleteTag(ctx, repository, "none", nil)),
		statusOf(client.DeleteManifest(ctx, repository, missing, nil)),
		statusOf(client.DeleteRepository(ctx, "none", nil)),
	})
	must(client.DeleteRepository(ctx, repository, nil))
	note("a deleted repository", statusOf(client.GetRepositoryProperties(ctx, repository, nil)))
}

func main() {
	endpoint := os.Getenv("REGISTRY_ENDPOINT")
	credential := token(os.Getenv("ENTRA_TOKEN"))
	options := azcore.ClientOptions{Retry: policy.RetryOptions{MaxRetries: -1}}
	client := must(acr.NewClient(endpoint, credential, &acr.ClientOptions{ClientOptions: options}))
	blobs := must(acr.NewBlobClient(endpoint, credential, &acr.BlobClientOptions{ClientOptions: options}))

	config, layer := []byte("{}"), []byte("a layer")
	first, second := manifestOf(config, layer, "first"), manifestOf(config, layer, "second")
	note("digests", []string{digestOf(first), digestOf(second)})
	blobOperations(blobs, config, layer)
	manifestOperations(client, first, second)
	lists(client)
	properties(client, digestOf(first))
	locks(client, digestOf(first))
	deletions(client, first, second)

	anonymous := must(acr.NewClient(endpoint, nil, &acr.ClientOptions{ClientOptions: options}))
	note("without a login", statusOf(anonymous.GetRepositoryProperties(ctx, "alpine", nil)))
	stranger := must(acr.NewClient(endpoint, token("not the token"), &acr.ClientOptions{ClientOptions: options}))
	note("with another token", statusOf(stranger.GetRepositoryProperties(ctx, "alpine", nil)))

	fmt.Println(string(must(json.Marshal(results))))
}
