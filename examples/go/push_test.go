// SPDX-License-Identifier: MIT

package voltqemu

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// registry is one in memory, of one repository. An upload has the number of its blob.
type registry struct {
	lock             sync.Mutex
	blobs, manifests map[string][]byte
}

func digestOf(content []byte) string {
	return fmt.Sprintf("sha256:%x", sha256.Sum256(content))
}

func (r *registry) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	r.lock.Lock()
	defer r.lock.Unlock()
	name := request.URL.Path[strings.LastIndex(request.URL.Path, "/")+1:]
	isManifest := strings.Contains(request.URL.Path, "/manifests/")
	switch {
	case request.Method == http.MethodPost:
		w.Header().Set("Location", request.URL.Path+"one?state=x")
		w.WriteHeader(http.StatusAccepted)
	case request.Method == http.MethodPut && isManifest:
		r.manifests[name], r.manifests[digestOf(body)] = body, body
		w.WriteHeader(http.StatusCreated)
	case request.Method == http.MethodPut:
		r.blobs[request.URL.Query().Get("digest")] = body
		w.WriteHeader(http.StatusCreated)
	case request.Method == http.MethodDelete:
		r.manifests = map[string][]byte{}
		w.WriteHeader(http.StatusAccepted)
	case isManifest:
		r.send(w, r.manifests[name])
	default:
		r.send(w, r.blobs[name])
	}
}

func (r *registry) send(w http.ResponseWriter, content []byte) {
	if content == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Docker-Content-Digest", digestOf(content))
	w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	w.Write(content)
}

func (r *registry) isEmpty() bool {
	r.lock.Lock()
	defer r.lock.Unlock()
	return len(r.manifests) == 0
}

func TestARevisionGoesToARegistryAndBack(t *testing.T) {
	shelf := &registry{blobs: map[string][]byte{}, manifests: map[string][]byte{}}
	remote := remoteOf(t, shelf.ServeHTTP, RemoteOptions{MountFrom: "other"})
	from, to := makeStore(t), makeStore(t)
	revision := ingest(t, from, 1).Revision
	would, err := from.Push(ctx, revision, remote, "", PushOptions{DryRun: true})
	if err != nil || !would.IsNew || would.NewBlobs != would.Blobs || !shelf.isEmpty() {
		t.Errorf("%+v, %v", would, err)
	}
	pushed, err := from.Push(ctx, revision, remote, "", PushOptions{})
	if err != nil || pushed.NewBytes != pushed.Bytes || pushed.Digest != would.Digest {
		t.Fatalf("%+v, %v", pushed, err)
	}
	again, err := from.Push(ctx, revision, remote, "latest", PushOptions{})
	if err != nil || again.IsNew || again.NewBlobs != 0 {
		t.Errorf("%+v, %v", again, err)
	}
	if all, err := from.Push(ctx, revision, remote, "latest", PushOptions{Force: true}); err != nil || all.NewBlobs != all.Blobs {
		t.Errorf("%+v, %v", all, err)
	}

	what := &IngestOptions{AnyProfile: true}
	told, err := to.Pull(ctx, remote, "", what, true)
	if err != nil || told.NewObjects == 0 {
		t.Errorf("%+v, %v", told, err)
	}
	pulled, err := to.Pull(ctx, remote, pushed.Digest, what, false)
	if err != nil || pulled.Revision.Digest != revision.Digest || pulled.NewObjects != told.NewObjects || !pulled.IsNew {
		t.Errorf("%+v, %v", pulled, err)
	}
	if _, err := to.Pull(ctx, remote, "other", what, false); !errors.Is(err, &Error{Code: CodeNotFound, Reason: "no-manifest"}) {
		t.Error(err)
	}
	check(t, remote.Delete(ctx, "latest"))
	if err := remote.Delete(ctx, "latest"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

func TestNothingComesFromNoRemote(t *testing.T) {
	store := makeStore(t)
	revision := ingest(t, store, 0).Revision
	if _, err := store.Pull(ctx, nil, "", nil, false); !errors.Is(err, &Error{Code: CodeUsage}) {
		t.Error(err)
	}
	if _, err := store.Push(ctx, revision, nil, "", PushOptions{}); !errors.Is(err, &Error{Code: CodeUsage}) {
		t.Error(err)
	}
	var none *Remote
	if err := none.Delete(context.Background(), "a"); !errors.Is(err, &Error{Code: CodeUsage}) {
		t.Error(err)
	}
}
