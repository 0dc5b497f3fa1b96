// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"sync"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// leaks knows every credential there ever was and finds it in a text.
type leaks struct {
	mu    sync.Mutex
	forms []form
	// read is how far each log was read.
	read map[string]int64
}

// form is one way to write a part of a credential.
type form struct {
	name string
	text []byte
}

func newLeaks() *leaks { return &leaks{read: map[string]int64{}} }

// add has a key's ID and secret looked for from now on: as they are, and as they are
// written in a URL, in JSON, in a Secret and in an Authorization header.
func (l *leaks) add(k cloudsim.Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	add := func(name, text string) { l.forms = append(l.forms, form{name, []byte(text)}) }
	quoted, _ := json.Marshal(k.Secret) // A text always has JSON.
	add("the ID of key "+k.ID, k.ID)
	add("the secret of key "+k.ID, k.Secret)
	add("the secret of key "+k.ID+" escaped for a query", url.QueryEscape(k.Secret))
	add("the secret of key "+k.ID+" escaped for a path", url.PathEscape(k.Secret))
	add("the secret of key "+k.ID+" as JSON", string(bytes.Trim(quoted, `"`)))
	add("the secret of key "+k.ID+" in Base64", base64.StdEncoding.EncodeToString([]byte(k.Secret)))
	add("the Authorization of key "+k.ID, base64.StdEncoding.EncodeToString([]byte(k.ID+":"+k.Secret)))
}

// find names the first credential in a text, "" for none.
func (l *leaks) find(text []byte) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.forms {
		if bytes.Contains(text, f.text) {
			return f.name
		}
	}
	return ""
}

// overlap is how much of a log is read again, for what stood at the end half written.
const overlap = 1 << 10

// grown returns what was added to a file since the last call, and a little of what was
// before.
func (l *leaks) grown(path string) ([]byte, error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	from := l.read[path]
	text, err := io.ReadAll(io.NewSectionReader(file, max(0, from-overlap), 1<<40))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	l.read[path] = max(0, from-overlap) + int64(len(text))
	return text, nil
}
