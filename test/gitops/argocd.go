// SPDX-License-Identifier: Apache-2.0

// Package gitops judges objects as GitOps tools do, by the scripts and expressions that docs
// has for them.
package gitops

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// Health is what Argo CD shows of an object.
type Health struct {
	// Status is Healthy, Progressing, Degraded, Suspended or Unknown.
	Status  string
	Message string
}

// scriptTimeout is how long a health check may run, as in Argo CD.
const scriptTimeout = time.Second

// ArgoCD returns what the health check of an object's kind says of it. dir is docs/argocd. The
// script sees what it sees in Argo CD: the object as obj, and the base library alone.
func ArgoCD(dir, kind string, object map[string]any) (Health, error) {
	script, err := os.ReadFile(filepath.Join(dir, kind, "health.lua"))
	if err != nil {
		return Health{}, err
	}
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	ctx, cancel := context.WithTimeout(context.Background(), scriptTimeout)
	defer cancel()
	state.SetContext(ctx)
	state.Push(state.NewFunction(lua.OpenBase))
	state.Push(lua.LString(lua.BaseLibName))
	if err := state.PCall(1, 0, nil); err != nil {
		return Health{}, err
	}
	state.SetGlobal("obj", luaValue(state, object))
	if err := state.DoString(string(script)); err != nil {
		return Health{}, fmt.Errorf("%s: %w", kind, err)
	}
	table, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		return Health{}, fmt.Errorf("%s: returns %s, not a table", kind, state.Get(-1).Type())
	}
	return Health{
		Status:  lua.LVAsString(table.RawGetString("status")),
		Message: lua.LVAsString(table.RawGetString("message")),
	}, nil
}

// luaValue returns a JSON value as Lua has it.
func luaValue(state *lua.LState, value any) lua.LValue {
	switch v := value.(type) {
	case map[string]any:
		table := state.NewTable()
		for key, member := range v {
			table.RawSetString(key, luaValue(state, member))
		}
		return table
	case []any:
		table := state.NewTable()
		for _, item := range v {
			table.Append(luaValue(state, item))
		}
		return table
	case string:
		return lua.LString(v)
	case bool:
		return lua.LBool(v)
	case int64:
		return lua.LNumber(v)
	case float64:
		return lua.LNumber(v)
	}
	return lua.LNil
}
