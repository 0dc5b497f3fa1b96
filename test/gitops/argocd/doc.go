// SPDX-License-Identifier: Apache-2.0

// Package argocd has nothing but tests: they sync a source from a git repository by the engine
// that Argo CD is made of. It is a module of its own because of what that engine needs.
package argocd
