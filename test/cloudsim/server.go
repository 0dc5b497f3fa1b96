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
	AdminURL   string // of the admin interface
	ForeignURL string // of the origin where a client must not go, see Sim.ForeignCalls

	servers []*http.Server
	done    sync.WaitGroup
}

// Start serves the cloud and its admin interface on two free loopback ports, and on a
// third one the foreign origin that some faults lead to. The caller closes the Server.
func (s *Sim) Start() (*Server, error) { return s.StartOn("127.0.0.1:0", "127.0.0.1:0") }

// StartOn serves the cloud on addr and the admin interface on adminAddr, both
// host:port; the foreign origin is on a free loopback port. The error names the
// address that cannot be listened on; nothing is left listening then.
func (s *Sim) StartOn(addr, adminAddr string) (*Server, error) {
	cloud, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listening for the cloud on %s: %w", addr, err)
	}
	admin, err := net.Listen("tcp", adminAddr)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listening for the admin interface on %s: %w", adminAddr, err), cloud.Close())
	}
	foreign, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listening for the foreign origin: %w", err), cloud.Close(), admin.Close())
	}
	srv := &Server{URL: reachable(cloud.Addr()), AdminURL: reachable(admin.Addr()), ForeignURL: reachable(foreign.Addr())}
	s.cloudURL.Store(&srv.URL)
	s.foreignURL.Store(&srv.ForeignURL)
	srv.serve(cloud, s.Handler())
	srv.serve(admin, s.AdminHandler())
	srv.serve(foreign, s.foreignHandler())
	return srv, nil
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
