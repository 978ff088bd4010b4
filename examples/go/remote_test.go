// SPDX-License-Identifier: MIT

package voltqemu

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func remoteOf(t *testing.T, handler http.HandlerFunc, options RemoteOptions) *Remote {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	options.PlainHTTP = true
	remote, err := NewRemote(strings.TrimPrefix(server.URL, "http://")+"/a", options)
	check(t, err)
	t.Cleanup(func() { remote.Close() })
	return remote
}

func TestTagsOfARegistry(t *testing.T) {
	remote := remoteOf(t, func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "me" || password != "secret" {
			w.Header().Set("WWW-Authenticate", "Basic realm=r")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Write([]byte(`{"tags": ["two", "one"]}`))
	}, RemoteOptions{User: "me", Password: "secret", StallTimeout: time.Second, Connections: 1})
	tags, err := remote.Tags(context.Background())
	if err != nil || strings.Join(tags, ",") != "one,two" {
		t.Errorf("%v, %v", tags, err)
	}
}

func TestARegistryThatFails(t *testing.T) {
	remote := remoteOf(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		RemoteOptions{Tries: 2})
	tags, err := remote.Tags(context.Background())
	if tags != nil || !errors.Is(err, &Error{Code: CodeNetwork, Reason: "server-failed"}) {
		t.Errorf("%v, %v", tags, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := remote.Tags(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestWhatARemoteCannotBe(t *testing.T) {
	for _, repository := range []string{"", "a", "https://r.example/a", "r.example/a\x00"} {
		if _, err := NewRemote(repository, RemoteOptions{}); !errors.Is(err, &Error{Code: CodeInvalid}) {
			t.Errorf("%q: %v", repository, err)
		}
	}
	if _, err := NewRemote("r.example/a", RemoteOptions{CAFile: "ca.pem"}); !errors.Is(err,
		&Error{Code: CodeInvalid, Reason: "relative-path"}) {
		t.Error(err)
	}
	var none *Remote
	if _, err := none.Tags(context.Background()); !errors.Is(err, &Error{Code: CodeUsage}) {
		t.Error(err)
	}
	check(t, none.Close())
}

func TestTimesOfARemoteAreNotNegative(t *testing.T) {
	for _, options := range []RemoteOptions{{ConnectTimeout: -time.Second}, {StallTimeout: -1}} {
		if _, err := NewRemote("registry.example/a", options); !errors.Is(err, ErrInvalid) {
			t.Errorf("%v", err)
		}
	}
}
