# docker buildx bake            all images of all languages' current versions
# docker buildx bake python     the images of one language; also: legacy, runtimes, installers,
#                               loader, provision, examples, or a single image, python-3-13
# docker-bake.json has the versions. `npm run generate` writes it from runtimes/*/runtime.json.

variable "REGISTRY" {
  # The registry that images are pushed to: the first part of their names.
  default = "kubeless"
}
variable "PLATFORMS" {
  # For example linux/amd64,linux/arm64; default: the builder's platform. Several need a builder or
  # an image store that supports them.
  default = ""
}
variable "ATTEST" {
  # true: adds an SBOM and provenance, which Docker's default image store does not support.
  default = false
}
variable "REVISION" {
  # The commit of the sources.
  default = ""
}

function "platforms" {
  params = []
  result = PLATFORMS == "" ? [] : split(",", PLATFORMS)
}

# Returns for python 3.13: python:3.13, python:3.13-v0.1.0; for the newest version also
# python:v0.1.0, python:latest.
function "tags" {
  params = [name, version, newest]
  result = concat(
    version == "" ? [] : ["${REGISTRY}/${name}:${version}", "${REGISTRY}/${name}:${version}-v${LOADER_VERSION}"],
    newest ? ["${REGISTRY}/${name}:v${LOADER_VERSION}", "${REGISTRY}/${name}:latest"] : [],
  )
}

function "labels" {
  params = [title, version, base]
  result = merge(
    {
      "org.opencontainers.image.title"     = title
      "org.opencontainers.image.version"   = version == "" ? LOADER_VERSION : "${version}-v${LOADER_VERSION}"
      "org.opencontainers.image.licenses"  = "Apache-2.0"
      "org.opencontainers.image.base.name" = base
    },
    REVISION == "" ? {} : { "org.opencontainers.image.revision" = REVISION },
  )
}

target "_image" {
  platforms = platforms()
  attest    = ATTEST ? ["type=sbom", "type=provenance,mode=max"] : []
}

# Parts of other images.
target "layer" {
  dockerfile = "images/loader/Dockerfile"
  target     = "layer"
  args       = { NODE_IMAGE = NODE_IMAGE, BASE = BASE_IMAGE }
  platforms  = platforms()
}
target "installation" {
  context   = "images/installer"
  args      = { BASE = BASE_IMAGE }
  platforms = platforms()
}

target "loader" {
  inherits   = ["_image"]
  dockerfile = "images/loader/Dockerfile"
  target     = "loader"
  args       = { NODE_IMAGE = NODE_IMAGE, BASE = BASE_IMAGE }
  tags       = tags("loader", "", true)
  labels     = labels("kubeless-loader, to put a language on", "", BASE_IMAGE)
}

target "provision" {
  inherits = ["_image"]
  context  = "images/provision"
  args     = { BASE = BASE_IMAGE }
  tags     = tags("provision", "", true)
  labels   = labels("What Kubeless's controller prepares functions with", "", BASE_IMAGE)
}

target "controller" {
  inherits   = ["_image"]
  dockerfile = "kubeless-controller/Dockerfile"
  args       = { NODE_IMAGE = NODE_IMAGE }
  tags       = tags("controller", "", true)
  labels     = labels("Runs Kubeless Functions and triggers", "", NODE_IMAGE)
}

target "trigger" {
  inherits   = ["_image"]
  dockerfile = "kubeless-trigger/Dockerfile"
  args       = { NODE_IMAGE = NODE_IMAGE }
  tags       = tags("trigger", "", true)
  labels     = labels("Calls functions with messages from Kafka and NATS", "", NODE_IMAGE)
}

target "runtimes" {
  name       = item.target
  matrix     = { item = VERSIONS }
  inherits   = ["_image"]
  dockerfile = "runtimes/${item.id}/Dockerfile"
  target     = "runtime"
  contexts   = { layer = "target:layer", strip = "images/strip" }
  args       = merge({ BASE = item.base, INSTALLER_BASE = item.installer, VERSION = item.version, BASE_IMAGE = BASE_IMAGE, NODE_IMAGE = NODE_IMAGE }, item.args)
  tags       = tags(item.id, item.version, item.newest)
  labels     = labels("${item.name} ${item.version} functions", item.version, item.base)
}

target "installers" {
  name       = "${item.target}-installer"
  matrix     = { item = [for item in VERSIONS : item if item.installs] }
  inherits   = ["_image"]
  dockerfile = "runtimes/${item.id}/Dockerfile"
  target     = "installer"
  contexts   = { layer = "target:layer", strip = "images/strip", installation = "target:installation" }
  args       = merge({ BASE = item.base, INSTALLER_BASE = item.installer, VERSION = item.version, BASE_IMAGE = BASE_IMAGE, NODE_IMAGE = NODE_IMAGE }, item.args)
  tags       = tags("${item.id}-installer", item.version, item.newest)
  labels     = labels("Installs and compiles ${item.name} ${item.version} functions", item.version, item.installer)
}

# Custom runtimes on the loader's image.
target "examples" {
  name      = "example-${item}"
  matrix    = { item = ["command", "express", "perl", "rust"] }
  context   = "examples/custom/${item}"
  contexts  = { loader = "target:loader" }
  args      = { LOADER = "loader" }
  tags      = ["${REGISTRY}/example-${item}"]
  platforms = platforms()
}
