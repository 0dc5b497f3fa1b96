// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
)

// Mirror returns a handler that serves, at /index.yaml, what hack/controlplane/ensure reads to
// learn what can be downloaded: one release, such as v1.37.1, for this platform, with
// kube-apiserver, etcd and kubectl of a folder.
func Mirror(release, folder string) (http.Handler, error) {
	var archive bytes.Buffer
	zipped, err := gzip.NewWriterLevel(&archive, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	files := tar.NewWriter(zipped)
	for _, binary := range []string{apiServerName, etcdName, kubectlName} {
		content, err := os.ReadFile(filepath.Join(folder, binary))
		if err != nil {
			return nil, fmt.Errorf("mirror: %w", err)
		}
		header := &tar.Header{Name: "controller-tools/envtest/" + binary, Mode: 0o755, Size: int64(len(content))}
		if err := files.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("mirror: %w", err)
		}
		if _, err := files.Write(content); err != nil {
			return nil, fmt.Errorf("mirror: %w", err)
		}
	}
	if err := files.Close(); err != nil {
		return nil, fmt.Errorf("mirror: %w", err)
	}
	if err := zipped.Close(); err != nil {
		return nil, fmt.Errorf("mirror: %w", err)
	}
	name := fmt.Sprintf("envtest-%s-%s-%s.tar.gz", release, runtime.GOOS, runtime.GOARCH)
	hash := sha512.Sum512(archive.Bytes())
	mux := http.NewServeMux()
	mux.HandleFunc("/"+name, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(archive.Bytes()) })
	mux.HandleFunc("/index.yaml", func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "releases:\n  %s:\n    %s:\n      hash: %x\n      selfLink: http://%s/%s\n",
			release, name, hash, r.Host, name)
	})
	return mux, nil
}
