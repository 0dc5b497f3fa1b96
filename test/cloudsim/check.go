package cloudsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const maxIDLength = 255

// FieldError says which field of a document is wrong, and which value would be right.
type FieldError struct {
	Field   string // path, as in clusters[3].spec.config.kind
	Problem string
}

// Error implements error.
func (e *FieldError) Error() string { return e.Field + ": " + e.Problem }

// checks keeps the first violation of the contract in one object.
type checks struct{ err *FieldError }

func (c *checks) fail(field, format string, args ...any) {
	if c.err == nil {
		c.err = &FieldError{field, fmt.Sprintf(format, args...)}
	}
}

// outcome returns c.err. If c.err is nil, it returns a nil error, and not an error that holds a nil
// *FieldError.
func (c *checks) outcome() error {
	if c.err == nil {
		return nil
	}
	return c.err
}

func (c *checks) given(field, value string) {
	if value == "" {
		c.fail(field, "is required")
	}
}

func (c *checks) id(field, value string) {
	c.given(field, value)
	if utf8.RuneCountInString(value) > maxIDLength {
		c.fail(field, "is longer than %d characters", maxIDLength)
	}
}

func (c *checks) oneOf(field, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		c.fail(field, "is %q: use one of %s", value, strings.Join(allowed, ", "))
	}
}

// word checks api_version and kind. Both may be left out.
func (c *checks) word(field, value, only string) {
	if value != "" && value != only {
		c.fail(field, "is %q: leave it out or use %s", value, only)
	}
}

func (c *checks) notNegative(field string, value int32) {
	if value < 0 {
		c.fail(field, "is %d: use 1 or more, or leave it out", value)
	}
}

// checkInventory checks every object of the document against the contract.
func checkInventory(doc Inventory) error {
	for _, k := range kinds {
		for i, o := range k.in(&doc) {
			if err := at(k, i, o.check()); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkKey checks that the object has an ID and an environment, so that it can be found and listed.
func checkKey(o object) error {
	id, environment := o.key()
	var c checks
	c.id("id", id)
	if _, is := o.(*Environment); !is {
		c.id("spec.environment.id", environment)
	}
	return c.outcome()
}

// checkKeys calls checkKey for all objects of a kind. It also checks that their IDs are unique.
func checkKeys(k *kind, objects []object) error {
	places := make(map[string]int, len(objects))
	for i, o := range objects {
		if err := at(k, i, checkKey(o)); err != nil {
			return err
		}
		id, _ := o.key()
		if first, twice := places[id]; twice {
			return at(k, i, &FieldError{"id",
				fmt.Sprintf("%s is the ID of %s[%d] too: IDs must be unique", id, k.plural, first)})
		}
		places[id] = i
	}
	return nil
}

// at adds the place of an object in its document to the field of err, if err is a *FieldError.
func at(k *kind, i int, err error) error {
	var field *FieldError
	if errors.As(err, &field) {
		return &FieldError{fmt.Sprintf("%s[%d].%s", k.plural, i, field.Field), field.Problem}
	}
	return err
}

// ReadDocument reads exactly one JSON document into target, which is a pointer. A field that target
// does not have is an error. If the wrong field is known, the error is a *FieldError. Most errors
// name the line.
func ReadDocument(r io.Reader, target any) error {
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return errors.New("the document is empty: send JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(target); err != nil {
		return explain(err, body, dec.InputOffset())
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("line %d: there is more behind the JSON document", line(body, dec.InputOffset()))
	}
	return nil
}

// explain turns an error of the JSON decoder into one that the author of the document understands.
func explain(err error, body []byte, offset int64) error {
	var (
		syntax   *json.SyntaxError
		mismatch *json.UnmarshalTypeError
	)
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("line %d: not JSON: %w", line(body, syntax.Offset), err)
	case errors.As(err, &mismatch) && mismatch.Field != "":
		return &FieldError{mismatch.Field, fmt.Sprintf("line %d: is a %s, must be a %s",
			line(body, mismatch.Offset), mismatch.Value, mismatch.Type.Kind())}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("line %d: the document ends too early", line(body, int64(len(body))))
	}
	text := strings.TrimPrefix(err.Error(), "json: ")
	if quoted, ok := strings.CutPrefix(text, "unknown field "); ok {
		if name, unquoteErr := strconv.Unquote(quoted); unquoteErr == nil {
			return &FieldError{name, "there is no such field: see GET /inventory for those there are"}
		}
	}
	return fmt.Errorf("line %d: %s", line(body, offset), text)
}

// line returns the number of the line at this offset.
func line(body []byte, offset int64) int {
	return 1 + bytes.Count(body[:min(max(offset, 0), int64(len(body)))], []byte("\n"))
}
