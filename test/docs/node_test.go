// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// nodeName is the node whose kubelet a scene plays.
const nodeName = "stage"

// node plays the kubelet of a node on which the manager runs as a pod: it has the manager's log,
// and leads to the manager's probes. Kubernetes reads both through the API server.
type node struct {
	mu    sync.Mutex
	log   string // path of the manager's log
	probe string // address of its probes, whatever the port is called within the pod
}

// set says which manager the node's pods are.
func (n *node) set(log, probe string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log, n.probe = log, probe
}

func (n *node) get() (log, probe string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.log, n.probe
}

// start serves the kubelet's API and returns its port.
func (n *node) start(t *testing.T) (port string) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", n.logs)
	mux.HandleFunc("POST /portForward/{namespace}/{pod}", n.forward)
	server := httptest.NewTLSServer(mux)
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return address.Port()
}

// logs answers with the last lines of the log.
func (n *node) logs(w http.ResponseWriter, r *http.Request) {
	path, _ := n.get()
	text, err := os.ReadFile(path)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	lines := strings.SplitAfter(string(text), "\n")
	if last, err := strconv.Atoi(r.URL.Query().Get("tailLines")); err == nil && last >= 0 && last < len(lines) {
		lines = lines[len(lines)-last:]
	}
	_, _ = io.WriteString(w, strings.Join(lines, ""))
}

// forward connects each pair of streams, one for data and one for errors, to the probes.
func (n *node) forward(w http.ResponseWriter, r *http.Request) {
	if _, err := httpstream.Handshake(r, w, []string{"portforward.k8s.io"}); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var mu sync.Mutex
	complaints := map[string]httpstream.Stream{}
	connection := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(stream httpstream.Stream, _ <-chan struct{}) error {
		mu.Lock()
		defer mu.Unlock()
		request := stream.Headers().Get(corev1.PortForwardRequestIDHeader)
		if stream.Headers().Get(corev1.StreamType) == corev1.StreamTypeError {
			complaints[request] = stream
			return nil
		}
		go n.connect(stream, complaints[request])
		return nil
	})
	if connection != nil {
		<-connection.CloseChan()
	}
}

// connect carries data between a stream and the probes. complaint tells the client what fails.
func (n *node) connect(stream, complaint httpstream.Stream) {
	defer stream.Close()
	defer complaint.Close()
	_, address := n.get()
	target, err := net.Dial("tcp", address)
	if err != nil {
		fmt.Fprint(complaint, err)
		return
	}
	defer target.Close()
	go func() {
		_, _ = io.Copy(target, stream)
		_ = target.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(stream, target)
}
