// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// language is what Prometheus reads expressions with.
var language = parser.NewParser(parser.Options{})

// series are samples in memory, to query.
type series struct {
	byLabels map[string]*entry
	engine   *promql.Engine
}

type entry struct {
	labels  labels.Labels
	samples *chunkenc.XORChunk
	appends chunkenc.Appender
}

func newSeries() *series {
	return &series{byLabels: map[string]*entry{}, engine: promql.NewEngine(promql.EngineOpts{
		MaxSamples: 50_000_000, Timeout: time.Minute, Parser: language,
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
	})}
}

// add adds a sample, which must not be older than the last one of these labels.
func (s *series) add(of labels.Labels, at time.Time, value float64) error {
	e := s.byLabels[of.String()]
	if e == nil {
		chunk := chunkenc.NewXORChunk()
		appends, err := chunk.Appender()
		if err != nil {
			return err
		}
		e = &entry{of, chunk, appends}
		s.byLabels[of.String()] = e
	}
	e.appends.Append(0, at.UnixMilli(), value)
	return nil
}

// Querier implements storage.Queryable.
func (s *series) Querier(int64, int64) (storage.Querier, error) {
	return &storage.MockQuerier{SelectMockFunction: func(_ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
		found := &set{}
		for _, e := range s.byLabels {
			if !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(e.labels.Get(m.Name)) }) {
				found.left = append(found.left, &storage.SeriesEntry{Lset: e.labels, SampleIteratorFn: e.samples.Iterator})
			}
		}
		slices.SortFunc(found.left, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
		return found
	}}, nil
}

// set is a storage.SeriesSet.
type set struct {
	storage.SeriesSet // Err and Warnings of an empty one.
	at                storage.Series
	left              []storage.Series
}

func (s *set) Next() bool {
	s.SeriesSet = storage.EmptySeriesSet()
	if len(s.left) == 0 {
		return false
	}
	s.at, s.left = s.left[0], s.left[1:]
	return true
}

func (s *set) At() storage.Series { return s.at }

// instant returns what an expression has at a time.
func (s *series) instant(ctx context.Context, expression string, at time.Time) (promql.Vector, error) {
	query, err := s.engine.NewInstantQuery(ctx, s, nil, expression, at)
	if err != nil {
		return nil, err
	}
	defer query.Close()
	result := query.Exec(ctx)
	if result.Err != nil {
		return nil, result.Err
	}
	if scalar, is := result.Value.(promql.Scalar); is {
		return promql.Vector{{T: scalar.T, F: scalar.V}}, nil
	}
	vector, err := result.Vector()
	return slices.Clone(vector), err
}

// every returns what an expression has at each step from the epoch on.
func (s *series) every(ctx context.Context, expression string, step, end time.Duration) (promql.Matrix, error) {
	query, err := s.engine.NewRangeQuery(ctx, s, nil, expression, epoch, epoch.Add(end), step)
	if err != nil {
		return nil, err
	}
	// Not closed: that would take the points back.
	return query.Exec(ctx).Matrix()
}

var epoch = time.Unix(0, 0)
