// SPDX-License-Identifier: Apache-2.0

// Command image builds the manager's image with ko, without a container engine: an OCI
// image layout for linux/amd64 and linux/arm64, with an SBOM for each.
//
//	go run . -source ../.. -version v0.1.0 -output ../../dist/image -sbom ../../dist/sbom
//
// It prints the digest. The same source, version and Go give the same digest, whenever and
// wherever it is built.
//
// For tests in a cluster it writes an archive instead, of this machine's architecture alone and
// of any command of the module, for `kind load image-archive` or `ctr images import`:
//
//	go run . -source ../.. -version v0.1.0 -command test/cluster/probe -archive probe.tar -name localhost/probe:e2e
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/ko/pkg/build"
)

const (
	importPath = "github.com/ccloud-dev/inventory-operator"
	// nonroot is the user "nonroot" of distroless images. It is a number, so that the kubelet can
	// check runAsNonRoot.
	nonroot = "65532:65532"
)

func main() {
	var o options
	flag.StringVar(&o.source, "source", ".", "Folder of the operator's module.")
	flag.StringVar(&o.version, "version", "", "What the manager names itself by.")
	flag.StringVar(&o.output, "output", "", "Folder for the image layout; what is there goes.")
	flag.StringVar(&o.goflags, "goflags", "", "Flags of go build: those of hack/goflags.")
	flag.StringVar(&o.push, "push", "", "Where to push it as well, such as registry.example.com/operator:v0.1.0.")
	flag.StringVar(&o.digest, "digest", "", "The digest that the image must have, else it is not pushed.")
	flag.StringVar(&o.sbom, "sbom", "", "Folder for the SBOMs.")
	flag.StringVar(&o.command, "command", "", "Folder of the command in the module; the manager's if empty.")
	flag.StringVar(&o.platforms, "architectures", "amd64,arm64", "Architectures to build for.")
	flag.StringVar(&o.archive, "archive", "", "Write this archive instead of a layout and SBOMs.")
	flag.StringVar(&o.name, "name", "", "Name of the image in the archive, such as localhost/probe:e2e.")
	flag.Func("created", "The image's time, in seconds since 1970: that of the commit.", func(text string) error {
		var seconds int64
		_, err := fmt.Sscan(text, &seconds)
		o.created = v1.Time{Time: time.Unix(seconds, 0).UTC()}
		return err
	})
	verbose := flag.Bool("v", false, "Say what ko does.")
	flag.Parse()
	if !*verbose {
		log.SetOutput(io.Discard)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	digest, err := o.build(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
	fmt.Println(digest)
}

type options struct {
	source, version, output, sbom, push, goflags string
	command, archive, name, digest               string
	platforms                                    string
	created                                      v1.Time
}

// architectures are those to build for.
func (o options) architectures() []string {
	if o.archive != "" {
		return []string{runtime.GOARCH}
	}
	return strings.Split(o.platforms, ",")
}

// check says which flag is lacking.
func (o options) check() error {
	switch {
	case o.version == "":
		return errors.New("-version is needed")
	case o.archive == "" && (o.output == "" || o.sbom == ""):
		return errors.New("-output and -sbom are needed, or -archive")
	case o.archive == "" && strings.Trim(o.platforms, ", ") != o.platforms || o.platforms == "":
		return errors.New("-architectures is a list such as amd64,arm64")
	case o.archive != "" && o.name == "":
		return errors.New("-archive needs -name")
	}
	return nil
}

// build builds the image, writes it and returns its digest.
func (o options) build(ctx context.Context) (v1.Hash, error) {
	if err := o.check(); err != nil {
		return v1.Hash{}, err
	}
	source, err := filepath.Abs(o.source)
	if err != nil {
		return v1.Hash{}, err
	}
	base, err := nothing(o.architectures())
	if err != nil {
		return v1.Hash{}, err
	}
	var platforms []string
	for _, architecture := range o.architectures() {
		platforms = append(platforms, "linux/"+architecture)
	}
	target := path.Join(importPath, o.command)
	settings := []build.Option{
		build.WithBaseImages(func(context.Context, string) (name.Reference, build.Result, error) {
			reference, err := name.ParseReference("scratch")
			return reference, base, err
		}),
		build.WithPlatforms(platforms...),
		build.WithConfig(map[string]build.Config{target: {
			Dir: source,
			// As in hack/build, but that a version control's state would make two builds differ.
			Flags:   append(strings.Fields(o.goflags), "-buildvcs=false"),
			Ldflags: build.StringArray{"-s", "-w", "-X main.version=" + o.version},
			Env:     []string{"CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off"},
		}}),
		build.WithTrimpath(true),
		build.WithCreationTime(o.created),
		build.WithLabel("org.opencontainers.image.source", "https://"+importPath),
		build.WithLabel("org.opencontainers.image.version", o.version),
		build.WithLabel("org.opencontainers.image.licenses", "Apache-2.0"),
		build.WithJobs(1),
	}
	if o.archive == "" {
		settings = append(settings, build.WithSPDX(strings.TrimPrefix(o.version, "v")), build.WithSBOMDir(o.sbom))
	} else {
		settings = append(settings, build.WithDisabledSBOM())
	}
	builder, err := build.NewGo(ctx, source, settings...)
	if err != nil {
		return v1.Hash{}, err
	}
	built, err := builder.Build(ctx, build.StrictScheme+target)
	if err != nil {
		return v1.Hash{}, err
	}
	if o.archive != "" {
		return o.writeArchive(built)
	}
	if err := os.RemoveAll(o.output); err != nil {
		return v1.Hash{}, err
	}
	index, err := indexOf(built)
	if err != nil {
		return v1.Hash{}, err
	}
	if _, err := layout.Write(o.output, mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: index})); err != nil {
		return v1.Hash{}, err
	}
	return o.publish(ctx, index)
}

// indexOf returns the index of what was built: ko builds an image alone for one architecture.
func indexOf(built build.Result) (v1.ImageIndex, error) {
	switch built := built.(type) {
	case v1.ImageIndex:
		return built, nil
	case v1.Image:
		config, err := built.ConfigFile()
		if err != nil {
			return nil, err
		}
		return mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), mutate.IndexAddendum{Add: built, Descriptor: v1.Descriptor{
			Platform: &v1.Platform{OS: config.OS, Architecture: config.Architecture},
		}}), nil
	default:
		return nil, fmt.Errorf("ko built a %T, neither an image nor an index", built)
	}
}

// publish pushes an image, if that is asked for and it has the digest it must have, and returns
// its digest.
func (o options) publish(ctx context.Context, index v1.ImageIndex) (v1.Hash, error) {
	digest, err := index.Digest()
	switch {
	case err != nil:
		return v1.Hash{}, err
	case o.digest != "" && o.digest != digest.String():
		return v1.Hash{}, fmt.Errorf("-digest: the image has %s, must have %s; nothing is pushed", digest, o.digest)
	case o.push == "":
		return digest, nil
	}
	if err := push(ctx, index, o.push); err != nil {
		return v1.Hash{}, fmt.Errorf("-push: %w", err)
	}
	return digest, nil
}

// writeArchive writes the one image that was built.
func (o options) writeArchive(built build.Result) (v1.Hash, error) {
	reference, err := name.NewTag(o.name)
	if err != nil {
		return v1.Hash{}, fmt.Errorf("-name: %w", err)
	}
	image, ok := built.(v1.Image)
	if !ok {
		return v1.Hash{}, fmt.Errorf("ko built a %T, not an image", built)
	}
	if err := tarball.WriteToFile(o.archive, reference, image); err != nil {
		return v1.Hash{}, err
	}
	return image.Digest()
}

// push writes the image to a registry, with the credentials that docker login left.
func push(ctx context.Context, index v1.ImageIndex, to string) error {
	reference, err := name.ParseReference(to)
	if err != nil {
		return err
	}
	return remote.WriteIndex(reference, index, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain))
}

// nothing is the base: the binary is static and brings the certificate authorities it falls
// back to, so that nothing of a distribution is in the image.
func nothing(architectures []string) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, architecture := range architectures {
		image, err := mutate.ConfigFile(mutate.MediaType(empty.Image, types.OCIManifestSchema1), &v1.ConfigFile{
			OS: "linux", Architecture: architecture,
			Config: v1.Config{User: nonroot},
			RootFS: v1.RootFS{Type: "layers"},
		})
		if err != nil {
			return nil, err
		}
		image = mutate.ConfigMediaType(image, types.OCIConfigJSON)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{
			Platform: &v1.Platform{OS: "linux", Architecture: architecture},
		}})
	}
	return index, nil
}
