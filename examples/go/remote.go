// SPDX-License-Identifier: MIT

package voltqemu

/*
#include <volt-qemu/volt-qemu.h>
*/
import "C"

import (
	"context"
	"time"
)

// RemoteOptions say how a registry is talked to. What is zero is not used, or has its default: logins, proxies and
// certificates are looked for nowhere.
type RemoteOptions struct {
	User, Password string
	IdentityToken  string // instead of these
	CAFile         string // of the authorities that the registry's certificate must be of; all paths are absolute
	Certificate    string // the client's
	Key            string
	Proxy          string // a URL
	TokenHost      string // the one other host that may be asked for tokens
	MountFrom      string // another repository there, which may have some of what is pushed
	PlainHTTP      bool   // HTTP instead of HTTPS; with a login on this host alone

	ConnectTimeout time.Duration // both are rounded up to seconds; negative ones are ErrInvalid
	StallTimeout   time.Duration
	Connections    uint // requests at the same time
	Tries          uint // how often one is made
}

// Remote is a repository of an OCI registry. Any goroutine may use it.
type Remote struct {
	handle *handle[*C.vqemu_remote]
}

func (o *RemoteOptions) strings() []option {
	return []option{{C.VQEMU_REMOTE_USER, o.User}, {C.VQEMU_REMOTE_PASSWORD, o.Password},
		{C.VQEMU_REMOTE_IDENTITY_TOKEN, o.IdentityToken}, {C.VQEMU_REMOTE_CA_FILE, o.CAFile},
		{C.VQEMU_REMOTE_CERTIFICATE, o.Certificate}, {C.VQEMU_REMOTE_KEY, o.Key},
		{C.VQEMU_REMOTE_PROXY, o.Proxy}, {C.VQEMU_REMOTE_TOKEN_HOST, o.TokenHost},
		{C.VQEMU_REMOTE_MOUNT_FROM, o.MountFrom}}
}

func (o *RemoteOptions) numbers() map[string]uint64 {
	return map[string]uint64{C.VQEMU_REMOTE_PLAIN_HTTP: uint64(toFlag(o.PlainHTTP)),
		C.VQEMU_REMOTE_CONNECT_SECONDS: seconds(o.ConnectTimeout), C.VQEMU_REMOTE_STALL_SECONDS: seconds(o.StallTimeout),
		C.VQEMU_REMOTE_CONNECTIONS: uint64(o.Connections), C.VQEMU_REMOTE_TRIES: uint64(o.Tries)}
}

// seconds rounds up; 0 stays, for the default.
func seconds(d time.Duration) uint64 {
	return uint64((d + time.Second - 1) / time.Second)
}

func (o *RemoteOptions) set(remote *C.vqemu_remote) error {
	if o.ConnectTimeout < 0 {
		return negativeTime(C.VQEMU_REMOTE_CONNECT_SECONDS, o.ConnectTimeout)
	}
	if o.StallTimeout < 0 {
		return negativeTime(C.VQEMU_REMOTE_STALL_SECONDS, o.StallTimeout)
	}
	err := setStrings(o.strings(), func(key, value *C.char, e **C.vqemu_error) C.int {
		return C.vqemu_remote_set_string(remote, key, value, e)
	})
	texts := &cStrings{}
	defer texts.free()
	for name, value := range o.numbers() {
		if err != nil {
			break
		}
		key, number := texts.exact(name), C.uint64_t(value)
		err = try(func(e **C.vqemu_error) C.int { return C.vqemu_remote_set_number(remote, key, number, e) })
	}
	return err
}

// NewRemote makes one of "host/name" or "host:port/name". Nobody is asked yet.
func NewRemote(repository string, options RemoteOptions) (*Remote, error) {
	texts := &cStrings{}
	defer texts.free()
	name := texts.exact(repository)
	if texts.err != nil {
		return nil, texts.err
	}
	made, err := makeHandle(func(p *C.vqemu_remote) { C.vqemu_remote_free(p) },
		func(made **C.vqemu_remote, e **C.vqemu_error) C.int { return C.vqemu_remote_new(name, made, e) })
	if err != nil {
		return nil, err
	}
	if err := options.set(made.memory); err != nil {
		made.close()
		return nil, err
	}
	return &Remote{made}, nil
}

func (r *Remote) use() (*C.vqemu_remote, func(), error) {
	if r == nil {
		r = &Remote{}
	}
	return r.handle.use("remote")
}

// Tags lists the tags of the repository, sorted.
func (r *Remote) Tags(ctx context.Context, options ...CallOption) ([]string, error) {
	remote, release, err := r.use()
	if err != nil {
		return nil, err
	}
	defer release()
	tags := []string{}
	err = run(ctx, options, func(call *C.vqemu_call, e **C.vqemu_error) C.int {
		var list *C.vqemu_tag_list
		result := C.vqemu_remote_list_tags(remote, 0, call, &list, e)
		defer C.vqemu_tag_list_free(list)
		for i := C.size_t(0); i < C.vqemu_tag_list_count(list); i++ {
			tags = append(tags, C.GoString(C.vqemu_tag_list_at(list, i)))
		}
		return result
	})
	if err != nil {
		return nil, err
	}
	return tags, nil
}

// Close releases it; its password is wiped.
func (r *Remote) Close() error {
	if r == nil {
		return nil
	}
	return r.handle.close()
}
