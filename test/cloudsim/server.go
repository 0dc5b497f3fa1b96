package cloudsim

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Server is a simulated cloud that listens.
type Server struct {
	URL        string // of the cloud, as in http://127.0.0.1:40001
	ForeignURL string // of the origin where a client must not go, see Sim.ForeignCalls

	servers []*http.Server
	done    sync.WaitGroup
}

// Start serves the cloud on a free loopback port, and on another one the foreign origin
// that some faults lead to. The caller closes the Server.
func (s *Sim) Start() (*Server, error) { return s.StartOn("127.0.0.1:0") }

// StartOn serves the cloud on addr, as host:port, and the foreign origin on a free
// loopback port. The error names the address that cannot be listened on; nothing is
// left listening then.
func (s *Sim) StartOn(addr string) (*Server, error) {
	cloud, err := listen("the cloud", addr)
	if err != nil {
		return nil, err
	}
	foreign, err := listen("the foreign origin", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, cloud.Close())
	}
	srv := &Server{URL: reachable(cloud.Addr()), ForeignURL: reachable(foreign.Addr())}
	s.foreignURL.Store(&srv.ForeignURL)
	srv.serve(cloud, s.Handler())
	srv.serve(foreign, s.foreignHandler())
	return srv, nil
}

// Serve serves h too, until Close, on addr, as host:port, and returns its URL. name is
// what an error calls it.
func (s *Server) Serve(name, addr string, h http.Handler) (string, error) {
	l, err := listen(name, addr)
	if err != nil {
		return "", err
	}
	s.serve(l, h)
	return reachable(l.Addr()), nil
}

func listen(name, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listening for %s on %s: %w", name, addr, err)
	}
	return l, nil
}

func (s *Server) serve(l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	s.servers = append(s.servers, server)
	s.done.Go(func() {
		_ = server.Serve(l) // returns when Close is called, with an error that says so
	})
}

// Close stops listening and cuts the connections there are. It returns when all
// listeners have ended.
func (s *Server) Close() {
	for _, server := range s.servers {
		_ = server.Close() // the listener's own error, of no use to a caller who is done
	}
	s.done.Wait()
}

// reachable returns the URL under which this machine reaches a listener, also one
// that listens on every address.
func reachable(a net.Addr) string {
	if tcp, ok := a.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("http://127.0.0.1:%d", tcp.Port)
	}
	return "http://" + a.String()
}
