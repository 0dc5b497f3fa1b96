// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	// quietShare is how busy all cores may be, of 1, for a machine to be quiet.
	quietShare = 0.15
	// quietLook is how long the machine is looked at.
	quietLook = time.Second
)

// quiet waits until the machine has little to do, so that what one measurement
// left behind (deletions, garbage) does not count for the next. What goes on for
// longer than -quiet is not ours, and is only told of.
func (b *bench) quiet(ctx context.Context) error {
	begun := time.Now()
	for {
		busy, err := busyShare(ctx)
		if err != nil || busy < quietShare {
			return err
		}
		if time.Since(begun) > b.patience {
			b.say("the machine is still %.0f %% busy; other work goes on beside this", 100*busy)
			b.disturbed = max(b.disturbed, busy)
			return nil
		}
	}
}

// busyShare looks for a while how busy the machine is, of 1.
func busyShare(ctx context.Context) (float64, error) {
	before, err := readTicks()
	if err != nil {
		return 0, err
	}
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(quietLook):
	}
	after, err := readTicks()
	if err != nil {
		return 0, err
	}
	return busyBetween(before, after), nil
}

// ticks are the times all cores spent, since the machine started.
type ticks struct{ idle, all float64 }

func busyBetween(before, after ticks) float64 {
	all := after.all - before.all
	if all <= 0 {
		return 0
	}
	return 1 - (after.idle-before.idle)/all
}

func readTicks() (ticks, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return ticks{}, fmt.Errorf("the machine's load: %w; benchmarks need Linux", err)
	}
	return parseTicks(string(text))
}

// parseTicks reads the first line of /proc/stat.
func parseTicks(stat string) (ticks, error) {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	const idle, wait, steal = 4, 5, 8 // guest time, behind, is in user time already
	if len(fields) <= steal {
		return ticks{}, fmt.Errorf("the machine's load: cannot read %q", line)
	}
	var t ticks
	for i, field := range fields[1 : steal+1] {
		value, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return ticks{}, fmt.Errorf("the machine's load: %w", err)
		}
		t.all += value
		if i+1 == idle || i+1 == wait {
			t.idle += value
		}
	}
	return t, nil
}

// freeAddress returns an address that was free a moment ago.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}
