// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// runElsewhere says of each page that is not among pages or onCall, or of one heading of it, which test runs
// its commands, as FOLDER: TEST, or why none does.
var runElsewhere = map[string]string{
	"CONTRIBUTING.md#Build, test, try":                        "not run: these run the tests",
	"CONTRIBUTING.md#Chaos":                                   "not run: .ci/run runs it with another seed",
	"CONTRIBUTING.md#Deploying a build of yours":              "test/chart: TestThePagesInstallWithKustomize", // make deploy; docker-build needs a container engine.
	"README.md#See it work":                                   "not run: .ci/run runs both",
	"README.md#Use it in a cluster of yours":                  "test/chart: TestThePagesInstallWithHelm",
	"README.md#The kinds":                                     "not run: an excerpt of what docs/kubectl.md shows, which is run",
	"charts/inventory-operator/README.md":                     "test/chart: TestThePagesInstallWithHelm",
	"docs/chaos.md#Chaos":                                     "not run: .ci/run runs it",
	"docs/installing.md#With Helm":                            "test/chart: TestThePagesInstallWithHelm",
	"docs/installing.md#With kustomize":                       "test/chart: TestThePagesInstallWithKustomize",
	"docs/installing.md#From manifests to Helm":               "test/chart: TestThePagesMoveAnInstallation",
	"docs/installing.md#To another namespace or release name": "test/chart: TestThePagesMoveAnInstallation",
	"docs/metrics.md#Alerts and dashboard":                    "test/chart: TestThePagesInstallWithKustomize",
	"docs/releasing.md#Checking one":                          "not run: needs a release; hack/release makes and checks the sums",
	"docs/scale.md#Dividing the work":                         "internal/options: TestAShardWatchesItsSourcesOnlyUnderALeaseOfItsOwn",
	"docs/security.md":                                        "test/chart: TestThePagesInstallWithKustomize",
}

var title = regexp.MustCompile(`^#+ +(.*)$`)

// headings returns the headings of a page that have commands beneath them.
func headings(text string) (with []string) {
	var inside bool
	var heading string
	for line := range strings.SplitSeq(text, "\n") {
		if edge := fence.FindStringSubmatch(line); edge != nil || inside && strings.TrimSpace(line) == "```" {
			if !inside && (edge[2] == "sh" || edge[2] == "console") && !slices.Contains(with, heading) {
				with = append(with, heading)
			}
			inside = !inside
		} else if found := title.FindStringSubmatch(line); found != nil && !inside {
			heading = found[1]
		}
	}
	return with
}

func TestEveryCommandOfAPageIsRunOrHasAReason(t *testing.T) {
	g := NewWithT(t)
	list := exec.CommandContext(t.Context(), "git", "ls-files", "*.md")
	list.Dir = root
	files, err := list.Output()
	g.Expect(err).NotTo(HaveOccurred())
	used := map[string]bool{}
	for page := range strings.FieldsSeq(string(files)) {
		if slices.Contains(pages, page) || slices.Contains(onCall, page) || strings.HasPrefix(page, "docs/decisions/") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, page))
		g.Expect(err).NotTo(HaveOccurred())
		for _, heading := range headings(string(text)) {
			found := false
			for _, key := range []string{page + "#" + heading, page, filepath.Dir(page) + "/"} {
				if _, there := runElsewhere[key]; there {
					used[key], found = true, true
				}
			}
			g.Expect(found).To(BeTrue(), "%s: no test runs the commands under %q", page, heading)
		}
	}
	for key, how := range runElsewhere {
		g.Expect(used).To(HaveKey(key), "has no commands")
		if folder, test, is := strings.Cut(how, ": "); is && folder != "not run" {
			declared, err := exec.CommandContext(t.Context(), "grep", "-rqE", `^func `+test+`\(`, filepath.Join(root, folder)).CombinedOutput()
			g.Expect(err).NotTo(HaveOccurred(), "%s: there is no %s %s", key, how, declared)
		}
	}
}
