package cloudsim_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// maxBody is the largest number of bytes that the lister reads of one body.
const maxBody = 4 << 20

// lister is a very simple client for checking the verdicts of faults. It accepts what a client may
// accept, refuses what a client must refuse, and never retries.
type lister struct {
	t       *testing.T
	server  *cloudsim.Server
	key     string
	timeout time.Duration
	answers []answer // one for each request; the body may be cut
}

// get sends one request on a new connection, so that net/http does not send the request again.
func (l *lister) get(target string) (answer, error) {
	l.t.Helper()
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       l.timeout,
	}
	r, err := http.NewRequestWithContext(l.t.Context(), http.MethodGet, target, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	r.SetBasicAuth(l.key, "SECRET")
	resp, err := client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	a := answer{resp.StatusCode, resp.Header, string(body)}
	if err == nil && len(body) > maxBody {
		err = errors.New("the body is too long")
	}
	return a, err
}

// list returns the IDs of a whole listing, sorted and each once. If there is an error, the listing
// must not be used.
func (l *lister) list(path string) ([]string, error) {
	ids, tokens, total, token := map[string]bool{}, map[string]bool{}, 0, ""
	for range 50 {
		query := url.Values{"environment": {env}, "page_size": {"10"}}
		if token != "" {
			query.Set("page_token", token)
		}
		a, err := l.get(l.server.URL + path + "?" + query.Encode())
		if a.status == http.StatusTemporaryRedirect && a.header.Get("Location")[0] == '/' {
			a, err = l.get(l.server.URL + a.header.Get("Location"))
		}
		l.answers = append(l.answers, a)
		if err != nil {
			return nil, err
		}
		next, size, err := l.read(a, path, ids)
		if err != nil {
			return nil, err
		}
		if size > 0 {
			total = size
		}
		if next == "" {
			if len(ids) < total {
				return nil, fmt.Errorf("%d items of %d", len(ids), total)
			}
			found := []string{}
			for id := range ids {
				found = append(found, id)
			}
			slices.Sort(found)
			return found, nil
		}
		if token = next; tokens[token] {
			return nil, errors.New("a token came twice")
		}
		tokens[token] = true
	}
	return nil, errors.New("too many pages")
}

// read adds the IDs of one page to ids.
func (l *lister) read(a answer, path string, ids map[string]bool) (token string, total int, err error) {
	media, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	if a.status != http.StatusOK || media != "application/json" {
		return "", 0, fmt.Errorf("%d %s", a.status, media)
	}
	var p struct {
		Kind     string
		Metadata struct {
			Next  string
			Total int `json:"total_size"`
		}
		Data *json.RawMessage
	}
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		return "", 0, err
	}
	kind := map[string]string{clustersPath: "ClusterList", peeringsPath: "PeeringList"}[path]
	if p.Kind != kind {
		return "", 0, fmt.Errorf("the kind is %q", p.Kind)
	}
	if p.Data == nil && !hasNullData(a.body) {
		return "", 0, errors.New("there is no data")
	}
	var items []*struct {
		ID       string
		Status   struct{ Phase string }
		Metadata map[string]any
	}
	if p.Data != nil {
		if err := json.Unmarshal(*p.Data, &items); err != nil {
			return "", 0, err
		}
	}
	for _, item := range items {
		if item == nil || item.ID == "" || utf8.RuneCountInString(item.ID) > 255 {
			return "", 0, errors.New("an item without a good ID")
		}
		ids[item.ID] = true
	}
	if p.Metadata.Next == "" {
		return "", p.Metadata.Total, nil
	}
	next, err := url.Parse(p.Metadata.Next)
	if err != nil || next.Query().Get("page_token") == "" {
		return "", 0, fmt.Errorf("next is %q", p.Metadata.Next)
	}
	return next.Query().Get("page_token"), p.Metadata.Total, nil
}

func hasNullData(body string) bool {
	var members map[string]json.RawMessage
	_ = json.Unmarshal([]byte(body), &members)
	return string(members["data"]) == "null"
}
