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

// leaks knows every credential that was ever used, and finds a credential in a text.
type leaks struct {
	mu    sync.Mutex
	forms []form
	// read is how many bytes of each log were read.
	read map[string]int64
}

// form is a text in which a part of a credential may be written.
type form struct {
	name string
	text []byte
}

func newLeaks() *leaks { return &leaks{read: map[string]int64{}} }

// add adds the ID and the secret of a key to the search. leaks searches for both unchanged, and for
// the forms that they have in a URL, in JSON, in a Secret and in an Authorization header.
func (l *leaks) add(k cloudsim.Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	add := func(name, text string) { l.forms = append(l.forms, form{name, []byte(text)}) }
	quoted, _ := json.Marshal(k.Secret) // A text always has a JSON form.
	add("the ID of key "+k.ID, k.ID)
	add("the secret of key "+k.ID, k.Secret)
	add("the secret of key "+k.ID+" escaped for a query", url.QueryEscape(k.Secret))
	add("the secret of key "+k.ID+" escaped for a path", url.PathEscape(k.Secret))
	add("the secret of key "+k.ID+" as JSON", string(bytes.Trim(quoted, `"`)))
	add("the secret of key "+k.ID+" in Base64", base64.StdEncoding.EncodeToString([]byte(k.Secret)))
	add("the Authorization of key "+k.ID, base64.StdEncoding.EncodeToString([]byte(k.ID+":"+k.Secret)))
}

// find returns the name of the first credential in a text; "" if there is none.
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

// overlap is how many bytes of a log are read again, because the end of the log may have been
// incomplete.
const overlap = 1 << 10

// grown returns what was added to a file since the last call, and a short piece before it.
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
