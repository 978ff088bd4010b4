# SPDX-License-Identifier: MIT
"""A registry in memory, which is good but where a test says otherwise."""
import hashlib
import itertools
import json
import re

from fake_registry import Answer, FakeRegistry

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def refusal(status, code, **detail):
    return Answer(status, json.dumps({"errors": [{"code": code, "message": code.lower(), "detail": detail}]}).encode())


class Shelf:
    """Blobs and manifests of one repository. trouble(request) makes another answer, or None for the good one."""

    def __init__(self, layout=None, ranges=True):
        self.blobs, self.manifests, self.uploads = {}, {}, {}
        self.ranges, self.trouble, self.numbers = ranges, lambda request: None, itertools.count(1)
        if layout:
            self.load(layout)

    def load(self, layout):
        """What is in an OCI layout."""
        for path in (layout / "blobs/sha256").iterdir():
            self.blobs[f"sha256:{path.name}"] = path.read_bytes()
        for entry in json.loads((layout / "index.json").read_text())["manifests"]:
            content = self.blobs[entry["digest"]]
            self.manifests[entry["digest"]] = content
            self.manifests[entry["annotations"]["org.opencontainers.image.ref.name"]] = content

    def serve(self):
        return FakeRegistry(self)

    def __call__(self, request):
        answer = self.trouble(request) or self.good(request)
        if request.method == "HEAD":
            answer.body = b""  # whatever it says
        return answer

    def good(self, request):
        path = request.path.partition("?")[0]
        for pattern, method in ((r"/v2/.+/manifests/([^/]+)", self.manifest), (r"/v2/.+/blobs/(sha256:[0-9a-f]+)", self.blob),
                                (r"/v2/.+/blobs/uploads/(\d*)", self.upload), (r"/v2/.+/tags/()list", self.tags)):
            match = re.fullmatch(pattern, path)
            if match:
                return method(request, match[1])
        return Answer(404)

    def tags(self, _request, _):
        return Answer(body=json.dumps({"tags": [name for name in self.manifests if ":" not in name]}).encode())

    def manifest(self, request, reference):
        if request.method == "PUT":
            return self.put_manifest(request, reference)
        content = self.manifests.get(reference)
        if content is None:
            return refusal(404, "MANIFEST_UNKNOWN")
        if request.method == "DELETE":
            self.manifests = {name: other for name, other in self.manifests.items() if other != content}
            return Answer(202)
        headers = {"Docker-Content-Digest": digest_of(content), "Content-Type": MANIFEST_TYPE}
        return sent(content, headers)

    def put_manifest(self, request, reference):
        manifest = json.loads(request.body)
        missing = [blob["digest"] for blob in [manifest["config"], *manifest["layers"]] if blob["digest"] not in self.blobs]
        if missing:
            errors = [{"code": "MANIFEST_BLOB_UNKNOWN", "message": "blob unknown", "detail": {"digest": digest}}
                      for digest in missing]
            return Answer(400, json.dumps({"errors": errors}).encode())
        self.manifests[reference] = self.manifests[digest_of(request.body)] = request.body
        return Answer(201, headers={"Docker-Content-Digest": digest_of(request.body)})

    def blob(self, request, digest):
        content = self.blobs.get(digest)
        if content is None:
            return refusal(404, "BLOB_UNKNOWN")
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
        if wanted and self.ranges:
            first, last = int(wanted[1]), int(wanted[2] or len(content) - 1)
            if first >= len(content):
                return Answer(416)
            return Answer(206, content[first:last + 1],
                          {"Content-Range": f"bytes {first}-{min(last, len(content) - 1)}/{len(content)}"})
        return sent(content, {"Content-Type": "application/octet-stream"})

    def upload(self, request, number):
        query = dict(part.partition("=")[::2] for part in request.path.partition("?")[2].split("&"))
        if request.method == "POST":
            number = str(next(self.numbers))
            self.uploads[number] = b""
            return Answer(202, headers={"Location": f"{request.path.partition('?')[0]}{number}?_state=x"})
        digest = query.get("digest", "").replace("%3A", ":")
        if number not in self.uploads:
            return refusal(404, "BLOB_UPLOAD_UNKNOWN")
        del self.uploads[number]
        if digest != digest_of(request.body):
            return refusal(400, "DIGEST_INVALID")
        self.blobs[digest] = request.body
        return Answer(201)


class Shelves:
    """Many repositories, each with a shelf of its own: with what is in a layout, or with nothing."""

    def __init__(self, layout=None):
        self.layout, self.shelves = layout, {}

    def __getitem__(self, name):
        if name not in self.shelves:
            self.shelves[name] = Shelf(self.layout)
        return self.shelves[name]

    def put(self, name, layout=None):
        """A new one, whatever there was."""
        self.shelves[name] = Shelf(layout)

    def serve(self):
        return FakeRegistry(self)

    def __call__(self, request):
        match = re.match(r"/v2/(.+?)/(?:manifests|blobs|tags)/", request.path)
        return self[match[1]](request) if match else Answer(404)


def sent(content, headers):
    return Answer(200, content, {**headers, "Content-Length": str(len(content))})


def objects_of(requests, manifests=()):
    """The digests of blobs that were asked for."""
    asked = [match[1] for match in (re.fullmatch(r"/v2/.+/blobs/(sha256:[0-9a-f]+)", request.path) for request in requests)
             if match]
    return [digest for digest in asked if digest not in manifests]
