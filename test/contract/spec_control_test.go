// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// That an answer conforms says something only if one that does not is found out.
func TestAnAnswerThatBreaksTheSpecificationIsFoundOut(t *testing.T) {
	replace := func(old, with string) func(*answer) {
		return func(a *answer) {
			changed := bytes.Replace(a.body, []byte(old), []byte(with), 1)
			if bytes.Equal(changed, a.body) {
				t.Errorf("the page has no %s to replace", old)
			}
			a.body = changed
		}
	}
	header := func(name, value string) func(*answer) {
		return func(a *answer) { a.header.Set(name, value) }
	}
	tests := map[string]map[string]func(*answer){
		clustersPath: {
			"kind of the list":       replace(`"kind":"ClusterList"`, `"kind":"Clusters"`),
			"no kind":                replace(`"kind":"ClusterList",`, ``),
			"no data":                replace(`"data":`, `"items":`),
			"an item without id":     replace(`"id":"lkc-`, `"ID":"lkc-`),
			"unknown phase":          replace(`"phase":"PROVISIONED"`, `"phase":"READY"`),
			"unknown cloud":          replace(`"cloud":"AWS"`, `"cloud":"aws"`),
			"unknown type":           replace(`"kind":"Dedicated"`, `"kind":"Turbo"`),
			"unknown connection":     replace(`"connection_type":"P`, `"connection_type":"X`),
			"no cku":                 replace(`"cku":`, `"CKU":`),
			"cku of the wrong type":  replace(`"cku":`, `"cku":"2","was":`),
			"a link that is none":    replace(`"first":"http`, `"first":"/http`),
			"a date that is none":    replace(`"created_at":"20`, `"created_at":"on 20`),
			"null where there is no": replace(`"region":"`, `"region":null,"was":"`),
			"not JSON":               replace(`{`, ``),
			"status":                 func(a *answer) { a.status = http.StatusTeapot },
			"media type":             header("Content-Type", "text/html"),
			"a header's type":        header("X-RateLimit-Reset", "soon"),
			"a body for 429":         func(a *answer) { a.status = http.StatusTooManyRequests },
			"the other operation":    func(a *answer) { a.request.URL.Path = peeringsPath },
		},
		peeringsPath: {
			"kind of the list":      replace(`"kind":"PeeringList"`, `"kind":"Peerings"`),
			"unknown phase":         replace(`"phase":"READY"`, `"phase":"PROVISIONED"`),
			"unknown kind":          replace(`"kind":"AwsPeering"`, `"kind":"AlibabaPeering"`),
			"an account that is no": replace(`"account":"`, `"account":"x`),
			"a route that is none":  replace(`"routes":["10.`, `"routes":["ten.`),
			"no network":            replace(`"network":{`, `"net":{`),
		},
	}
	for path, breaks := range tests {
		for name, breach := range breaks {
			t.Run(path+" "+name, func(t *testing.T) {
				g := NewWithT(t)
				server := serve(t, newSim(cloudsim.Options{}, 12, 7).Handler())
				a := ask(t, server+path+"?environment="+environment+"&page_size=50", withKey)
				g.Expect(specs(t).checkAnswer(a)).To(Succeed())
				breach(&a)
				g.Expect(specs(t).checkAnswer(a)).NotTo(Succeed())
			})
		}
	}
}

func TestARequestThatBreaksTheSpecificationIsFoundOut(t *testing.T) {
	tests := map[string]string{
		"no environment":            "/cmk/v2/clusters?page_size=100",
		"two environments":          "/cmk/v2/clusters?environment=env-1&environment=env-2",
		"a page too large":          "/cmk/v2/clusters?environment=env-1&page_size=101",
		"a peering page too large":  "/networking/v1/peerings?environment=env-1&page_size=1001",
		"page_size of another type": "/cmk/v2/clusters?environment=env-1&page_size=many",
		"a parameter of peerings":   "/cmk/v2/clusters?environment=env-1&status.phase=READY",
		"another spelling":          "/networking/v1/peerings?environment=env-1&spec.displayName=a",
		"another path":              "/cmk/v2/cluster?environment=env-1",
		"a token too long":          "/cmk/v2/clusters?environment=env-1&page_token=" + string(bytes.Repeat([]byte("x"), 256)),
		"a query that is none":      "/cmk/v2/clusters?environment=env-1&spec.network=%zz",
	}
	request := func(target string) *http.Request {
		r := httptest.NewRequest(http.MethodGet, target, nil)
		r.Header.Set("Accept", "application/json")
		withKey(r)
		return r
	}
	p := specs(t)
	for name, target := range tests {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(p.checkRequest(request(target))).NotTo(Succeed())
		})
	}
	const good = "/cmk/v2/clusters?environment=env-1&spec.network=n-1&spec.network=n-2&page_size=100"
	changes := map[string]func(*http.Request){
		"no key":      func(r *http.Request) { r.Header.Del("Authorization") },
		"no secret":   func(r *http.Request) { r.SetBasicAuth(credential.Key, "") },
		"bearer":      func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") },
		"no Accept":   func(r *http.Request) { r.Header.Del("Accept") },
		"another one": func(r *http.Request) { r.Header.Set("Accept", "text/html") },
		"method":      func(r *http.Request) { r.Method = http.MethodPost },
		"a body":      func(r *http.Request) { r.ContentLength = 2 },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			r := request(good)
			g.Expect(p.checkRequest(r)).To(Succeed())
			change(r)
			g.Expect(p.checkRequest(r)).NotTo(Succeed())
		})
	}
}
