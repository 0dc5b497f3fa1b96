// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// Guard has a process that works on this control plane end with it, should the
// program that started both die without Stop. name must differ from that of any
// other process guarded. The caller calls release when the process has ended, so
// that a later one with its id is left alone.
func (p *Plane) Guard(name string, pid int) (release func(), err error) {
	path := filepath.Join(p.runDir(), name+".pid")
	if err := os.WriteFile(path, []byte(strconv.Itoa(pid)), 0o600); err != nil {
		return nil, fmt.Errorf("control plane: guarding %s: %w", name, err)
	}
	return func() { _ = os.Remove(path) }, nil
}
