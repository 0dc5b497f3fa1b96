// SPDX-License-Identifier: Apache-2.0

package metrics

import "runtime/debug"

// Build has the version, the revision and the Go version of this program.
type Build struct {
	Version, Revision, GoVersion string
}

// ReadBuild returns the build information that Go stored in the binary. If buildVersion is not
// empty, the result has this version, not the version from the binary.
func ReadBuild(buildVersion string) Build {
	b := Build{Version: buildVersion, Revision: "unknown", GoVersion: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.GoVersion = info.GoVersion
	if b.Version == "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.Revision = s.Value
		}
	}
	return b
}
