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
	ForeignURL string // of the foreign origin, see Sim.ForeignCalls

	servers []*http.Server
	done    sync.WaitGroup
}

// Start serves the cloud on a free loopback port. On another port it serves the foreign origin, to
// which some faults lead. The caller must close the Server.
func (s *Sim) Start() (*Server, error) { return s.StartOn("127.0.0.1:0") }

// StartOn serves the cloud on addr, which has the form host:port, and the foreign origin on a free
// loopback port. If the error is not nil, it names the address on which StartOn cannot listen, and
// nothing is served.
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

// Serve also serves h on addr, until Close, and returns its URL. addr has the form host:port. name
// is the name of h in an error.
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
		_ = server.Serve(l) // returns an error when Close is called
	})
}

// Close stops listening and closes all connections. It returns when all listeners have ended.
func (s *Server) Close() {
	for _, server := range s.servers {
		_ = server.Close() // the caller cannot use the listener's error
	}
	s.done.Wait()
}

// reachable returns the URL of a listener for clients on this machine. The listener may listen on
// all addresses.
func reachable(a net.Addr) string {
	if tcp, ok := a.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("http://127.0.0.1:%d", tcp.Port)
	}
	return "http://" + a.String()
}
