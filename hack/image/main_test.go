// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// A registry that got an image keeps it: the digest is compared before anything is sent.
func TestAnImageOfAnotherDigestIsNotPushed(t *testing.T) {
	server := httptest.NewServer(registry.New())
	defer server.Close()
	to := strings.TrimPrefix(server.URL, "http://") + "/operator:v0.1.0"
	reference, err := name.ParseReference(to)
	if err != nil {
		t.Fatal(err)
	}
	index, err := random.Index(16, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}

	other := "sha256:" + strings.Repeat("0", 64)
	if _, err := (options{push: to, digest: other}).publish(t.Context(), index); err == nil || !strings.Contains(err.Error(), "nothing is pushed") {
		t.Errorf("an image of another digest: %v", err)
	}
	if _, err := remote.Head(reference); err == nil {
		t.Error("the registry has it all the same")
	}

	if got, err := (options{push: to, digest: digest.String()}).publish(t.Context(), index); err != nil || got != digest {
		t.Errorf("the image itself: %v, %v", got, err)
	}
	if got, err := remote.Head(reference); err != nil || got.Digest != digest {
		t.Errorf("the registry has %v, %v", got, err)
	}
}

// An image of one architecture is pushed as one of several is: its platform can be read.
func TestAnImageOfOneArchitectureIsInAnIndex(t *testing.T) {
	base, err := nothing([]string{"arm64"})
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := base.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	image, err := base.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	index, err := indexOf(image)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err = index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) != 1 || manifest.Manifests[0].Platform.String() != "linux/arm64" {
		t.Errorf("the index has %v", manifest.Manifests)
	}
	for _, list := range []string{"", ",", "amd64,", " "} {
		if err := (options{version: "v1", output: "a", sbom: "b", platforms: list}).check(); err == nil {
			t.Errorf("-architectures %q is taken", list)
		}
	}
}
