// SPDX-License-Identifier: MIT

// A Go program that does what this library does, the plain way: read the manifest, make each directory,
// link each object. It checks nothing and syncs nothing.
//
//	peer link MANIFEST OBJECTS TARGET
//	peer verify MANIFEST OBJECTS        SHA-256 of each object
//	peer stat COUNT PATH                prints the median nanoseconds of os.Stat
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"time"
)

type manifest struct {
	Name    string            `json:"name"`
	Objects map[string]string `json:"objects"`
}

func load(path string) (*manifest, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	loaded := &manifest{}
	return loaded, json.Unmarshal(text, loaded)
}

func link(manifestPath, objects, target string) error {
	loaded, err := load(manifestPath)
	if err != nil {
		return err
	}
	for path, digest := range loaded.Objects {
		to := filepath.Join(target, path)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.Link(filepath.Join(objects, digest), to); err != nil {
			return err
		}
	}
	return nil
}

func hashFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

func verify(manifestPath, objects string) error {
	loaded, err := load(manifestPath)
	if err != nil {
		return err
	}
	for path, digest := range loaded.Objects {
		actual, err := hashFile(filepath.Join(objects, digest))
		if err != nil {
			return err
		}
		if actual != digest {
			return fmt.Errorf("%s: object %s is damaged", path, digest)
		}
	}
	return nil
}

func stat(count, path string) error {
	passes, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	samples := make([]int, passes)
	for i := range samples {
		start := time.Now()
		if _, err := os.Stat(path); err != nil {
			return err
		}
		samples[i] = int(time.Since(start))
	}
	sort.Ints(samples)
	fmt.Println(samples[passes/2])
	return nil
}

func run(arguments []string) error {
	switch {
	case len(arguments) == 4 && arguments[0] == "link":
		return link(arguments[1], arguments[2], arguments[3])
	case len(arguments) == 3 && arguments[0] == "verify":
		return verify(arguments[1], arguments[2])
	case len(arguments) == 3 && arguments[0] == "stat":
		return stat(arguments[1], arguments[2])
	}
	return fmt.Errorf("usage: peer link|verify|stat ...")
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}
