// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// reading is what one way of reading costs for one item, as go test measured it.
type reading struct{ nanoseconds, bytes, allocations float64 }

// decode runs the Go benchmarks of reading a whole page: the operator's decoder and
// encoding/json into the same structs, and, in the module test/contract, the
// operator's client and the vendor's SDK.
func (b *bench) decode(ctx context.Context, r *record) error {
	r.Setup = fmt.Sprintf("a page of %d clusters and one of %d peerings, figures are of one item", clustersPerPage, peeringsPerPage)
	length := "2s"
	if b.quick {
		length = "200ms"
	}
	goMod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return fmt.Errorf("go env GOMOD: %w", err)
	}
	root := filepath.Dir(strings.TrimSpace(string(goMod)))
	inner, err := goBench(ctx, filepath.Join(root, "internal", "cloudapi"), "^BenchmarkDecode", length)
	if err != nil {
		return err
	}
	outer, err := goBench(ctx, filepath.Join(root, "test", "contract"), "^BenchmarkPage$/^(clusters|peerings)$/^memory$", length)
	if err != nil {
		return err
	}
	for _, kind := range []struct {
		name, one string
		goal      float64
	}{{"Clusters", "cluster", 28}, {"Peerings", "peering", 13}} {
		lower := strings.ToLower(kind.name)
		ours, err := find(inner, "BenchmarkDecode"+kind.name)
		reference, err2 := find(inner, "BenchmarkDecode"+kind.name+"EncodingJSON")
		client, err3 := find(outer, "BenchmarkPage/"+lower+"/memory/ours")
		vendor, err4 := find(outer, "BenchmarkPage/"+lower+"/memory/vendor")
		if err := errors.Join(err, err2, err3, err4); err != nil {
			return err
		}
		f := &r.Figures
		f.goal(kind.one+": allocations", ours.allocations, "", "<=", kind.goal)
		f.add(kind.one+": time", ours.nanoseconds, "ns")
		f.add(kind.one+": bytes", ours.bytes, "B")
		addReading(f, kind.one+", encoding/json", reference)
		addReading(f, kind.one+", whole request", client)
		addReading(f, kind.one+", whole request, vendor's SDK", vendor)
	}
	return nil
}

func addReading(f *figures, name string, r reading) {
	f.add(name+": allocations", r.allocations, "")
	f.add(name+": time", r.nanoseconds, "ns")
	f.add(name+": bytes", r.bytes, "B")
}

// goBench runs the benchmarks of a package and returns what they tell of one item,
// by name.
func goBench(ctx context.Context, folder, pattern, length string) (map[string]reading, error) {
	command := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", pattern, "-benchtime", length, ".")
	command.Dir = folder
	var complaint bytes.Buffer
	command.Stderr = &complaint
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("go test -bench in %s: %w: %s%s", folder, err, out, complaint.Bytes())
	}
	return parseBench(out)
}

// parseBench reads the figures per item (ns/item, B/item, allocs/item).
func parseBench(out []byte) (map[string]reading, error) {
	readings := map[string]reading{}
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		var r reading
		for i := 2; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, fmt.Errorf("go test -bench: cannot read %q: %w", lines.Text(), err)
			}
			switch fields[i+1] {
			case "ns/item":
				r.nanoseconds = value
			case "B/item":
				r.bytes = value
			case "allocs/item":
				r.allocations = value
			}
		}
		readings[withoutProcs(fields[0])] = r
	}
	return readings, lines.Err()
}

// withoutProcs takes the number of processors off a benchmark's name.
func withoutProcs(name string) string {
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		if _, err := strconv.Atoi(name[i+1:]); err == nil {
			return name[:i]
		}
	}
	return name
}

func find(readings map[string]reading, name string) (reading, error) {
	r, there := readings[name]
	if !there {
		return r, fmt.Errorf("go test -bench: no %s", name)
	}
	return r, nil
}
