// SPDX-License-Identifier: Apache-2.0

// Command pause waits until it is told to end. It is the first process of each pod of
// test/node, which holds the pod's namespaces.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, os.Interrupt, syscall.SIGTERM)
	<-end
}
