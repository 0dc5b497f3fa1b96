package cloudsim

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"unicode/utf8"
)

const (
	defaultPageSize    = 10
	maxPageTokenLength = 255
)

// query is what a list request asks for.
type query struct {
	values      url.Values // as they were given, for the links
	environment string
	filter      filter
	pageSize    int
	scope       scope
	cursor      uint64
	round       uint64 // in an endless listing, from 1; 0 in other listings
}

// parseQuery reads the parameters of a list request. It is as strict as the contract allows, so
// that a mistake of the client shows. The answer is 400 if a parameter does not exist in the
// operation, is given more often than allowed, or has no value.
func (s *Sim) parseQuery(raw string, k *kind) (query, *failure) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return query{}, badParameter("", "the query string cannot be read: %v", err)
	}
	q := query{values: values, filter: filter{values: make([][]string, len(k.filters))}, pageSize: defaultPageSize}
	for name, given := range values {
		if f := checkParameter(name, given, k); f != nil {
			return query{}, f
		}
	}
	if q.environment = values.Get("environment"); q.environment == "" && !k.organizationWide {
		return query{}, badParameter("environment", "environment is required: give the ID of the environment to list")
	}
	for i, name := range k.filters {
		wanted := slices.Clone(values[name])
		slices.Sort(wanted)
		q.filter.values[i] = slices.Compact(wanted)
	}
	if values.Has("page_size") {
		q.pageSize, err = strconv.Atoi(values.Get("page_size"))
		if err != nil || q.pageSize < 1 || q.pageSize > k.maxPageSize {
			return query{}, badParameter("page_size", "page_size must be an integer from 1 to %d, not %q",
				k.maxPageSize, values.Get("page_size"))
		}
	}
	q.scope = newScope(k.op, q.environment, q.filter, "")
	if values.Has("page_token") {
		token := values.Get("page_token")
		if utf8.RuneCountInString(token) > maxPageTokenLength {
			return query{}, badParameter("page_token", "page_token is longer than %d characters", maxPageTokenLength)
		}
		if !s.resume(&q, k, token) {
			return query{}, badParameter("page_token",
				"page_token is not one of this listing: it is unknown, or of another operation, environment or filter")
		}
	}
	return q, nil
}

// resume sets q to continue at token. token belongs to the listing itself, or to the partial or
// endless listing that a fault has made of it.
func (s *Sim) resume(q *query, k *kind, token string) bool {
	if cursor, ok := s.tokens.open(token, q.scope); ok {
		q.cursor = cursor
		return true
	}
	if part := s.partOf(*q, k); part.opened(s.tokens, token) {
		*q = part
		return true
	}
	endless := s.endlessOf(*q, k)
	if !endless.opened(s.tokens, token) {
		return false
	}
	// All pages of an endless listing are its first page. The cursor only counts them.
	endless.cursor, endless.round = 0, endless.cursor
	*q = endless
	return true
}

func (q *query) opened(tokens tokenSealer, token string) (ok bool) {
	q.cursor, ok = tokens.open(token, q.scope)
	return ok
}

// partOf returns a query that shows only a part of what q shows. Its tokens are not those of q, and
// are valid until the next ClearFaults.
func (s *Sim) partOf(q query, k *kind) query {
	fault := fmt.Sprintf("part %d", s.faults.generation.Load())
	q.scope = newScope(k.op, q.environment, q.filter, fault)
	q.filter.view = max(q.filter.view, ViewPart)
	return q
}

// endlessOf returns a query whose listing has no end. Its tokens are like those of partOf.
func (s *Sim) endlessOf(q query, k *kind) query {
	q.scope = newScope(k.op, q.environment, q.filter, fmt.Sprintf("endless %d", s.faults.generation.Load()))
	return q
}

// parameters returns the parameters that may be given only once.
func (k *kind) parameters() []string {
	if k.organizationWide {
		return []string{"page_size", "page_token"}
	}
	return []string{"environment", "page_size", "page_token"}
}

func checkParameter(name string, given []string, k *kind) *failure {
	repeatable := slices.Contains(k.filters, name)
	switch {
	case !repeatable && !slices.Contains(k.parameters(), name):
		return badParameter(name, "%s has no parameter %q", k.op, name)
	case !repeatable && len(given) > 1:
		return badParameter(name, "%s was given %d times, it may be given once", name, len(given))
	case slices.Contains(given, ""):
		return badParameter(name, "%s was given without a value: leave it out or give it one", name)
	}
	return nil
}
