// SPDX-License-Identifier: Apache-2.0

// Command probe asks a URL from within a cluster and prints the answer's body. Its exit
// status is 0 for an answer of 200, 1 for another, 2 for bad flags and 3 for none at all.
package main

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// Exit statuses.
const (
	exitOK = iota
	exitRefused
	exitUsage
	exitSilent
)

func main() {
	url := flag.String("url", "", "What to ask.")
	token := flag.String("token-file", "", "File with a bearer token to send.")
	timeout := flag.Duration("timeout", 10*time.Second, "How long to wait for the answer.")
	flag.Parse()
	if *url == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(exitUsage)
	}
	ctx, stop := context.WithTimeout(context.Background(), *timeout)
	code, err := ask(ctx, *url, *token)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
	}
	os.Exit(code)
}

// ask prints what the URL answers and returns the exit status.
func ask(ctx context.Context, url, tokenFile string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return exitUsage, err
	}
	if tokenFile != "" {
		token, err := os.ReadFile(tokenFile)
		if err != nil {
			return exitUsage, err
		}
		request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	}
	// The manager signs its own certificate where it is given none.
	insecure := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	response, err := (&http.Client{Transport: insecure}).Do(request)
	if err != nil {
		return exitSilent, err
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(os.Stdout, response.Body); err != nil {
		return exitSilent, err
	}
	if response.StatusCode != http.StatusOK {
		return exitRefused, fmt.Errorf("answered %s", response.Status)
	}
	return exitOK, nil
}
